"""How often what is asked, in the system of record. It names no customer."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import BigInteger, Column, Index, Integer, RowMapping, String, Table, Text, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serve_app.adapters.knowledge_tables import connection_to, instant_of, microseconds, upsert
from serve_app.adapters.record import metadata
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind, Language
from serve_app.domain.question_log import LOGGED_MAX, Asked

question_log = Table(
    "question_log",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("language", String(2), nullable=False),
    Column("canonical", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("intent", String(32), nullable=False),
    Column("tier", String(16), nullable=False),
    Column("sources", Text, nullable=False),  # ids, as JSON
    Column("count", Integer, nullable=False),
    Column("first_at_us", BigInteger, nullable=False),
    Column("last_at_us", BigInteger, nullable=False),
    Index("question_log_head", "tenant", "kind", "count"),
)
_log = question_log.c
# More than `most` by so much are pruned, so that not every new question prunes.
_SLACK = 1.1


class SqlQuestionLog:
    """The port `QuestionLog`. Its table is made by `record.create_tables`."""

    def __init__(self, engine: AsyncEngine, most: int = LOGGED_MAX) -> None:
        self._engine = engine
        self._most = most

    async def add(self, asked: Sequence[Asked]) -> None:
        """See the port."""
        if not asked:
            return
        # In one order, so that two processes never wait for each other's rows.
        rows = [_row(one) for one in sorted(asked, key=lambda one: (one.tenant, one.id))]
        async with connection_to(self._engine) as connection:
            new = upsert(connection, question_log)
            more = {"count": _log.count + new.excluded["count"]}
            more |= {name: new.excluded[name] for name in ("last_at_us", "tier", "sources")}
            await connection.execute(new.on_conflict_do_update(index_elements=["tenant", "id"], set_=more), rows)
            for tenant in sorted({one.tenant for one in asked}):
                await self._prune(connection, tenant)
            await connection.commit()

    async def head(
        self, tenant: str, limit: int, kind: Kind = Kind.PUBLIC, language: Language | None = None
    ) -> Sequence[Asked]:
        """See the port."""
        query = select(question_log).where(_log.tenant == tenant, _log.kind == kind)
        if language is not None:
            query = query.where(_log.language == language)
        query = query.order_by(_log["count"].desc(), _log.last_at_us.desc(), _log.id).limit(limit)
        async with connection_to(self._engine) as connection:
            return [_asked(row) for row in (await connection.execute(query)).mappings()]

    async def _prune(self, connection: AsyncConnection, tenant: str) -> None:
        its = _log.tenant == tenant
        held = (await connection.execute(select(func.count()).select_from(question_log).where(its))).scalar_one()
        if held <= self._most * _SLACK:
            return
        rarest = select(_log.id).where(its).order_by(_log["count"], _log.last_at_us, _log.id).limit(held - self._most)
        await connection.execute(delete(question_log).where(its, _log.id.in_(rarest)))
        await connection.execute(update(question_log).where(its).values(count=(_log["count"] + 1) // 2))


def _row(one: Asked) -> dict[str, object]:
    return {
        "tenant": one.tenant,
        "id": one.id,
        "kind": str(one.kind),
        "language": one.language,
        "canonical": one.canonical,
        "text": one.text,
        "intent": str(one.intent),
        "tier": one.tier,
        "sources": orjson.dumps(one.sources).decode(),
        "count": one.count,
        "first_at_us": microseconds(one.first_at),
        "last_at_us": microseconds(one.last_at),
    }


def _asked(row: RowMapping) -> Asked:
    return Asked(
        tenant=row["tenant"],
        kind=Kind(row["kind"]),
        language=row["language"],
        canonical=row["canonical"],
        text=row["text"],
        intent=Intent(row["intent"]),
        tier=row["tier"],
        sources=tuple(orjson.loads(row["sources"])),
        first_at=instant_of(row["first_at_us"]),
        last_at=instant_of(row["last_at_us"]),
        count=row["count"],
    )
