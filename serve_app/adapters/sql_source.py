"""A source of facts that is an SQL query: PostgreSQL, through SQLAlchemy's async engine, and SQLite (`SqliteSource`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from serve_app.adapters.sql_query import SqlQuery
from serve_app.adapters.sqlite_source import SqliteSource
from serve_app.domain.errors import ConfigError, SourceFailed


def sql_source(query: SqlQuery, url: str, *, pool_size: int = 8, pool_timeout_s: float = 1.0) -> SqlSource | SqliteSource:
    """Runs `query` with its own bounded pool of connections; those that are in use are waited for.

    Raises ConfigError for a bad URL.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return SqliteSource(query, parsed, pool_size, pool_timeout_s)
        return SqlSource(query, _engine(parsed, pool_size, pool_timeout_s))
    except (ArgumentError, NoSuchModuleError, ImportError, TypeError, ValueError) as error:
        reason = "it wants sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME"
        raise ConfigError(f"source {query.source}: url: this is no address of a database: {reason}") from error


def _engine(url: URL, pool_size: int, pool_timeout_s: float) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout_s,
        # One statement that reads needs no transaction, and so no further round trips.
        isolation_level="AUTOCOMMIT",
        # A connection that the database has closed is replaced before it is used.
        pool_pre_ping=True,
        hide_parameters=True,
    )


class SqlSource:
    """A query to a server."""

    def __init__(self, query: SqlQuery, engine: AsyncEngine) -> None:
        self.name = query.source
        self.parameters = query.parameters
        self._query = query
        self._engine = engine

    async def fetch(self, parameters: dict[str, Any]) -> Sequence[dict[str, Any]]:
        query = self._query
        used = query.used(parameters)
        try:
            async with self._engine.connect() as connection:
                result = await connection.execute(query.statement, used)
                columns, found = list(result.keys()), result.fetchmany(query.rows_max + 1)
        except DBAPIError as error:
            raise query.refused(error.orig or error, used) from error
        except PoolTimeout as error:
            raise query.in_use() from error
        except (SQLAlchemyError, OSError) as error:
            raise SourceFailed(self.name, f"the database cannot be reached ({type(error).__name__})") from error
        return query.rows(columns, found)

    async def close(self) -> None:
        await self._engine.dispose()
