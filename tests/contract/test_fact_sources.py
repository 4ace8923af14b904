"""What every source of facts does, whatever it is made of: SQLite, PostgreSQL, HTTP, and the fake."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from serve_app.adapters.http_source import HttpSource
from serve_app.adapters.sql_query import SqlQuery
from serve_app.adapters.sql_source import SqlSource, sql_source
from serve_app.adapters.sqlite_source import SqliteSource
from serve_app.adapters.static_source import StaticSource
from serve_app.domain.errors import ConfigError, SourceFailed
from serve_app.ports import FactSource
from tests.contract.http_server import Service, serving

ORDERS = [
    {"id": "A1", "owner": "C1", "total": 100},
    {"id": "A2", "owner": "C1", "total": 200},
    {"id": "B1", "owner": "C2", "total": 300},
]
SCALARS: dict[str, type[str] | type[int]] = {"customer_id": str, "open_limit": int}
LISTS = ("order_ids", "order_tails")
QUERY = (
    "SELECT id, owner, total FROM orders WHERE owner = :customer_id AND (total > :open_limit OR id IN :order_ids) ORDER BY id"
)


def asked(customer_id: str = "C1", open_limit: int = 0, order_ids: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"customer_id": customer_id, "open_limit": open_limit, "order_ids": list(order_ids), "order_tails": []}


def wanted(customer_id: str, open_limit: int, order_ids: list[str]) -> list[dict[str, Any]]:
    return [row for row in ORDERS if row["owner"] == customer_id and (row["total"] > open_limit or row["id"] in order_ids)]


def sql(
    url: str, query: str = QUERY, *, pool_size: int = 8, pool_timeout_s: float = 1.0, **more: Any
) -> SqlSource | SqliteSource:
    asks = SqlQuery("orders", query, scalars=SCALARS, lists=LISTS, **more)
    return sql_source(asks, url, pool_size=pool_size, pool_timeout_s=pool_timeout_s)


def http(url: str, **more: Any) -> HttpSource:
    return HttpSource("orders", url, scalars=SCALARS, lists=LISTS, **more)


def fill(url: str) -> str:
    async def run() -> None:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE orders (id TEXT, owner TEXT, total INTEGER)"))
            await connection.execute(text("INSERT INTO orders VALUES (:id, :owner, :total)"), ORDERS)
        await engine.dispose()

    # In a thread, for the tests' own loop may be running.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()
    return url


@pytest.fixture(scope="module")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return fill(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('sql') / 'orders.db'}")


@pytest.fixture(scope="module")
def filled_postgres_url(postgres_url: str) -> str:
    return fill(postgres_url)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving() as running:

        def orders(query: dict[str, str]) -> list[dict[str, Any]]:
            return wanted(query["customer"], int(query["limit"]), [each for each in query["ids"].split(",") if each])

        running.reply("/orders", orders)
        yield running


@pytest.fixture(params=["static", "sqlite", "postgres", "http"])
async def source(request: pytest.FixtureRequest) -> AsyncIterator[FactSource]:
    made: FactSource
    match request.param:
        case "static":
            made = StaticSource("orders", lambda p: wanted(p["customer_id"], p["open_limit"], p["order_ids"]))
        case "http":
            service: Service = request.getfixturevalue("service")
            made = http(service.url + "/orders?customer={customer_id}&limit={open_limit}&ids={order_ids}")
        case kind:
            made = sql(request.getfixturevalue("sqlite_url" if kind == "sqlite" else "filled_postgres_url"))
    yield made
    await made.close()


async def test_rows_come_as_the_source_has_them(source: FactSource) -> None:
    assert source.name == "orders"
    assert list(await source.fetch(asked())) == ORDERS[:2]


async def test_lists_expand_empty_ones_too(source: FactSource) -> None:
    assert list(await source.fetch(asked(open_limit=1000))) == []
    assert list(await source.fetch(asked(open_limit=1000, order_ids=("A2", "B1", "none")))) == [ORDERS[1]]


async def test_no_rows_are_no_failure(source: FactSource) -> None:
    assert list(await source.fetch(asked(customer_id="nobody"))) == []


@pytest.mark.parametrize(
    "customer_id", ["' OR 1=1 --", "C1&customer=C2", "../C2", "C1/../C2", "C1?x", "%43", "100%", "王", "a b", "{customer_id}"]
)
async def test_a_parameter_is_a_value_whatever_stands_in_it(source: FactSource, customer_id: str) -> None:
    assert list(await source.fetch(asked(customer_id=customer_id))) == []


async def test_many_at_once_share_a_bounded_pool(source: FactSource) -> None:
    replies = await asyncio.gather(*(source.fetch(asked()) for _ in range(20)))
    assert all(list(reply) == ORDERS[:2] for reply in replies)


# SQL


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "filled_postgres_url")


async def failure(source: FactSource, **parameters: Any) -> SourceFailed:
    try:
        with pytest.raises(SourceFailed) as caught:
            await source.fetch(asked(**parameters))
    finally:
        await source.close()
    return caught.value


async def test_a_query_with_a_mistake(database: str) -> None:
    failed = await failure(sql(database, "SELECT nothing FROM orders WHERE owner = :customer_id"), customer_id="C1-private")
    assert failed.state == "down"
    assert "nothing" in failed.reason
    assert "C1-private" not in str(failed)


async def test_a_column_that_is_not_there_is_named_even_without_rows(database: str) -> None:
    failed = await failure(sql(database, columns=["id", "status"]), customer_id="nobody")
    assert (failed.state, failed.reason) == ("malformed", "the query gives no column status")


async def test_more_rows_than_a_lookup_can_have(database: str) -> None:
    assert (await failure(sql(database, rows_max=1))).state == "malformed"


async def test_a_list_may_stand_in_parentheses(database: str) -> None:
    source = sql(database, "SELECT id FROM orders WHERE id IN (:order_ids)")
    assert await source.fetch(asked(order_ids=("A1", "B1"))) == [{"id": "A1"}, {"id": "B1"}]
    assert await source.fetch(asked()) == []
    await source.close()


COUNT = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST(:customer_id AS INTEGER)) "
    "SELECT CAST(max(i) AS TEXT) AS top FROM n"
)
ENDLESS = "2000000000"


async def test_every_connection_in_use(database: str) -> None:
    # An exhausted pool says so within its own time, and serves again afterwards.
    source = sql(database, COUNT, pool_size=1, pool_timeout_s=0.05)
    lookup = asyncio.create_task(source.fetch(asked(customer_id=ENDLESS)))
    await asyncio.sleep(0)
    with pytest.raises(SourceFailed, match="every connection"):
        await source.fetch(asked(customer_id="5"))
    lookup.cancel()
    await asyncio.wait([lookup])
    assert await served(source, asked(customer_id="5")) == [{"top": "5"}]
    await source.close()


async def served(source: FactSource, parameters: dict[str, Any]) -> Any:
    """As soon as there is a connection again."""
    while True:
        with suppress(SourceFailed):
            return await source.fetch(parameters)


async def test_a_lookup_that_was_given_up_gives_its_connection_back(database: str) -> None:
    source = sql(database, COUNT, pool_size=1, pool_timeout_s=10)
    before = set(threading.enumerate())
    lookup = asyncio.create_task(source.fetch(asked(customer_id=ENDLESS)))
    await asyncio.sleep(0.05)
    lookup.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lookup
    assert await source.fetch(asked(customer_id="5")) == [{"top": "5"}]
    await source.close()
    # SQLite's thread ends when it has been interrupted.
    while set(threading.enumerate()) - before:
        await asyncio.sleep(0.01)


async def test_numbers_are_compared_by_a_cast(filled_postgres_url: str) -> None:
    plain = await failure(sql(filled_postgres_url, "SELECT id FROM orders WHERE total IN :order_ids"), order_ids=("100",))
    assert "integer = character varying" in plain.reason
    source = sql(
        filled_postgres_url,
        "SELECT id FROM orders WHERE CAST(total AS TEXT) IN :order_ids AND total > :open_limit "
        "AND total = CAST(:customer_id AS INTEGER)",
    )
    assert await source.fetch(asked(customer_id="100", order_ids=("100", "200"))) == [{"id": "A1"}]
    await source.close()


async def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    assert (await failure(sql(f"sqlite+aiosqlite:///file:{tmp_path}/none.db?mode=ro&uri=true"))).state == "down"
    refused = await failure(sql("postgresql+asyncpg://shop:hunter2@127.0.0.1:1/shop"))
    assert refused.state == "down"
    assert "hunter2" not in str(refused)


@pytest.mark.parametrize("url", ["", "shop.db", "mysql+none://h/d", "postgresql://u:hunter2@h/d"])
def test_what_is_no_database_s_address(url: str) -> None:
    with pytest.raises(ConfigError, match=r"sqlite\+aiosqlite") as caught:
        sql(url)
    assert "hunter2" not in str(caught.value)


def test_a_parameter_that_nobody_gives() -> None:
    with pytest.raises(ConfigError, match="unknown parameter :customer; there are customer_id"):
        sql("sqlite+aiosqlite://", "SELECT 1 WHERE :customer = 1")


# HTTP


@pytest.mark.parametrize(
    ("body", "status", "headers", "state", "said"),
    [
        (b"<html>", 200, {"content_type": "text/html"}, "malformed", "not JSON"),
        (b"", 200, {}, "malformed", "not JSON"),
        (b"[" * 4000, 200, {}, "malformed", "not JSON"),
        ([1, 2], 200, {}, "malformed", "no list of objects"),
        ("text", 200, {}, "malformed", "no list of objects"),
        (b"{}", 302, {"location": "/login"}, "malformed", "redirect"),
        (b"{}", 500, {}, "down", "HTTP 500"),
        (b"{}", 503, {}, "down", "HTTP 503"),
        (b"{}", 429, {}, "down", "HTTP 429"),
        (b"{}", 401, {}, "down", "HTTP 401"),
        (b"{}", 400, {}, "malformed", "HTTP 400"),
        (b"{}", 404, {}, "malformed", "not_found_is_empty"),
        (b"[" + b" " * 5000 + b"]", 200, {}, "malformed", "larger than 4096 bytes"),
        (b"not gzip", 200, {"content_encoding": "gzip"}, "malformed", "compression"),
        ([{"id": str(number)} for number in range(11)], 200, {}, "malformed", "more than 10 rows"),
    ],
)
async def test_replies_that_are_no_answer(
    service: Service, body: Any, status: int, headers: dict[str, str], state: str, said: str
) -> None:
    service.reply("/odd", body, status, **headers)
    failed = await failure(http(service.url + "/odd", body_bytes_max=4096, rows_max=10))
    assert failed.state == state
    assert said in failed.reason


async def test_a_service_that_hangs_is_late(service: Service) -> None:
    service.hold.clear()
    try:
        assert (await failure(http(service.url + "/orders", timeout_s=0.05))).state == "late"
    finally:
        service.hold.set()


async def test_a_service_that_is_not_there_is_down() -> None:
    failed = await failure(http("http://127.0.0.1:1/orders/{customer_id}"), customer_id="C1-private")
    assert failed.state == "down"
    assert "C1-private" not in str(failed)


async def test_a_404_may_mean_no_rows(service: Service) -> None:
    source = http(service.url + "/none", not_found_is_empty=True)
    assert await source.fetch(asked()) == []
    await source.close()


@pytest.mark.parametrize("value", ["", ".", ".."])
async def test_a_parameter_that_would_be_another_address(service: Service, value: str) -> None:
    failed = await failure(http(service.url + "/customers/{customer_id}/orders"), customer_id=value)
    assert failed.state == "malformed"


async def test_parameters_are_quoted_and_headers_sent(service: Service) -> None:
    service.reply("/c/a/b?c", [])
    source = http(service.url + "/c/{customer_id}?ids={order_ids}", headers={"X-Key": "k"})
    await source.fetch(asked(customer_id="a/b?c", order_ids=("1&2", "3")))
    await source.close()
    assert service.paths[-1] == "/c/a%2Fb%3Fc?ids=1%262,3"
    assert service.headers[-1]["x-key"] == "k"
    assert service.headers[-1]["accept"] == "application/json"


NESTED = {
    "data": {
        "orders": [
            {"no": 1, "boxes": [{"b": "x", "steps": [{"s": 1}]}, {"b": "y", "steps": []}]},
            {"no": 2, "boxes": None},
            {"no": 3},
        ]
    }
}


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("data.orders", [1, 2, 3]),
        ("data.orders[].boxes?", ["x", "y"]),
        ("data.orders[].boxes", None),
        ("data.orders[].boxes[]?.steps", [1]),
        ("data.none", None),
        ("data.none?", []),
        ("data", [None]),
        ("data.orders[].no", None),
    ],
)
async def test_rows_stand_where_the_path_says(service: Service, rows: str, found: list[Any] | None) -> None:
    service.reply("/nested", NESTED)
    source = http(service.url + "/nested", rows=rows)
    if found is None:
        assert (await failure(source)).state == "malformed"
        return
    got = await source.fetch(asked())
    await source.close()
    assert [row.get("no") or row.get("b") or row.get("s") for row in got] == found


async def test_a_nested_row_knows_what_it_stands_in(service: Service) -> None:
    service.reply("/nested", NESTED)
    source = http(service.url + "/nested", rows="data.orders[].boxes[]?.steps")
    (step,) = await source.fetch(asked())
    await source.close()
    assert step["^"]["b"] == "x"
    assert step["^"]["^"]["no"] == 1


async def test_one_request_for_each_value(service: Service) -> None:
    service.reply("/track/A1", {"at": 1})
    service.reply("/track/A2", {"at": 2})
    source = http(service.url + "/track/{order_ids}", each="order_ids")
    assert await source.fetch(asked(order_ids=("A1", "A2"))) == [{"at": 1, ":order_ids": "A1"}, {"at": 2, ":order_ids": "A2"}]
    assert await source.fetch(asked()) == []
    with pytest.raises(SourceFailed):
        await source.fetch(asked(order_ids=("A1", "none")))
    await source.close()


@pytest.mark.parametrize(
    ("url", "each", "said"),
    [
        ("ftp://x/", None, "http://"),
        ("http://x/{nothing}", None, "unknown parameter nothing"),
        ("http://x/", "customer_id", "no list"),
    ],
)
def test_a_url_that_cannot_be(url: str, each: str | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        http(url, each=each)
