"""What a lookup in SQLite meets when its source is closed, or when the file's name cannot even be looked up."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from serve_app.adapters.sql_query import SqlQuery
from serve_app.adapters.sqlite_source import SqliteSource
from serve_app.domain.errors import SourceFailed

ASKED: dict[str, Any] = {"customer_id": "C1"}


def source(file: Path, pool_size: int = 1) -> SqliteSource:
    query = SqlQuery("orders", "SELECT id FROM orders WHERE owner = :customer_id", scalars={"customer_id": str}, lists=())
    return SqliteSource(query, make_url(f"sqlite+aiosqlite:///{file}"), pool_size, pool_timeout_s=10)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "orders.db"
    with sqlite3.connect(made) as connection:
        connection.execute("CREATE TABLE orders (id TEXT, owner TEXT)")
        connection.execute("INSERT INTO orders VALUES ('A1', 'C1')")
    connection.close()
    return made


async def test_a_closed_source_says_so(file: Path) -> None:
    orders = source(file)
    assert await orders.fetch(ASKED) == [{"id": "A1"}]
    await orders.close()
    with pytest.raises(SourceFailed, match="closed"):
        await orders.fetch(ASKED)


async def test_lookups_that_wait_when_the_source_is_closed_fail_with_it(file: Path) -> None:
    orders = source(file)
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    # The one that is given up still waits for the lock in the only thread, the second for the thread, the third for its turn.
    given_up = asyncio.create_task(orders.fetch(ASKED))
    await asyncio.sleep(0.05)
    given_up.cancel()
    await asyncio.wait([given_up])
    waiting = [asyncio.create_task(orders.fetch(ASKED)) for _ in range(2)]
    await asyncio.sleep(0)
    await orders.close()
    writer.close()
    for reply in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(reply, SourceFailed)
        assert "closed" in reply.reason


async def test_a_file_that_cannot_be_looked_up_is_a_source_that_is_down(tmp_path: Path) -> None:
    orders = source(tmp_path / ("x" * 300))
    with pytest.raises(SourceFailed) as caught:
        await orders.fetch(ASKED)
    assert caught.value.state == "down"
    await orders.close()
