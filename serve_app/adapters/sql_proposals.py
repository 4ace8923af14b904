"""Proposed variants in the system of record. They name no customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, RowMapping, String, Table, Text, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.knowledge_tables import connection_to, instant_of, microseconds, upsert
from serve_app.adapters.record import metadata
from serve_app.domain.proposals import PROPOSED_MAX, Proposal, State, Variant, proposal_id

proposals = Table(
    "knowledge_proposals",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(32), primary_key=True),
    Column("entry_id", String(128), nullable=False),
    Column("language", String(2), nullable=False),
    Column("text", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_seen_us", BigInteger, nullable=False),
    Column("last_seen_us", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at_us", BigInteger),
)


class SqlProposals:
    """The port `Proposals`. Its table is made by `record.create_tables`."""

    def __init__(self, engine: AsyncEngine, most: int = PROPOSED_MAX) -> None:
        self._engine = engine
        self._most = most

    async def keep(self, tenant: str, variant: Variant, now: datetime) -> None:
        """See the port."""
        now_us = microseconds(now)
        known = (proposals.c.tenant == tenant) & (proposals.c.id == proposal_id(variant))
        waiting = (proposals.c.tenant == tenant) & (proposals.c.state == "proposed")
        is_new = ~select(proposals.c.id).where(known).exists()
        is_full = select(func.count()).where(waiting).scalar_subquery() >= self._most
        async with connection_to(self._engine) as connection:
            if (await connection.execute(select(is_new & is_full))).scalar_one():
                return
            row = upsert(connection, proposals).values(
                tenant=tenant,
                id=proposal_id(variant),
                entry_id=variant.entry_id,
                language=variant.language,
                text=variant.text,
                count=1,
                first_seen_us=now_us,
                last_seen_us=now_us,
                state="proposed",
                decided_by="",
            )
            more = {"count": proposals.c["count"] + 1, "last_seen_us": now_us}
            await connection.execute(row.on_conflict_do_update(index_elements=["tenant", "id"], set_=more))
            await connection.commit()

    async def list(self, tenant: str, state: State, limit: int) -> Sequence[Proposal]:
        """See the port."""
        query = select(proposals).where(proposals.c.tenant == tenant, proposals.c.state == state)
        query = query.order_by(proposals.c["count"].desc(), proposals.c.id).limit(limit)
        async with connection_to(self._engine) as connection:
            return [_proposal(row) for row in (await connection.execute(query)).mappings()]

    async def find(self, tenant: str, proposal_id: str) -> Proposal | None:
        """See the port."""
        query = select(proposals).where(proposals.c.tenant == tenant, proposals.c.id == proposal_id)
        async with connection_to(self._engine) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _proposal(row)

    async def decide(self, tenant: str, proposal_id: str, state: State, by: str, now: datetime) -> None:
        """See the port."""
        change = update(proposals).where(proposals.c.tenant == tenant, proposals.c.id == proposal_id)
        async with connection_to(self._engine) as connection:
            await connection.execute(change.values(state=state, decided_by=by, decided_at_us=microseconds(now)))
            await connection.commit()


def _proposal(row: RowMapping) -> Proposal:
    return Proposal(
        row["id"],
        Variant(row["entry_id"], row["language"], row["text"]),
        row["count"],
        instant_of(row["first_seen_us"]),
        instant_of(row["last_seen_us"]),
        row["state"],
        row["decided_by"],
        None if row["decided_at_us"] is None else instant_of(row["decided_at_us"]),
    )
