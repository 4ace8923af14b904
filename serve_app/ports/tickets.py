"""Conversations that a person takes over, and telling of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from serve_app.domain.packet import Packet
from serve_app.domain.tickets import Message, Numbered, Ticket


class Tickets(Protocol):
    """Conversations that a person takes over, in the system of record. Histories are append-only.

    Each method is one transaction, and changes of one ticket come one after the other, so that a message is either before a
    claim or after it. Each raises StoreFailed when the record does not answer.
    """

    async def open(self, ticket: Ticket, packet: Packet) -> tuple[Ticket, bool]:
        """Opens it, or adds its reasons to the one that is open in this session. Returns the ticket, and whether it is new."""
        ...

    async def hear(self, tenant: str, session_id: str, customer_id: str | None, message: Message) -> Ticket | None:
        """Adds a customer's words to the session's open ticket, and returns the ticket as they found it; None: none is open.
        The same words under the same id (`about`) are added once."""
        ...

    async def note(self, tenant: str, session_id: str, messages: Sequence[Message]) -> None:
        """Adds what was said beside the desk (the bot's answers) to the session's open ticket, if one is open."""
        ...

    async def claim(self, tenant: str, ticket_id: str, agent: str, joined: Message) -> Ticket:
        """A person takes a waiting conversation; of two at once one gets it. Raises NotFound, Conflict."""
        ...

    async def reply(self, tenant: str, ticket_id: str, message: Message, joined: Message) -> Ticket:
        """Adds an agent's words, and claims the ticket for the message's name when it waits. The same words under the same id
        (`about`) are added once. Raises NotFound, Conflict (closed)."""
        ...

    async def close(self, tenant: str, ticket_id: str, note: str, ended: Message) -> Ticket:
        """Raises NotFound, Conflict (closed already)."""
        ...

    async def read(self, tenant: str, ticket_id: str) -> tuple[Ticket, Packet, Sequence[Message]]:
        """Raises NotFound."""
        ...

    async def list(self, tenant: str, *, closed: bool = False, limit: int = 100) -> Sequence[Ticket]:
        """The open ones, oldest first; with `closed` the last `limit` of all."""
        ...

    async def of_session(self, tenant: str, session_id: str) -> tuple[Ticket | None, Sequence[Message]]:
        """The session's last ticket, and what was said in all of its tickets, in order."""
        ...

    async def changed(self, since: datetime, open_since: datetime | None = None) -> Sequence[Ticket]:
        """Every ticket of every tenant that changed since then; with `open_since`, which is earlier, also those that changed
        since that and are open. One query."""
        ...

    async def messages(self, ticket_ids: Sequence[str]) -> Sequence[Numbered]:
        """What was said in these, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """A change of a ticket, to be told to a webhook. `id` is the same at every attempt; `attempt` counts from 1."""

    id: str
    tenant: str
    body: str  # JSON
    created_at: datetime
    attempt: int


class Outbox(Protocol):
    """Changes that wait to be told, written in the transaction that made each change. Raises StoreFailed."""

    async def take(self, tenant: str, now: datetime, lease_s: float, limit: int = 10) -> Sequence[Notice]:
        """The tenant's notices that are due, oldest first. Nobody else gets them within the lease."""
        ...

    async def delivered(self, notice_id: str) -> None: ...

    async def failed(self, notice_id: str, reason: str, again_at: datetime | None) -> None:
        """`again_at` None: it is given up, and kept for a while, to be seen."""
        ...

    async def given_up(self, tenant: str, since: datetime) -> int:
        """How many changes since then were."""
        ...
