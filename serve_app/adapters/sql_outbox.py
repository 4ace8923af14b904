"""What a webhook is still to be told, in the system of record."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serve_app.adapters.record import metadata
from serve_app.adapters.ticket_rows import instant, microseconds, transaction
from serve_app.domain.tickets import Message, Ticket, TicketChange
from serve_app.domain.webhook import body_of
from serve_app.ports import Notice

# `due_at_us` NULL: given up. A row that was delivered is gone.
outbox = Table(
    "webhook_outbox",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("number", Integer, nullable=False),  # of the ticket's change
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("due_at_us", BigInteger, index=True),
    Column("reason", String(200), nullable=False),
)

# A notice that was given up stays as long as this, to be seen.
GIVEN_UP_KEPT = timedelta(days=30)
_MICROSECOND = timedelta(microseconds=1)

_NOTICE = (outbox.c.id, outbox.c.tenant, outbox.c.number, outbox.c.body, outbox.c.created_at_us, outbox.c.attempts)


class SqlOutbox:
    """The port `Outbox`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take(self, tenant: str, now: datetime, lease_s: float, limit: int = 10) -> Sequence[Notice]:
        """See the port. Taking counts as an attempt, so that a notice which ends its sender is not tried for ever."""
        due = outbox.c.due_at_us <= microseconds(now)
        chosen = (
            select(outbox.c.id)
            .where(due, outbox.c.tenant == tenant)
            .order_by(outbox.c.created_at_us, outbox.c.number)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taking = (
            update(outbox)
            .where(due, outbox.c.id.in_(chosen))
            .values(attempts=outbox.c.attempts + 1, due_at_us=microseconds(now + timedelta(seconds=lease_s)))
            .returning(*_NOTICE)
        )
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(taking)).all()
        rows = sorted(rows, key=lambda row: (row.created_at_us, row.number))
        return [Notice(row.id, row.tenant, row.body, instant(row.created_at_us), row.attempts) for row in rows]

    async def delivered(self, notice_id: str) -> None:
        """See the port."""
        async with transaction(self._engine) as connection:
            await connection.execute(delete(outbox).where(outbox.c.id == notice_id))

    async def failed(self, notice_id: str, reason: str, again_at: datetime | None) -> None:
        """See the port."""
        due = None if again_at is None else microseconds(again_at)
        change = update(outbox).where(outbox.c.id == notice_id).values(due_at_us=due, reason=reason[:200])
        async with transaction(self._engine) as connection:
            created = (await connection.execute(change.returning(outbox.c.created_at_us))).scalar_one_or_none()
            if due is None and created is not None:
                outlived = outbox.c.due_at_us.is_(None) & (outbox.c.created_at_us < created - GIVEN_UP_KEPT // _MICROSECOND)
                await connection.execute(delete(outbox).where(outlived))

    async def given_up(self, tenant: str, since: datetime) -> int:
        """See the port."""
        query = select(func.count()).where(
            outbox.c.tenant == tenant, outbox.c.due_at_us.is_(None), outbox.c.created_at_us >= microseconds(since)
        )
        async with transaction(self._engine) as connection:
            return (await connection.execute(query)).scalar_one()


async def put(connection: AsyncConnection, ticket: Ticket, change: TicketChange, message: Message | None, at: datetime) -> None:
    """Within the transaction that makes the change: there is no notice without a change, and no change without its notice."""
    row = {
        "id": f"evt_{secrets.token_urlsafe(16)}",
        "tenant": ticket.tenant,
        "number": ticket.changes,
        "body": body_of(change, ticket, message, at),
        "attempts": 0,
        "created_at_us": microseconds(at),
        "due_at_us": microseconds(at),
        "reason": "",
    }
    await connection.execute(insert(outbox).values(row))
