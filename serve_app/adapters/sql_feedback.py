"""Customers' feedback in the system of record."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import BigInteger, Column, RowMapping, String, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.knowledge_tables import connection_to, instant_of, microseconds, upsert
from serve_app.adapters.record import metadata
from serve_app.domain.feedback import Feedback

feedback_table = Table(
    "feedback",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("about", String(16), primary_key=True),
    Column("subject", String(128), primary_key=True),
    Column("session_id", String(128), nullable=False),
    Column("answer_id", String(128), nullable=False),
    Column("rating", String(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("source", String(16), nullable=False),
    Column("entry_ids", Text, nullable=False),  # a JSON list
    Column("given_at_us", BigInteger, nullable=False, index=True),
)


class SqlRatings:
    """The port `Ratings`. Its table is made by `record.create_tables`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, tenant: str, feedback: Feedback) -> None:
        """See the port."""
        values = {
            "session_id": feedback.session_id,
            "answer_id": feedback.answer_id,
            "rating": feedback.rating,
            "reason": feedback.reason,
            "question": feedback.question,
            "source": feedback.source,
            "entry_ids": orjson.dumps(feedback.entry_ids).decode(),
            "given_at_us": microseconds(feedback.given_at),
        }
        async with connection_to(self._engine) as connection:
            row = upsert(connection, feedback_table)
            row = row.values(tenant=tenant, about=feedback.about, subject=feedback.subject, **values)
            keys = ["tenant", "about", "subject"]
            await connection.execute(row.on_conflict_do_update(index_elements=keys, set_=values))
            await connection.commit()

    async def latest(self, tenant: str, limit: int) -> Sequence[Feedback]:
        """See the port."""
        table = feedback_table
        query = select(table).where(table.c.tenant == tenant).order_by(table.c.given_at_us.desc()).limit(limit)
        async with connection_to(self._engine) as connection:
            return [_feedback(row) for row in (await connection.execute(query)).mappings()]


def _feedback(row: RowMapping) -> Feedback:
    return Feedback(
        about=row["about"],
        session_id=row["session_id"],
        answer_id=row["answer_id"],
        rating=row["rating"],
        reason=row["reason"],
        question=row["question"],
        source=row["source"],
        entry_ids=tuple(orjson.loads(row["entry_ids"])),
        given_at=instant_of(row["given_at_us"]),
    )
