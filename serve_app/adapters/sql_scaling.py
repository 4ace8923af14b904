"""The scaling policy in the system of record."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Column, Date, DateTime, Float, Integer, RowMapping, String, Table, Text, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serve_app.adapters.record import metadata
from serve_app.domain.errors import NotFound, StoreFailed
from serve_app.domain.scaling import Spent
from serve_app.ports import PolicyEdit

# Each try is lost only to a writer that has just written.
WRITE_TRIES = 20

scaling_policies = Table(
    "scaling_policies",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("applied_at", DateTime(timezone=True), nullable=False),
    Column("by", String, nullable=False),
    Column("note", String, nullable=False),
    Column("state", String(8), nullable=False),  # applied or refused
    Column("reason", Text, nullable=False),  # of a refusal
)


scaling_spent = Table(
    "scaling_spent",
    metadata,
    Column("day", Date, primary_key=True),  # UTC
    Column("gpu_hours", Float, nullable=False),
)


class SqlScaling:
    """The port `ScalingRecord`. Its tables are made by `record.create_tables`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, text: str, by: str, now: datetime, *, note: str = "", refused: str | None = None) -> PolicyEdit:
        """See the port."""
        edit = PolicyEdit(0, _storable(text), now.astimezone(UTC), _storable(by), _storable(note), refused)
        row = {
            "text": edit.text,
            "applied_at": edit.applied_at,
            "by": edit.by,
            "note": edit.note,
            "state": "applied" if refused is None else "refused",
            "reason": _storable(refused or ""),
        }
        for _ in range(WRITE_TRIES):
            try:
                async with self._transaction() as connection:
                    version = await _latest(connection) + 1
                    await connection.execute(insert(scaling_policies).values(version=version, **row))
            except IntegrityError:
                continue
            return replace(edit, version=version)
        raise StoreFailed("the scaling policy could not be written: too many write it at once")

    async def latest(self) -> int:
        """See the port."""
        async with self._transaction() as connection:
            return await _latest(connection)

    async def history(self, limit: int = 50, *, applied_only: bool = False) -> Sequence[PolicyEdit]:
        """See the port."""
        query = select(scaling_policies).order_by(scaling_policies.c.version.desc()).limit(limit)
        if applied_only:
            query = query.where(scaling_policies.c.state == "applied")
        async with self._transaction() as connection:
            return tuple(map(_edit, (await connection.execute(query)).mappings()))

    async def edit(self, version: int) -> PolicyEdit:
        """See the port."""
        query = select(scaling_policies).where(scaling_policies.c.version == version)
        async with self._transaction() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"There is no version {version} of the scaling policy; `show --history` lists those that there are.")
        return _edit(row)

    async def spent(self) -> Spent | None:
        """See the port."""
        query = select(scaling_spent).order_by(scaling_spent.c.day.desc()).limit(1)
        async with self._transaction() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else Spent(row["day"], row["gpu_hours"])

    async def spend(self, spent: Spent) -> None:
        """See the port."""
        table = scaling_spent
        more = (
            update(table).where(table.c.day == spent.day, table.c.gpu_hours < spent.gpu_hours).values(gpu_hours=spent.gpu_hours)
        )
        try:
            async with self._transaction() as connection:
                if not (await connection.execute(more)).rowcount:
                    await connection.execute(insert(table).values(day=spent.day, gpu_hours=spent.gpu_hours))
        except IntegrityError:
            # The day was written down before: with as much, or a moment ago with less.
            async with self._transaction() as connection:
                await connection.execute(more)

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise StoreFailed(f"the record of the scaling policy does not answer ({type(error).__name__})") from error


async def _latest(connection: AsyncConnection) -> int:
    return (await connection.execute(select(func.max(scaling_policies.c.version)))).scalar_one_or_none() or 0


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL, and neither store keeps half a surrogate pair; both can stand in an edit that is refused."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def _edit(row: RowMapping) -> PolicyEdit:
    at: datetime = row["applied_at"]
    return PolicyEdit(
        version=row["version"],
        text=row["text"],
        # SQLite forgets the time zone of what was written in UTC.
        applied_at=at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC),
        by=row["by"],
        note=row["note"],
        refused=row["reason"] if row["state"] == "refused" else None,
    )
