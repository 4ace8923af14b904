"""Tickets in the system of record.

Every transaction that changes a ticket begins with an update of its row, which counts its changes. So changes of one ticket
come one after the other, SQLite holds its write lock before anything is read, and a message's number says where it stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serve_app.adapters import sql_outbox
from serve_app.adapters.system import utc_now
from serve_app.adapters.ticket_rows import (
    TICKET,
    insert_into,
    message_row,
    microseconds,
    numbered_of,
    ticket_messages,
    ticket_of,
    ticket_row,
    tickets,
    transaction,
)
from serve_app.domain.errors import NotFound, StoreFailed
from serve_app.domain.messages import Conversation
from serve_app.domain.packet import Packet
from serve_app.domain.tickets import Message, Numbered, Ticket, TicketChange, closed, not_claimable, with_reasons

_PACKET = TypeAdapter(Packet)


class SqlTickets:
    """The port `Tickets`. What happens to tickets of the tenants in `hooked` is put into the outbox, too."""

    def __init__(self, engine: AsyncEngine, hooked: Collection[str] = (), now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._hooked = frozenset(hooked)
        self._now = now
        # SQLite's writers poll for the lock, so that under load some wait for ever: those of one process take turns.
        self._turn = asyncio.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    async def open(self, ticket: Ticket, packet: Packet) -> tuple[Ticket, bool]:
        """See the port."""
        row = ticket_row(ticket) | {"packet": orjson.dumps(packet).decode(), "open_session": ticket.session_id, "changes": 1}
        row["changed_at_us"] = microseconds(self._now())
        async with self._changing() as connection:
            # The one that is open may be closed between the two steps.
            for _ in range(3):
                made = await connection.execute(insert_into(connection, tickets).values(row).on_conflict_do_nothing())
                if made.rowcount == 1:
                    opened = ticket_of(row)
                    await self._tell(connection, opened, TicketChange.OPENED, None, ticket.opened_at)
                    return opened, True
                found = await self._change(connection, _is_open(ticket.tenant, ticket.session_id))
                if found is not None:
                    return await _with_reasons(connection, found, ticket.reasons), False
        raise StoreFailed("a ticket was opened and closed again and again")

    async def hear(self, tenant: str, session_id: str, customer_id: str | None, message: Message) -> Ticket | None:
        """See the port."""
        async with self._changing() as connection:
            found = await self._change(
                connection,
                _is_open(tenant, session_id),
                customer_id=func.coalesce(tickets.c.customer_id, customer_id),
            )
            if found is None:
                return None
            if await _add(connection, found, message) and found.state is Conversation.HUMAN:
                await self._tell(connection, found, TicketChange.MESSAGE, message, message.at)
            return found

    async def note(self, tenant: str, session_id: str, messages: Sequence[Message]) -> None:
        """See the port."""
        async with self._changing() as connection:
            for message in messages:
                found = await self._change(connection, _is_open(tenant, session_id))
                if found is None:
                    return
                await _add(connection, found, message)

    async def claim(self, tenant: str, ticket_id: str, agent: str, joined: Message) -> Ticket:
        """See the port."""
        async with self._changing() as connection:
            claimed = await self._claim(connection, tenant, ticket_id, agent, joined)
            if claimed is None:
                raise not_claimable(await _found(connection, tenant, ticket_id))
            return claimed

    async def reply(self, tenant: str, ticket_id: str, message: Message, joined: Message) -> Ticket:
        """See the port."""
        async with self._changing() as connection:
            await self._claim(connection, tenant, ticket_id, message.name, joined)
            is_human = tickets.c.state == Conversation.HUMAN
            found = await self._change(connection, _is(tenant, ticket_id) & is_human)
            if found is None:
                raise closed(await _found(connection, tenant, ticket_id))
            if await _add(connection, found, message):
                await self._tell(connection, found, TicketChange.REPLIED, message, message.at)
            return found

    async def close(self, tenant: str, ticket_id: str, note: str, ended: Message) -> Ticket:
        """See the port."""
        async with self._changing() as connection:
            done = await self._change(
                connection,
                _is(tenant, ticket_id) & tickets.c.open_session.is_not(None),
                state=Conversation.CLOSED,
                open_session=None,
                closed_at_us=microseconds(ended.at),
                note=note,
            )
            if done is None:
                raise closed(await _found(connection, tenant, ticket_id))
            await _add(connection, done, ended)
            await self._tell(connection, done, TicketChange.CLOSED, None, ended.at)
            return done

    async def read(self, tenant: str, ticket_id: str) -> tuple[Ticket, Packet, Sequence[Message]]:
        """See the port."""
        async with transaction(self._engine) as connection:
            ticket = await _found(connection, tenant, ticket_id)
            packet = (await connection.execute(select(tickets.c.packet).where(_is(tenant, ticket_id)))).scalar_one()
            said = await _messages(connection, ticket_messages.c.ticket_id == ticket_id)
        return ticket, _PACKET.validate_json(packet), [one.message for one in said]

    async def list(self, tenant: str, *, closed: bool = False, limit: int = 100) -> Sequence[Ticket]:
        """See the port."""
        query = select(*TICKET).where(tickets.c.tenant == tenant)
        if not closed:
            query = query.where(tickets.c.open_session.is_not(None)).order_by(tickets.c.opened_at_us, tickets.c.id)
            return await self._select(query.limit(limit))
        return (await self._select(query.order_by(tickets.c.opened_at_us.desc(), tickets.c.id.desc()).limit(limit)))[::-1]

    async def of_session(self, tenant: str, session_id: str) -> tuple[Ticket | None, Sequence[Message]]:
        """See the port."""
        of_session = (tickets.c.tenant == tenant) & (tickets.c.session_id == session_id)
        async with transaction(self._engine) as connection:
            rows = await connection.execute(select(*TICKET).where(of_session).order_by(tickets.c.opened_at_us))
            found = [ticket_of(row) for row in rows.mappings()]
            if not found:
                return None, ()
            said = await _messages(connection, ticket_messages.c.ticket_id.in_([ticket.id for ticket in found]))
        order = {ticket.id: place for place, ticket in enumerate(found)}
        said = sorted(said, key=lambda one: (order[one.ticket_id], one.number))
        return found[-1], [one.message for one in said]

    async def changed(self, since: datetime, open_since: datetime | None = None) -> Sequence[Ticket]:
        """See the port."""
        wanted = tickets.c.changed_at_us >= microseconds(since)
        if open_since is not None:
            is_open = tickets.c.open_session.is_not(None)
            wanted = or_(wanted, and_(is_open, tickets.c.changed_at_us >= microseconds(open_since)))
        return await self._select(select(*TICKET).where(wanted))

    async def messages(self, ticket_ids: Sequence[str]) -> Sequence[Numbered]:
        """See the port."""
        async with transaction(self._engine) as connection:
            return await _messages(connection, ticket_messages.c.ticket_id.in_(ticket_ids))

    @asynccontextmanager
    async def _changing(self) -> AsyncGenerator[AsyncConnection]:
        async with self._turn, transaction(self._engine) as connection:
            yield connection

    async def _select(self, query: Any) -> list[Ticket]:
        async with transaction(self._engine) as connection:
            return [ticket_of(row) for row in (await connection.execute(query)).mappings()]

    async def _claim(
        self, connection: AsyncConnection, tenant: str, ticket_id: str, agent: str, joined: Message
    ) -> Ticket | None:
        """The ticket, if it was waiting."""
        claimed = await self._change(
            connection,
            _is(tenant, ticket_id) & (tickets.c.state == Conversation.QUEUED),
            state=Conversation.HUMAN,
            agent=agent,
            claimed_at_us=microseconds(joined.at),
        )
        if claimed is not None:
            await _add(connection, claimed, joined)
            await self._tell(connection, claimed, TicketChange.CLAIMED, None, joined.at)
        return claimed

    async def _change(self, connection: AsyncConnection, where: ColumnElement[bool], **values: Any) -> Ticket | None:
        """Counts one more change of the ticket, which from now on is this transaction's alone; None when there is none such."""
        now_us = microseconds(self._now())
        counted = update(tickets).where(where).values(changes=tickets.c.changes + 1, changed_at_us=now_us, **values)
        row = (await connection.execute(counted.returning(*TICKET))).mappings().one_or_none()
        return None if row is None else ticket_of(row)

    async def _tell(
        self, connection: AsyncConnection, ticket: Ticket, change: TicketChange, message: Message | None, at: datetime
    ) -> None:
        if ticket.tenant in self._hooked:
            await sql_outbox.put(connection, ticket, change, message, at)


