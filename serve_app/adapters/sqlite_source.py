"""A source of facts that is an SQL query to SQLite.

A lookup of one customer takes SQLite some twenty microseconds, so here the way to it decides what it costs: one change of
threads a lookup, on Python's own sqlite3, where SQLAlchemy's async engine makes seven.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import unquote

from cachetools import LRUCache
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL

from serve_app.adapters.sql_query import SqlQuery
from serve_app.domain.errors import SourceFailed

# Of so many combinations of its lists' lengths a query's text is kept.
TEXTS_KEPT = 64
# A text, the names of its values in their order, and of each list those of its items.
_Text = tuple[str, Sequence[str], Mapping[str, Sequence[str]]]


class SqliteSource:
    """`pool_size` connections at most, each opened when it is first needed."""

    def __init__(self, query: SqlQuery, url: URL, pool_size: int, pool_timeout_s: float) -> None:
        """Raises what SQLAlchemy says of a bad URL, and ValueError or TypeError."""
        # By position: SQLite looks for each name among all the others.
        dialect = SQLiteDialect_pysqlite(paramstyle="qmark")
        (self._database,), options = dialect.create_connect_args(url)
        self._options: dict[str, Any] = {**options, "isolation_level": None, "check_same_thread": False}
        self.name = query.source
        self.parameters = query.parameters
        self._query = query
        self._compiled = query.statement.compile(dialect=dialect)
        self._texts: LRUCache[tuple[int, ...], _Text] = LRUCache(TEXTS_KEPT)
        self._file = _file(url)
        self._free = asyncio.Semaphore(pool_size)
        self._pool_timeout_s = pool_timeout_s
        self._threads = ThreadPoolExecutor(pool_size, thread_name_prefix=f"source-{query.source}")
        self._changing = Lock()  # what follows
        self._idle: list[sqlite3.Connection] = []
        self._is_closed = False

    async def fetch(self, parameters: dict[str, Any]) -> Sequence[dict[str, Any]]:
        """See the port. A lookup that is cancelled is interrupted. SQLite's wait for another's lock on the database cannot be:
        it lasts its `timeout` (of the URL, else 5 s), and takes one of the pool's threads for as long."""
        await self._wait_for_its_turn()
        try:
            if self._is_closed:
                raise self.closed()
            used = self._query.used(parameters)
            lookup = _Lookup(self, *self._filled(used))
            try:
                columns, found = await asyncio.wrap_future(self._threads.submit(lookup.run))
            except asyncio.CancelledError:
                lookup.stop()
                raise
            except (sqlite3.Error, sqlite3.Warning, OSError, ValueError, OverflowError) as error:
                raise self._query.refused(error, used) from error
        finally:
            self._free.release()
        return self._query.rows(columns, found)

    async def close(self) -> None:
        """A lookup that is still under way closes its connection itself; one that has not begun fails."""
        with self._changing:
            self._is_closed = True
            idle, self._idle = self._idle, []
        self._threads.shutdown(wait=False)
        for connection in idle:
            connection.close()

    def closed(self) -> SourceFailed:
        return SourceFailed(self.name, "it is closed")

    async def _wait_for_its_turn(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._pool_timeout_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise self._query.in_use() from error

    def _filled(self, used: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
        """The text for lists of these lengths, and its values."""
        lengths = tuple(len(used[name]) for name in self._query.lists)
        text = self._texts.get(lengths)
        if text is None:
            expanded = self._compiled.construct_expanded_state(used)
            text = expanded.statement, expanded.positiontup or (), expanded.parameter_expansion
            self._texts[lengths] = text
        statement, order, items = text
        values = dict(used)
        for name, item_names in items.items():
            values.update(zip(item_names, used[name], strict=False))
        return statement, [values[name] for name in order]

    # In the pool's threads

    def take(self) -> sqlite3.Connection:
        """Raises SourceFailed, sqlite3.Error, OSError."""
        # Opening would make an empty file of a path that is wrong.
        if self._file is not None and not self._file.exists():
            raise SourceFailed(self.name, "its database file is not there")
        with self._changing:
            if self._is_closed:
                raise self.closed()
            if self._idle:
                return self._idle.pop()
        connection = sqlite3.connect(self._database, **self._options)
        # SQLite knows the operator, but leaves its function to the program.
        connection.create_function("regexp", 2, _regexp, deterministic=True)
        return connection

    def give_back(self, connection: sqlite3.Connection) -> None:
        with self._changing:
            if not self._is_closed:
                self._idle.append(connection)
                return
        connection.close()

    @property
    def rows_wanted(self) -> int:
        return self._query.rows_max + 1


class _Lookup:
    """One query in its thread, which may be stopped from another."""

    def __init__(self, source: SqliteSource, statement: str, values: Sequence[Any]) -> None:
        self._source = source
        self._statement = statement
        self._values = values
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_stopped = False

    def run(self) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The columns, and the rows. Raises SourceFailed, OSError, and what sqlite3 does."""
        connection = self._source.take()
        try:
            self._begin(connection)
            cursor = connection.execute(self._statement, self._values)
            found = cursor.fetchmany(self._source.rows_wanted)
            columns = [column[0] for column in cursor.description or ()]
            cursor.close()
        except BaseException:
            self._has_ended()
            connection.close()
            raise
        self._has_ended()
        self._source.give_back(connection)
        return columns, found

    def stop(self) -> None:
        """SQLite ends what it is at, but for a wait for a lock; a connection that others have meanwhile is left alone."""
        with self._lock:
            self._is_stopped = True
            if self._connection is not None:
                self._connection.interrupt()

    def _begin(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if self._is_stopped:
                raise sqlite3.OperationalError("it was stopped")
            self._connection = connection

    def _has_ended(self) -> None:
        with self._lock:
            self._connection = None


def _regexp(pattern: str, value: str | None) -> bool | None:
    return None if value is None else re.search(pattern, value) is not None


def _file(url: URL) -> Path | None:
    name = url.database
    if not name or name == ":memory:":
        return None
    return Path(unquote(name.removeprefix("file:")) if name.startswith("file:") else name)
