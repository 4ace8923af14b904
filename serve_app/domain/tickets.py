"""A conversation that a person takes over: its ticket, what was said in it, and what this process knows of the open ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from serve_app.domain.errors import Conflict
from serve_app.domain.messages import Conversation, Handoff, Language
from serve_app.domain.phrases import Desk

# Of an agent's message.
TEXT_CHARS_MAX = 4000
# A ticket keeps its first reasons.
REASONS_MAX = 10


class Author(StrEnum):
    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    DESK = "desk"  # the state changed: somebody has joined, or ended it


@dataclass(frozen=True, slots=True)
class Ticket:
    """`changes` counts what happened to it, its messages too; it only grows."""

    id: str
    tenant: str
    session_id: str
    customer_id: str | None
    language: Language
    state: Conversation
    reasons: tuple[str, ...]
    opened_at: datetime
    changes: int
    agent: str = ""  # who claimed it
    claimed_at: datetime | None = None
    closed_at: datetime | None = None
    note: str = ""  # the desk's own, at the close; no customer sees it

    @property
    def is_open(self) -> bool:
        return self.state in (Conversation.QUEUED, Conversation.HUMAN)


@dataclass(frozen=True, slots=True)
class Message:
    """Something said while a ticket was open. `about` is the id that its sender gave it: a customer's message id, an answer's
    id, an agent's message id. The same words of the same sender about the same are kept once."""

    id: str
    author: Author
    text: str
    at: datetime
    name: str = ""
    about: str | None = None

    @property
    def known_as(self) -> str:
        """The id under which the conversation itself knows it. Agents number their own, maybe as the customer numbers his."""
        return self.id if self.about is None or self.author in (Author.AGENT, Author.DESK) else self.about


@dataclass(frozen=True, slots=True)
class Numbered:
    """A message in its place: `number` is what `Ticket.changes` became with it."""

    ticket_id: str
    number: int
    message: Message


class TicketChange(StrEnum):
    """What a webhook is told of."""

    OPENED = "ticket.opened"
    MESSAGE = "ticket.message"  # the customer said something while a person has the conversation
    CLAIMED = "ticket.claimed"
    REPLIED = "ticket.replied"
    CLOSED = "ticket.closed"


def with_reasons(ticket: Ticket, more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*ticket.reasons, *more)))[:REASONS_MAX]


def handoff_of(ticket: Ticket, desk: Desk, now: datetime, before: int) -> Handoff:
    """What the customer is told of the ticket's state; `before` conversations wait in front of it."""
    waits = ticket.state is Conversation.QUEUED
    wait_s = desk.queue(now, before).wait_s if waits else None
    return Handoff(ticket.state, ticket.id, desk.hours_said(ticket.language), desk.on_duty(now), wait_s)


def not_claimable(ticket: Ticket) -> Conflict:
    if ticket.state is Conversation.HUMAN:
        return Conflict(f"{ticket.agent or 'Somebody'} has taken this conversation already.")
    return closed(ticket)


def closed(ticket: Ticket) -> Conflict:
    return Conflict(f"The ticket {ticket.id} is closed. If the customer asks for a person again, a new one is opened.")


class Book:
    """The tickets that are open, as a process last saw them, and what is new since it looked before."""

    def __init__(self) -> None:
        self._open: dict[str, Ticket] = {}
        self._of_session: dict[tuple[str, str], str] = {}
        self._closed: dict[str, int] = {}  # those closed of late: how many changes were seen

    def has(self, tenant: str, session_id: str) -> bool:
        return (tenant, session_id) in self._of_session

    def waiting_before(self, ticket: Ticket) -> int:
        """How many conversations of its tenant wait in front of it."""
        waiting = (one for one in self._open.values() if one.tenant == ticket.tenant and one.state is Conversation.QUEUED)
        return sum((one.opened_at, one.id) < (ticket.opened_at, ticket.id) for one in waiting)

    def news(self, tickets: Iterable[Ticket]) -> list[tuple[Ticket | None, Ticket]]:
        """Those that changed since they were seen, as (before, now); before is None for one that was not open when it was."""
        found = [(self._open.get(ticket.id), ticket) for ticket in tickets]
        known = [before.changes if before else self._closed.get(ticket.id, 0) for before, ticket in found]
        return [pair for pair, changes in zip(found, known, strict=True) if pair[1].changes > changes]

    def see(self, tickets: Sequence[Ticket], *, all_open: bool) -> None:
        """Takes in every ticket that changed since shortly before the last look, also what was seen then. With `all_open` the
        tickets hold every open one as well, so that one which is not among them is forgotten."""
        for _, ticket in self.news(tickets):
            self._put(ticket)
        self._closed = {ticket.id: ticket.changes for ticket in tickets if not ticket.is_open}
        if all_open:
            present = {ticket.id for ticket in tickets}
            for gone in [ticket for ticket in self._open.values() if ticket.id not in present]:
                self._drop(gone)

    def _put(self, ticket: Ticket) -> None:
        if ticket.is_open:
            self._open[ticket.id] = ticket
            self._of_session[ticket.tenant, ticket.session_id] = ticket.id
        else:
            self._drop(ticket)

    def _drop(self, ticket: Ticket) -> None:
        self._open.pop(ticket.id, None)
        if self._of_session.get((ticket.tenant, ticket.session_id)) == ticket.id:
            del self._of_session[ticket.tenant, ticket.session_id]


def steps_of(before: Ticket | None, ticket: Ticket, said: Sequence[Numbered]) -> list[Conversation | Message]:
    """What happened between two looks at a ticket, as its customer is told: the states it came to, and what agents said. What
    was said after the later look comes with the next one."""
    known = before.changes if before else 0
    ordered = sorted((one for one in said if known < one.number <= ticket.changes), key=lambda one: one.number)
    agents = [one.message for one in ordered if one.message.author is Author.AGENT]
    steps: list[Conversation | Message] = []
    state = before.state if before else None
    if agents and state is not Conversation.HUMAN:
        steps.append(state := Conversation.HUMAN)
    steps += agents
    return steps if state is ticket.state else [*steps, ticket.state]


def key_of(message: Message) -> str:
    """The same for the same words of the same sender about the same. Words that were sent again with more added are others."""
    if message.about is None:
        return message.id
    return f"{message.author}:{message.about}:{hashlib.blake2b(message.text.encode(), digest_size=8).hexdigest()}"
