"""A person takes over: the desk's side of it, the same for the API and the command line."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from serve_app.answering.handover import HandoverShop, within
from serve_app.domain.errors import InternalError, InvalidField, NotReady, StoreFailed, ZeroWaitError
from serve_app.domain.messages import Language
from serve_app.domain.packet import Packet, packet_of, with_messages
from serve_app.domain.phrases import Phrase, say
from serve_app.domain.tickets import TEXT_CHARS_MAX, Author, Message, Ticket
from serve_app.ports import Clock, Outbox, Sessions, Tickets

logger = logging.getLogger(__name__)

NAME_CHARS_MAX = 64
# For each call of the record. An agent waits longer than a customer does.
WITHIN_S = 10.0
# For so long the desk is told of a notice that its webhook never got.
GIVEN_UP_TOLD = timedelta(days=7)
# Of an agent who gives none.
_NAMELESS: dict[Language, str] = {"zh": "客服", "en": "Support"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """What waits, and how many notices to the webhook of the last days were given up."""

    tickets: Sequence[Ticket]
    notices_given_up: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A ticket as an agent opens it."""

    ticket: Ticket
    packet: Packet


class DeskWork:
    """`changed` is told of each ticket that was changed here. Every method raises NotReady without the record."""

    def __init__(
        self,
        tickets: Tickets,
        outbox: Outbox,
        sessions: Sessions,
        shops: Mapping[str, HandoverShop],
        clock: Clock,
        new_id: Callable[[str], str],
        changed: Callable[[Ticket], None],
    ) -> None:
        self._tickets = tickets
        self._outbox = outbox
        self._sessions = sessions
        self._shops = shops
        self._clock = clock
        self._new_id = new_id
        self._changed = changed

    async def list(self, tenant: str, *, closed: bool, limit: int) -> Desk:
        """The open tickets, oldest first; with `closed` the last `limit` of all."""
        tickets = await _replied(self._tickets.list(tenant, closed=closed, limit=limit))
        return Desk(tickets, await _replied(self._outbox.given_up(tenant, self._clock.now() - GIVEN_UP_TOLD)))

    async def look(self, tenant: str, ticket_id: str) -> Opened:
        """The ticket with its packet, brought up to date. Raises NotFound."""
        ticket, packet, messages = await _replied(self._tickets.read(tenant, ticket_id))
        try:
            session = await self._sessions.read(tenant, ticket.session_id, ticket.customer_id)
        except (ZeroWaitError, InternalError) as error:
            logger.info("the packet is as it was kept: %s", error)
            return Opened(ticket, with_messages(packet, messages))
        formats = self._shops[tenant].formats
        renewed = packet_of(session.turns, session.focus, messages, formats, ticket.language, packet.intent)
        # The conversation may have lost its beginning since.
        return Opened(ticket, replace(renewed, transcript=with_messages(packet, messages, renewed.transcript).transcript))

    async def claim(self, tenant: str, ticket_id: str, name: str) -> Ticket:
        """Raises NotFound, Conflict (somebody has it, or it is closed), InvalidField."""
        ticket = await self._ticket(tenant, ticket_id)
        return await self._told(self._tickets.claim(tenant, ticket_id, self._name(ticket, name), self._joined(ticket, name)))

    async def reply(self, tenant: str, ticket_id: str, text: str, name: str, message_id: str | None = None) -> Ticket:
        """An agent's words; a ticket that waits is claimed by them. The same words under the same `message_id` are sent once.
        Raises NotFound, Conflict (closed), InvalidField."""
        ticket = await self._ticket(tenant, ticket_id)
        words = _checked(text.strip(), "text", TEXT_CHARS_MAX)
        joined = self._joined(ticket, name)
        whose = self._name(ticket, name or ticket.agent)
        said = Message(self._new_id("tm"), Author.AGENT, words, joined.at, whose, message_id)
        return await self._told(self._tickets.reply(tenant, ticket_id, said, joined))

    async def close(self, tenant: str, ticket_id: str, note: str = "") -> Ticket:
        """The bot has the conversation again. `note` is the desk's own. Raises NotFound, Conflict (closed), InvalidField."""
        ticket = await self._ticket(tenant, ticket_id)
        ended = Message(self._new_id("tm"), Author.DESK, say(Phrase.ENDED, ticket.language), self._clock.now(), ticket.agent)
        kept = _checked(note.strip(), "note", TEXT_CHARS_MAX) if note.strip() else ""
        return await self._told(self._tickets.close(tenant, ticket_id, kept, ended))

    def _joined(self, ticket: Ticket, name: str) -> Message:
        text = say(Phrase.JOINED, ticket.language)
        return Message(self._new_id("tm"), Author.DESK, text, self._clock.now(), self._name(ticket, name))

    def _name(self, ticket: Ticket, name: str) -> str:
        return _checked(" ".join(name.split()), "name", NAME_CHARS_MAX) if name.strip() else _NAMELESS[ticket.language]

    async def _ticket(self, tenant: str, ticket_id: str) -> Ticket:
        ticket, _, _ = await _replied(self._tickets.read(tenant, ticket_id))
        return ticket

    async def _told(self, change: Awaitable[Ticket]) -> Ticket:
        ticket = await _replied(change)
        self._changed(ticket)
        return ticket


def ticket_json(ticket: Ticket) -> dict[str, Any]:
    """As the desk sees it."""
    fields = asdict(ticket)
    fields["ticket_id"] = fields.pop("id")
    return {name: value for name, value in fields.items() if name not in ("tenant", "changes")}


def opened_json(opened: Opened) -> dict[str, Any]:
    """With the packet; in its transcript `from` says who spoke."""
    packet = asdict(opened.packet)
    for line in packet["transcript"]:
        line["from"] = line.pop("author")
    return ticket_json(opened.ticket) | {"packet": packet}


async def _replied(step: Awaitable[T]) -> T:
    try:
        return await within(WITHIN_S, step)
    except StoreFailed as error:
        logger.warning("the tickets cannot be reached: %s", error)
        raise NotReady("The tickets cannot be reached right now.", retry_after_s=5) from error


def _checked(text: str, field: str, chars_max: int) -> str:
    if not text:
        raise InvalidField(f"{field}: there is no text in it.", param=field)
    if len(text) > chars_max:
        raise InvalidField(f"{field}: it is longer than {chars_max} characters.", param=field)
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t\r" for char in text):
        raise InvalidField(f"{field}: it is not plain Unicode text; there is a control character in it.", param=field)
    return text
