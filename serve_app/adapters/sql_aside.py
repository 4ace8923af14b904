"""What is set aside, in the system of record. It names no customer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, Integer, RowMapping, String, Table, Text, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serve_app.adapters.knowledge_tables import connection_to, instant_of, microseconds, upsert
from serve_app.adapters.record import metadata
from serve_app.domain.aside import NOT_SAID, SET_ASIDE_MAX, Complaint, Decision, SetAside, State, after, decided

aside = Table(
    "answers_set_aside",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(160), primary_key=True),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("source", String(16), nullable=False),
    Column("entry_ids", Text, nullable=False),  # a JSON list
    Column("model", Text),
    Column("state", String(16), nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_at_us", BigInteger, nullable=False),
    Column("last_at_us", BigInteger, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at_us", BigInteger),
)
# A tenant's counter of changes, and the row that its writers lock: so no change is missed by one who reads the counter first.
counters = Table(
    "answers_set_aside_versions",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
)


class SqlSetAsides:
    """The port `SetAsides`. Its tables are made by `record.create_tables`."""

    def __init__(self, engine: AsyncEngine, most: int = SET_ASIDE_MAX) -> None:
        self._engine = engine
        self._most = most

    async def complain(self, tenant: str, complaint: Complaint) -> bool:
        """See the port."""
        async with connection_to(self._engine) as connection:
            await _lock(connection, tenant)
            known = await _find(connection, tenant, complaint.id)
            if known is None and not await self._make_room(connection, tenant):
                return False
            await _keep(connection, tenant, after(complaint, known))
            await connection.commit()
        return True

    async def version(self, tenant: str) -> int:
        """See the port."""
        query = select(counters.c.version).where(counters.c.tenant == tenant)
        async with connection_to(self._engine) as connection:
            return (await connection.execute(query)).scalar_one_or_none() or 0

    async def not_said(self, tenant: str) -> frozenset[str]:
        """See the port."""
        query = select(aside.c.id).where(aside.c.tenant == tenant, aside.c.state.in_(NOT_SAID))
        async with connection_to(self._engine) as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def list(self, tenant: str, states: Collection[State], limit: int) -> Sequence[SetAside]:
        """See the port."""
        query = select(aside).where(aside.c.tenant == tenant, aside.c.state.in_(states))
        query = query.order_by(aside.c["count"].desc(), aside.c.id).limit(limit)
        async with connection_to(self._engine) as connection:
            return [_set_aside(row) for row in (await connection.execute(query)).mappings()]

    async def find(self, tenant: str, aside_id: str) -> SetAside | None:
        """See the port."""
        async with connection_to(self._engine) as connection:
            return await _find(connection, tenant, aside_id)

    async def decide(self, tenant: str, aside_id: str, decision: Decision, by: str, now: datetime) -> SetAside:
        """See the port."""
        async with connection_to(self._engine) as connection:
            await _lock(connection, tenant)
            row = decided(await _find(connection, tenant, aside_id), aside_id, decision, by, now)
            await _keep(connection, tenant, row)
            await connection.commit()
        return row

    async def _make_room(self, connection: AsyncConnection, tenant: str) -> bool:
        """Whether there is room for a new row."""
        mine = aside.c.tenant == tenant
        if (await connection.execute(select(func.count()).where(mine))).scalar_one() < self._most:
            return True
        oldest = select(aside.c.id).where(mine, aside.c.state == "restored").order_by(aside.c.last_at_us, aside.c.id).limit(1)
        gone = delete(aside).where(mine, aside.c.id == oldest.scalar_subquery())
        return (await connection.execute(gone)).rowcount == 1


async def _lock(connection: AsyncConnection, tenant: str) -> None:
    """Counts a change; the tenant's writers come one after the other until each commits."""
    row = upsert(connection, counters).values(tenant=tenant, version=1)
    more = {"version": counters.c.version + 1}
    await connection.execute(row.on_conflict_do_update(index_elements=["tenant"], set_=more))


async def _find(connection: AsyncConnection, tenant: str, aside_id: str) -> SetAside | None:
    query = select(aside).where(aside.c.tenant == tenant, aside.c.id == aside_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _set_aside(row)


async def _keep(connection: AsyncConnection, tenant: str, row: SetAside) -> None:
    values: dict[str, Any] = asdict(row)
    for name in ("first_at", "last_at", "decided_at"):
        instant = values.pop(name)
        values[f"{name}_us"] = None if instant is None else microseconds(instant)
    values |= {"tenant": tenant, "entry_ids": orjson.dumps(row.entry_ids).decode()}
    inserted = upsert(connection, aside).values(values)
    await connection.execute(inserted.on_conflict_do_update(index_elements=["tenant", "id"], set_=values))


def _set_aside(row: RowMapping) -> SetAside:
    return SetAside(
        id=row["id"],
        question=row["question"],
        answer=row["answer"],
        source=row["source"],
        entry_ids=tuple(orjson.loads(row["entry_ids"])),
        model=row["model"],
        state=row["state"],
        count=row["count"],
        first_at=instant_of(row["first_at_us"]),
        last_at=instant_of(row["last_at_us"]),
        decided_by=row["decided_by"],
        decided_at=None if row["decided_at_us"] is None else instant_of(row["decided_at_us"]),
    )
