"""A source of facts that is an SQL query: SQLite and PostgreSQL, through SQLAlchemy's async engine."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import BindParameter, String, bindparam, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from serve_app.domain.errors import ConfigError, SourceFailed


class SqlSource:
    """Runs one query with its own bounded pool of connections; those that are in use are waited for."""

    def __init__(
        self,
        name: str,
        url: str,
        query: str,
        *,
        scalars: Collection[str],
        lists: Collection[str],
        columns: Collection[str] = (),
        pool_size: int = 8,
        pool_timeout_s: float = 1.0,
        rows_max: int = 1000,
    ) -> None:
        """`scalars` and `lists` name the parameters that there are; `columns` those that the result must have.

        Raises ConfigError: a bad URL, an unknown parameter.
        """
        self.name = name
        self._columns = frozenset(columns)
        self._rows_max = rows_max
        self._statement = text(_with_bare_lists(query, lists))
        self._used = frozenset(self._statement.compile().params)
        if unknown := self._used - {*scalars, *lists}:
            known = ", ".join(sorted({*scalars, *lists}))
            raise ConfigError(f"source {name}: query: unknown parameter :{', :'.join(sorted(unknown))}; there are {known}")
        self._statement = self._statement.bindparams(*(_expanding(each) for each in self._used & set(lists)))
        self._engine = _engine(name, url, pool_size, pool_timeout_s)

    async def fetch(self, parameters: dict[str, Any]) -> Sequence[dict[str, Any]]:
        used = {name: parameters[name] for name in self._used}
        try:
            async with self._engine.connect() as connection:
                result = await connection.execute(self._statement, used)
                columns = frozenset(result.keys())
                rows = [dict(row) for row in result.mappings().fetchmany(self._rows_max + 1)]
        except DBAPIError as error:
            raise SourceFailed(self.name, _reason(error, used)) from error
        except PoolTimeout as error:
            raise SourceFailed(self.name, "every connection of its pool is in use", "late") from error
        except (SQLAlchemyError, OSError) as error:
            raise SourceFailed(self.name, f"the database cannot be reached ({type(error).__name__})") from error
        if absent := sorted(self._columns - columns):
            raise SourceFailed(self.name, f"the query gives no column {', '.join(absent)}", "malformed")
        if len(rows) > self._rows_max:
            raise SourceFailed(self.name, f"more than {self._rows_max} rows: limit the query", "malformed")
        return rows

    async def close(self) -> None:
        await self._engine.dispose()


def _with_bare_lists(query: str, lists: Collection[str]) -> str:
    """`IN (:ids)` as `IN :ids`: the parentheses come with the expansion."""
    return re.sub(rf"\(\s*:({'|'.join(map(re.escape, lists))})\s*\)", r":\1", query) if lists else query


def _expanding(name: str) -> BindParameter[str]:
    return bindparam(name, expanding=True, type_=String())


def _engine(name: str, url: str, pool_size: int, pool_timeout_s: float) -> AsyncEngine:
    try:
        parsed = make_url(url)
        return create_async_engine(
            parsed,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout_s,
            # One statement that reads needs no transaction, and so no further round trips.
            isolation_level="AUTOCOMMIT",
            # A connection that the database has closed is replaced before it is used.
            pool_pre_ping=parsed.get_backend_name() != "sqlite",
            hide_parameters=True,
        )
    except (ArgumentError, NoSuchModuleError, ImportError, TypeError) as error:
        reason = "it wants sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME"
        raise ConfigError(f"source {name}: url: this is no address of a database: {reason}") from error


def _reason(error: DBAPIError, parameters: Mapping[str, Any]) -> str:
    """The database's own words, without the query and without any value that was asked for."""
    lines = str(error.orig).strip().splitlines()
    words = re.sub(r"<class '[^']*'>: ", "", lines[0])[:200] if lines else type(error).__name__
    values = [each for value in parameters.values() for each in ([value] if isinstance(value, str) else _items(value))]
    for value in values:
        words = words.replace(value, "…") if value else words
    return words


def _items(value: Any) -> list[str]:
    return [str(each) for each in cast(Sequence[Any], value)] if isinstance(value, list | tuple) else []
