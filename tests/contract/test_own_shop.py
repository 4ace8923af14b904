"""Another shop, connected by configuration alone: its PostgreSQL database with its own names, codes, units and zones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from serve_app.config import load_config
from serve_app.context import ContextGatherer, gatherer
from serve_app.domain.facts import OrderState, ParcelState
from serve_app.ports import FactsQuery

TABLES = """
CREATE TABLE users (uid SERIAL PRIMARY KEY, real_name TEXT, mobile TEXT, grade SMALLINT);
CREATE TABLE trade (tid BIGINT PRIMARY KEY, uid INTEGER, st INTEGER, created TIMESTAMP, amount NUMERIC(10, 2));
CREATE TABLE ship (sid UUID PRIMARY KEY, tid BIGINT, no TEXT, st TEXT, eta TIMESTAMPTZ);
INSERT INTO users VALUES (7, '王小明', '13812341234', 3), (8, '李雷', '13900000000', 1);
INSERT INTO trade VALUES (17, 7, 3, '2026-11-22 10:30:00', 129.90);
INSERT INTO trade VALUES (18, 7, 9, '2026-09-01 08:00:00', 15), (19, 8, 3, '2026-11-20', 8);
INSERT INTO ship VALUES ('00000000-0000-0000-0000-000000000001', 17, 'SF1', 'ROAD', '2026-11-24T18:00:00Z');
INSERT INTO ship VALUES ('00000000-0000-0000-0000-000000000002', 19, 'SF2', 'ROAD', NULL);
"""
CONFIG = """
tenants:
  tea:
    shop: {time_zone: Asia/Shanghai}
    sources:
      - {name: users, part: customer, type: sql, url: "${SHOP_DB}",
         query: "SELECT * FROM users WHERE CAST(uid AS TEXT) = :customer_id",
         fields: {id: uid, name: {path: real_name, as: masked_name}, phone: {path: mobile, as: masked_phone}, tier: grade},
         values: {tier: {"3": gold}}}
      - {name: trades, part: orders, type: sql, url: "${SHOP_DB}",
         query: "SELECT * FROM trade WHERE CAST(uid AS TEXT) = :customer_id ORDER BY created DESC",
         fields: {id: tid, customer_id: uid, state: st, placed_at: {path: created, as: local_time},
                  total_minor: {path: amount, as: major_units}},
         values: {state: {"3": shipped, "9": completed}}}
      # Careless on purpose: it gives everybody's, and only this customer's find a place.
      - {name: ships, part: parcels, type: sql, url: "${SHOP_DB}",
         query: "SELECT * FROM ship",
         fields: {id: sid, order_id: tid, tracking_no: "no", state: st, estimated_date: eta},
         values: {state: {ROAD: in_transit}}}
      - {name: slow, part: invoices, type: sql, url: "${SHOP_DB}", deadline_ms: 50,
         query: "SELECT 1 AS id FROM pg_sleep(5)"}
"""


@pytest.fixture(scope="module")
async def own_shop(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ContextGatherer]:
    engine = create_async_engine(postgres_url)
    async with engine.begin() as connection:
        for statement in TABLES.strip().split(";\n"):
            await connection.execute(text(statement))
    await engine.dispose()
    folder = tmp_path_factory.mktemp("own")
    path = folder / "tea.yaml"
    await asyncio.to_thread(path.write_text, CONFIG)
    gathers = gatherer((await asyncio.to_thread(load_config, path)).resolved({}), {"SHOP_DB": postgres_url})
    yield gathers
    await gathers.aclose()


async def test_its_rows_become_facts(own_shop: ContextGatherer) -> None:
    gathered = await own_shop.gather(FactsQuery("tea", "7", datetime(2026, 11, 24, tzinfo=UTC), 5.0))
    facts = gathered.facts
    assert facts.customer is not None
    assert (facts.customer.name, facts.customer.phone, facts.customer.tier) == ("王**", "138****1234", "gold")
    (order,) = facts.orders
    assert (order.id, order.customer_id, order.state, order.total_minor) == ("17", "7", OrderState.SHIPPED, 12990)
    assert order.placed_at == datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
    assert facts.order_count == 2
    (parcel,) = order.parcels
    assert (parcel.state, parcel.tracking_no) == (ParcelState.IN_TRANSIT, "SF1")
    assert parcel.estimated_date == date(2026, 11, 25)


async def test_a_slow_query_is_late_and_no_other_waits_for_it(own_shop: ContextGatherer) -> None:
    gathered = await own_shop.gather(FactsQuery("tea", "7", datetime(2026, 11, 24, tzinfo=UTC), 5.0))
    reports = {report.name: report for report in gathered.reports}
    assert (reports["slow"].state, reports["slow"].reason) == ("late", "no reply in 50 ms")
    assert {name for name, report in reports.items() if report.state == "ok"} == {"users", "trades", "ships"}
    assert gathered.facts.missing == ("coupons", "lines", "parcel_events", "after_sales", "invoices")


async def test_an_unknown_customer(own_shop: ContextGatherer, tmp_path: Path) -> None:
    facts = (await own_shop.gather(FactsQuery("tea", "7 OR 1=1", datetime(2026, 11, 24, tzinfo=UTC), 5.0))).facts
    assert (facts.customer, facts.orders, facts.order_count) == (None, (), 0)
