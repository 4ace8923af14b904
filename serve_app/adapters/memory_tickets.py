"""Tickets in this process's memory: a fake for tests, under the same contract tests as SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from serve_app.adapters.system import utc_now
from serve_app.domain.errors import NotFound
from serve_app.domain.messages import Conversation
from serve_app.domain.packet import Packet
from serve_app.domain.tickets import Message, Numbered, Ticket, closed, key_of, not_claimable, with_reasons


@dataclass(slots=True)
class _File:
    ticket: Ticket
    packet: Packet
    changed_at: datetime
    messages: list[Numbered] = field(default_factory=list[Numbered])


class MemoryTickets:
    """The port `Tickets`. Nothing is awaited inside a change, so each is one transaction."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._files: dict[str, _File] = {}

    async def open(self, ticket: Ticket, packet: Packet) -> tuple[Ticket, bool]:
        """See the port."""
        found = self._open_of(ticket.tenant, ticket.session_id)
        if found is None:
            opened = replace(ticket, state=Conversation.QUEUED, changes=1)
            self._files[ticket.id] = _File(opened, packet, self._now())
            return opened, True
        reasons = with_reasons(found.ticket, ticket.reasons)
        return self._change(found, lambda old: replace(old, reasons=reasons)), False

    async def hear(self, tenant: str, session_id: str, customer_id: str | None, message: Message) -> Ticket | None:
        """See the port."""
        found = self._open_of(tenant, session_id)
        if found is None:
            return None
        heard = self._change(found, lambda old: replace(old, customer_id=old.customer_id or customer_id))
        self._add(found, message)
        return heard

    async def note(self, tenant: str, session_id: str, messages: Sequence[Message]) -> None:
        """See the port."""
        found = self._open_of(tenant, session_id)
        for message in messages if found is not None else ():
            assert found is not None
            self._change(found)
            self._add(found, message)

    async def claim(self, tenant: str, ticket_id: str, agent: str, joined: Message) -> Ticket:
        """See the port."""
        found = self._file(tenant, ticket_id)
        if found.ticket.state is not Conversation.QUEUED:
            raise not_claimable(found.ticket)
        return self._claim(found, agent, joined)

    async def reply(self, tenant: str, ticket_id: str, message: Message, joined: Message) -> Ticket:
        """See the port."""
        found = self._file(tenant, ticket_id)
        if not found.ticket.is_open:
            raise closed(found.ticket)
        if found.ticket.state is Conversation.QUEUED:
            self._claim(found, message.name, joined)
        replied = self._change(found)
        self._add(found, message)
        return replied

    async def close(self, tenant: str, ticket_id: str, note: str, ended: Message) -> Ticket:
        """See the port."""
        found = self._file(tenant, ticket_id)
        if not found.ticket.is_open:
            raise closed(found.ticket)
        done = self._change(found, lambda old: replace(old, state=Conversation.CLOSED, closed_at=ended.at, note=note))
        self._add(found, ended)
        return done

    async def read(self, tenant: str, ticket_id: str) -> tuple[Ticket, Packet, Sequence[Message]]:
        """See the port."""
        found = self._file(tenant, ticket_id)
        return found.ticket, found.packet, [one.message for one in found.messages]

    async def list(self, tenant: str, *, closed: bool = False, limit: int = 100) -> Sequence[Ticket]:
        """See the port."""
        mine = [file.ticket for file in self._files.values() if file.ticket.tenant == tenant]
        mine.sort(key=lambda ticket: (ticket.opened_at, ticket.id))
        return mine[-limit:] if closed else [ticket for ticket in mine if ticket.is_open][:limit]

    async def of_session(self, tenant: str, session_id: str) -> tuple[Ticket | None, Sequence[Message]]:
        """See the port."""
        files = [file for file in self._files.values() if (file.ticket.tenant, file.ticket.session_id) == (tenant, session_id)]
        return (files[-1].ticket if files else None), [one.message for file in files for one in file.messages]

    async def changed(self, since: datetime, open_since: datetime | None = None) -> Sequence[Ticket]:
        """See the port."""
        return [
            file.ticket
            for file in self._files.values()
            if file.changed_at >= since or (open_since is not None and file.changed_at >= open_since and file.ticket.is_open)
        ]

    async def messages(self, ticket_ids: Sequence[str]) -> Sequence[Numbered]:
        """See the port."""
        return [one for ticket_id in sorted(ticket_ids) for one in self._files[ticket_id].messages]

    def _file(self, tenant: str, ticket_id: str) -> _File:
        found = self._files.get(ticket_id)
        if found is None or found.ticket.tenant != tenant:
            raise NotFound(f"There is no ticket {ticket_id}.")
        return found

    def _open_of(self, tenant: str, session_id: str) -> _File | None:
        files = self._files.values()
        of_session = (file for file in files if (file.ticket.tenant, file.ticket.session_id) == (tenant, session_id))
        return next((file for file in of_session if file.ticket.is_open), None)

    def _claim(self, found: _File, agent: str, joined: Message) -> Ticket:
        claimed = self._change(found, lambda old: replace(old, state=Conversation.HUMAN, agent=agent, claimed_at=joined.at))
        self._add(found, joined)
        return claimed

    def _change(self, found: _File, how: Callable[[Ticket], Ticket] = lambda old: old) -> Ticket:
        found.ticket = how(replace(found.ticket, changes=found.ticket.changes + 1))
        found.changed_at = self._now()
        return found.ticket

    def _add(self, found: _File, message: Message) -> None:
        if all(key_of(one.message) != key_of(message) for one in found.messages):
            found.messages.append(Numbered(found.ticket.id, found.ticket.changes, message))