async def _with_reasons(connection: AsyncConnection, ticket: Ticket, more: Sequence[str]) -> Ticket:
    reasons = with_reasons(ticket, more)
    change = update(tickets).where(tickets.c.id == ticket.id).values(reasons=orjson.dumps(reasons).decode())
    row = (await connection.execute(change.returning(*TICKET))).mappings().one()
    return ticket_of(row)


async def _add(connection: AsyncConnection, ticket: Ticket, message: Message) -> bool:
    """False when the ticket has it already."""
    added = await connection.execute(
        insert_into(connection, ticket_messages).values(message_row(ticket, message)).on_conflict_do_nothing()
    )
    return added.rowcount == 1


async def _found(connection: AsyncConnection, tenant: str, ticket_id: str) -> Ticket:
    row = (await connection.execute(select(*TICKET).where(_is(tenant, ticket_id)))).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no ticket {ticket_id}.")
    return ticket_of(row)


async def _messages(connection: AsyncConnection, where: ColumnElement[bool]) -> list[Numbered]:
    query = select(ticket_messages).where(where).order_by(ticket_messages.c.ticket_id, ticket_messages.c.number)
    return [numbered_of(row) for row in (await connection.execute(query)).mappings()]


def _is(tenant: str, ticket_id: str) -> ColumnElement[bool]:
    return (tickets.c.tenant == tenant) & (tickets.c.id == ticket_id)


def _is_open(tenant: str, session_id: str) -> ColumnElement[bool]:
    return (tickets.c.tenant == tenant) & (tickets.c.open_session == session_id)
