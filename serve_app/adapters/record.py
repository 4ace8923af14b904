"""The system of record: one SQL database, SQLite on one machine or PostgreSQL in a cluster."""

from __future__ import annotations

import importlib
from pathlib import Path

from sqlalchemy import Connection, MetaData, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateIndex

from serve_app.domain.errors import StoreFailed

# Every table of the record hangs on this; each is defined beside the adapter that uses it.
metadata = MetaData()
# The modules that define them. They import this one, so they are imported when the tables are made.
TABLES = (
    "sql_aside",
    "sql_feedback",
    "sql_jobs",
    "sql_keys",
    "sql_knowledge",
    "sql_outbox",
    "sql_proposals",
    "sql_question_log",
    "sql_scaling",
    "ticket_rows",
)

# Any number that nothing else in the database locks.
TABLES_LOCK = 0x5A57


def connect(url: str, pool_size: int = 4) -> AsyncEngine:
    """An engine for the record at `url` (`sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`)."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(parsed, pool_size=pool_size, pool_pre_ping=True)
    if parsed.database:
        # Transcripts stand in it.
        Path(parsed.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_async_engine(parsed)

    @event.listens_for(engine.sync_engine, "connect")
    def _several_processes(  # pyright: ignore[reportUnusedFunction]
        connection: DBAPIConnection, _record: object
    ) -> None:
        # Readers go on while one process writes, and writers wait for each other instead of failing.
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA busy_timeout=5000")
        cursor.close()

    return engine


async def create_tables(engine: AsyncEngine) -> None:
    """Makes the tables that are missing. Several processes may do it at once."""
    for module in TABLES:
        importlib.import_module(f"serve_app.adapters.{module}")
    async with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Between the look for a table and its making there must be nobody else.
            await connection.execute(select(func.pg_advisory_xact_lock(TABLES_LOCK)))
        await connection.run_sync(_create)


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    # A table that an earlier version made has none of the indices that were thought of since.
    for table in metadata.sorted_tables:
        for index in table.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))


async def ensure_tables(engine: AsyncEngine) -> None:
    """The same for a server that starts on a record which an earlier version made. Raises StoreFailed."""
    try:
        await create_tables(engine)
    except (SQLAlchemyError, OSError) as error:
        raise StoreFailed(f"the record's tables cannot be made ({type(error).__name__})") from error
