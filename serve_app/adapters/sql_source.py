"""A source of facts that is an SQL query: SQLite and PostgreSQL, through SQLAlchemy's async engine."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from sqlalchemy import BigInteger, BindParameter, String, bindparam, text
from sqlalchemy.engine import URL, make_url
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
        scalars: Mapping[str, type[str] | type[int]],
        lists: Collection[str],
        columns: Collection[str] = (),
        pool_size: int = 8,
        pool_timeout_s: float = 1.0,
        rows_max: int = 1000,
    ) -> None:
        """`scalars` and `lists` (of text) name the parameters that there are; `columns` those that the result must have.

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
        self.parameters = self._used
        typed = [_bound(each, str if each in lists else scalars[each], is_list=each in lists) for each in self._used]
        self._statement = self._statement.bindparams(*typed)
        self._engine = _engine(name, url, pool_size, pool_timeout_s)
        self._file = _sqlite_file(self._engine.url)

    async def fetch(self, parameters: dict[str, Any]) -> Sequence[dict[str, Any]]:
        used = {name: parameters[name] for name in self._used}
        if self._file is not None and not _exists(self._file):
            raise SourceFailed(self.name, "its database file is not there")
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


def _bound(name: str, kind: type[str] | type[int], *, is_list: bool) -> BindParameter[Any]:
    """Typed: else PostgreSQL would guess a type from the query, and refuse the text in `CAST(:customer_id AS INTEGER)`."""
    return bindparam(name, expanding=is_list, type_=BigInteger() if kind is int else String())


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


def _sqlite_file(url: URL) -> Path | None:
    """Looked for before every connection: opening would make an empty file of a path that is wrong."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    name = url.database
    return Path(unquote(name.removeprefix("file:")) if name.startswith("file:") else name)


def _exists(path: Path) -> bool:
    return path.exists()


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
