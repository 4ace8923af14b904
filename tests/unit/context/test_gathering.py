"""The gatherer over sources held in memory. Who waits for whom is shown by gates, never by time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from serve_app.adapters.breaker import Breaker
from serve_app.adapters.static_source import StaticSource
from serve_app.context import ContextGatherer, SourceReport
from serve_app.context.gathering import Asked, TenantSources
from serve_app.domain.errors import ConfigError, SourceFailed
from serve_app.domain.mapping import RowMapping
from serve_app.domain.sources import PARTS, SHAPES, Part, plan
from serve_app.ports import FactsQuery

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
CUSTOMER = [{"id": "C1", "name": "王*", "tier": "gold"}]
ORDERS = [
    {"id": "A", "state": "shipped", "placed_at": NOW, "total_minor": 1},
    {"id": "B", "state": "paid", "placed_at": NOW, "total_minor": 2},
]
PARCELS = [{"id": "P", "order_id": "A", "tracking_no": "SF1", "state": "in_transit"}]
EVENTS = [{"tracking_no": "SF1", "at": NOW, "state": "in_transit"}]


class Shop:
    """Sources by name, each of the part of its name unless told otherwise."""

    def __init__(self, deadline_s: float = 5.0) -> None:
        self.deadline_s = deadline_s
        self.declared: list[tuple[str, Part, Mapping[str, str]]] = []
        self.sources: dict[str, StaticSource] = {}
        self.takes: dict[str, set[str]] = {}

    def add(
        self, part: Part, rows: Any, name: str | None = None, gate: asyncio.Event | None = None, **needs: str
    ) -> StaticSource:
        source = StaticSource(name or part, rows, gate=gate)
        self.declared.append((source.name, part, needs))
        self.sources[source.name] = source
        return source

    def gatherer(self, failures: int = 5) -> ContextGatherer:
        asked = tuple(
            Asked(
                step=step,
                source=self.sources[step.name],
                mapping=RowMapping(SHAPES[step.part].names, SHANGHAI, "CNY", dates=SHAPES[step.part].dates),
                breaker=Breaker(step.name, failures, 60),
                deadline_s=self.deadline_s,
                takes=frozenset(self.takes.get(step.name, ())),
            )
            for step in plan(self.declared)
        )
        return ContextGatherer({"demo": TenantSources(asked, SHANGHAI, "CNY", 5)})


def query(**changes: Any) -> FactsQuery:
    given: dict[str, Any] = {"within_s": 5.0}
    return FactsQuery("demo", "C1", NOW, **(given | changes))


async def reports_of(shop: Shop, **changes: Any) -> dict[str, SourceReport]:
    return {report.name: report for report in (await shop.gatherer().gather(query(**changes))).reports}


async def until(*sources: StaticSource) -> None:
    while not all(source.asked for source in sources):
        await asyncio.sleep(0)


async def test_rows_become_facts_and_what_has_no_source_is_missing() -> None:
    shop = Shop()
    shop.add("customer", CUSTOMER)
    shop.add("orders", ORDERS)
    shop.add("parcels", PARCELS, ids="orders[].id")
    shop.add("parcel_events", EVENTS, nos="orders[].parcels[].tracking_no")
    facts = await shop.gatherer().facts(query())
    assert facts.as_of == NOW
    assert facts.customer is not None
    assert [order.id for order in facts.orders] == ["A", "B"]
    assert facts.orders[0].parcels[0].events[0].state == "in_transit"
    assert facts.order_count == 2
    assert facts.missing == ("coupons", "lines", "after_sales", "invoices")


async def test_only_the_sources_of_the_wanted_parts_are_asked_and_those_that_they_need() -> None:
    shop = Shop()
    customer = shop.add("customer", CUSTOMER)
    shop.add("orders", ORDERS)
    shop.add("parcels", PARCELS, ids="orders[].id")
    events = shop.add("parcel_events", EVENTS, nos="orders[].parcels[].tracking_no")
    coupons = shop.add("coupons", [])
    facts = await shop.gatherer().facts(query(parts=frozenset({"parcel_events"})))
    assert facts.orders[0].parcels[0].events[0].state == "in_transit"
    assert not customer.asked
    assert not coupons.asked
    # Nothing follows from their absence.
    assert {"customer", "coupons"} <= set(facts.missing)
    assert not {"orders", "parcels", "parcel_events"} & set(facts.missing)
    facts = await shop.gatherer().facts(query(parts=frozenset({"customer", "no such part"})))
    assert facts.customer is not None
    assert len(events.asked) == 1
    assert facts.order_count is None


async def test_what_every_source_is_asked_with() -> None:
    shop = Shop()
    orders = shop.add("orders", [])
    await shop.gatherer().facts(query(order_ids=("A",), order_tails=("0001",), tracking_nos=("SF1",)))
    assert orders.asked == [
        {
            "customer_id": "C1", "order_ids": ["A"], "order_tails": ["0001"], "tracking_nos": ["SF1"], "open_limit": 5,
            "now_s": int(NOW.timestamp()),
            "today_s": int(datetime(2026, 11, 23, 16, 0, tzinfo=UTC).timestamp()),
        }
    ]  # fmt: skip


async def test_independent_sources_are_asked_together_and_a_dependent_one_as_soon_as_it_can_be() -> None:
    shop, orders_gate, customer_gate = Shop(), asyncio.Event(), asyncio.Event()
    orders = shop.add("orders", ORDERS, gate=orders_gate)
    customer = shop.add("customer", CUSTOMER, gate=customer_gate)
    parcels = shop.add("parcels", PARCELS, ids="orders[].id")
    events = shop.add("parcel_events", EVENTS, nos="orders[].parcels[].tracking_no")
    gathering = asyncio.create_task(shop.gatherer().gather(query()))
    await until(orders, customer)
    assert not parcels.asked
    orders_gate.set()
    # The customer still hangs, and holds up neither the parcels nor their events.
    await until(parcels, events)
    assert parcels.asked[0]["ids"] == ["A", "B"]
    assert events.asked[0]["nos"] == ["SF1"]
    customer_gate.set()
    assert all(report.state == "ok" for report in (await gathering).reports)


async def test_an_empty_need_is_not_asked_for_and_nothing_is_missing() -> None:
    shop = Shop()
    shop.add("orders", [])
    parcels = shop.add("parcels", PARCELS, ids="orders[].id")
    gathered = await shop.gatherer().gather(query())
    assert not parcels.asked
    assert "parcels" not in gathered.facts.missing
    assert gathered.facts.order_count == 0


@pytest.mark.parametrize("state", ["late", "down", "malformed"])
async def test_a_source_that_fails_is_left_out_with_those_that_need_it(state: Any) -> None:
    shop = Shop()
    shop.add("orders", ORDERS).failure = SourceFailed("orders", "why", state)
    parcels = shop.add("parcels", PARCELS, ids="orders[].id")
    shop.add("customer", CUSTOMER)
    gathered = await shop.gatherer().gather(query())
    assert not parcels.asked
    assert {"orders", "parcels"} <= set(gathered.facts.missing)
    assert gathered.facts.customer is not None
    assert gathered.facts.orders == ()
    assert gathered.facts.order_count is None
    by_name = {report.name: report for report in gathered.reports}
    assert (by_name["orders"].state, by_name["orders"].reason) == (state, "why")
    assert by_name["parcels"].state == "not_asked"


async def test_a_slow_source_is_late_and_the_rest_goes_on() -> None:
    shop = Shop(deadline_s=0.02)
    shop.add("orders", ORDERS, gate=asyncio.Event())
    shop.add("customer", CUSTOMER)
    reports = await reports_of(shop)
    assert (reports["orders"].state, reports["orders"].reason) == ("late", "no reply in 20 ms")
    assert reports["customer"].state == "ok"


async def test_the_request_s_own_budget_ends_everything() -> None:
    shop = Shop(deadline_s=60)
    shop.add("orders", ORDERS, gate=asyncio.Event())
    shop.add("parcels", PARCELS, ids="orders[].id")
    reports = await reports_of(shop, within_s=0.02)
    assert (reports["orders"].state, reports["parcels"].state) == ("late", "not_asked")


async def test_no_time_at_all() -> None:
    shop = Shop()
    orders = shop.add("orders", ORDERS)
    reports = await reports_of(shop, within_s=0)
    assert reports["orders"].state == "late"
    assert not orders.asked


async def test_a_late_source_s_clearing_up_is_not_waited_for() -> None:
    release = asyncio.Event()

    class Stubborn(StaticSource):
        async def fetch(self, parameters: dict[str, Any]) -> Any:
            try:
                await asyncio.Event().wait()
            finally:
                await release.wait()

    shop = Shop(deadline_s=0.01)
    shop.add("orders", ORDERS)
    shop.sources["orders"] = Stubborn("orders")
    assert (await reports_of(shop))["orders"].state == "late"
    release.set()


async def test_an_adapter_s_mistake_stops_no_answer() -> None:
    def broken(_: dict[str, Any]) -> list[dict[str, Any]]:
        raise KeyError("C1's secret")

    shop = Shop()
    shop.add("orders", broken)
    report = (await reports_of(shop))["orders"]
    assert (report.state, report.reason) == ("down", "an unexpected KeyError")


async def test_a_bad_row_is_left_out_and_its_part_named() -> None:
    shop = Shop()
    shop.add("orders", [ORDERS[0], {"id": "B", "state": "teleported", "placed_at": NOW, "total_minor": 2}])
    shop.add("parcels", PARCELS, ids="orders[].id")
    gathered = await shop.gatherer().gather(query())
    assert [order.id for order in gathered.facts.orders] == ["A"]
    assert len(gathered.facts.orders[0].parcels) == 1
    assert "orders" in gathered.facts.missing
    assert "parcels" not in gathered.facts.missing
    assert gathered.facts.order_count is None
    assert gathered.reports[0].reason.startswith("1 of 2 rows left out: state: ")


async def test_another_customer_s_rows_never_get_in() -> None:
    shop = Shop()
    shop.add("customer", [{"id": "C2", "name": "李*"}])
    shop.add("orders", [ORDERS[0], {**ORDERS[1], "customer_id": "C2"}])
    shop.add("parcels", [*PARCELS, {"id": "Q", "order_id": "B", "state": "delivered"}], ids="orders[].id")
    facts = await shop.gatherer().facts(query())
    assert facts.customer is None
    assert [order.id for order in facts.orders] == ["A"]
    assert [parcel.id for order in facts.orders for parcel in order.parcels] == ["P"]
    assert {"customer", "orders"} <= set(facts.missing)


def named_by_anybody(_: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**ORDERS[0], "customer_id": "C1"}, {**ORDERS[1], "customer_id": "C2"}]


async def test_a_source_asked_by_name_gives_no_one_else_s_order_and_does_not_tell_that_it_exists() -> None:
    shop = Shop()
    shop.takes["orders"] = {"order_ids"}
    shop.add("orders", named_by_anybody)
    gathered = await shop.gatherer().gather(query(order_ids=("A", "B")))
    assert [order.id for order in gathered.facts.orders] == ["A"]
    assert gathered.reports[0].state == "ok"
    assert gathered.facts.named_orders_known


async def test_a_source_asked_by_name_that_does_not_say_whose_its_rows_are_is_malformed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = Shop()
    shop.takes["orders"] = {"order_tails"}
    shop.add("orders", ORDERS)
    with caplog.at_level(logging.INFO):
        facts = await shop.gatherer().facts(query())
    assert (facts.orders, facts.order_count, facts.named_orders_known) == ((), None, False)
    assert "orders" in facts.missing
    assert "customer_id: it must say whose a row is" in caplog.text
    assert "C1" not in caplog.text


@pytest.mark.parametrize(
    ("takes", "count", "named", "known"),
    [
        (set(), None, {"order_ids": ("Z",)}, False),
        ({"order_ids"}, None, {"order_ids": ("Z",)}, True),
        ({"order_ids"}, None, {"order_ids": ("Z",), "order_tails": ("0009",)}, False),
        (set(), 2, {"order_ids": ("Z",)}, True),
        (set(), 3, {"order_tails": ("0009",)}, False),
        ({"tracking_nos"}, None, {"tracking_nos": ("SF9",)}, True),
    ],
)
async def test_whether_a_named_order_would_have_been_found(
    takes: set[str], count: int | None, named: dict[str, Any], known: bool
) -> None:
    shop = Shop()
    shop.takes["orders"] = takes
    shop.add("orders", [{**row, "customer_id": "C1"} for row in ORDERS])
    shop.add("customer", CUSTOMER if count is None else [{**CUSTOMER[0], "order_count": count}])
    assert (await shop.gatherer().facts(query(**named))).named_orders_known is known


async def test_an_order_left_out_may_be_the_one_with_the_named_parcel() -> None:
    over = [
        {**ORDERS[0], "id": str(number), "state": "completed", "order_count": 4, "customer_id": "C1"} for number in range(4)
    ]
    for marked, known in ((False, False), (True, True)):
        shop = Shop()
        shop.takes["orders"] = {"tracking_nos"}
        shop.add("orders", [row | ({"named": 0} if marked else {}) for row in over])
        assert (await shop.gatherer().facts(query(tracking_nos=("SF9",)))).named_orders_known is known


async def test_two_sources_of_one_part_add_up() -> None:
    shop = Shop()
    shop.add("orders", [ORDERS[0]], name="online")
    shop.add("orders", [ORDERS[1] | {"order_count": 4}], name="stores")
    parcels = shop.add("parcels", PARCELS, ids="orders[].id")
    facts = await shop.gatherer().facts(query())
    assert sorted(order.id for order in facts.orders) == ["A", "B"]
    assert facts.order_count == 5
    assert sorted(parcels.asked[0]["ids"]) == ["A", "B"]


async def test_a_source_that_keeps_failing_is_left_alone_and_one_that_is_malformed_is_not() -> None:
    shop = Shop()
    orders = shop.add("orders", ORDERS)
    customer = shop.add("customer", CUSTOMER)
    orders.failure = SourceFailed("orders", "refused")
    customer.failure = SourceFailed("customer", "not JSON", "malformed")
    gatherer = shop.gatherer(failures=2)
    for _ in range(4):
        facts = await gatherer.facts(query())
        assert {"orders", "customer"} <= set(facts.missing)
    assert (len(orders.asked), len(customer.asked)) == (2, 4)


async def test_short_budgets_do_not_count_against_a_source() -> None:
    shop = Shop(deadline_s=60)
    gate = asyncio.Event()
    shop.add("orders", ORDERS, gate=gate)
    gatherer = shop.gatherer(failures=1)
    assert "orders" in (await gatherer.facts(query(within_s=0.01))).missing
    gate.set()
    assert "orders" not in (await gatherer.facts(query())).missing


async def test_a_caller_who_goes_away_ends_the_lookups() -> None:
    ended = asyncio.Event()

    class Watched(StaticSource):
        async def fetch(self, parameters: dict[str, Any]) -> Any:
            self.asked.append(parameters)
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    shop = Shop()
    shop.add("orders", ORDERS)
    watched = shop.sources["orders"] = Watched("orders")
    gathering = asyncio.create_task(shop.gatherer().gather(query()))
    await until(watched)
    gathering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gathering
    await ended.wait()


async def test_failures_are_logged_without_personal_data(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()
    shop.add("orders", [{"id": "ZW880000001234", "state": "王小明", "placed_at": NOW, "total_minor": 1}])
    with caplog.at_level(logging.WARNING):
        await shop.gatherer().facts(query())
    assert "source orders is malformed" in caplog.text
    assert not any(private in caplog.text for private in ("C1", "ZW88", "王小明"))


async def test_a_span_for_each_source_under_the_question_s_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for module in ("serve_app.context.gathering", "serve_app.tracing"):
        monkeypatch.setattr(f"{module}.tracer", lambda: provider.get_tracer("zerowait"))
    shop = Shop()
    shop.add("orders", ORDERS)
    shop.add("parcels", PARCELS, ids="orders[].id").failure = SourceFailed("parcels", "refused")
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    await shop.gatherer().facts(query(trace={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}))
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["context.source", "context.source", "context.facts"]
    assert {f"{span.context.trace_id:032x}" for span in spans if span.context} == {trace_id}
    whole = spans[-1].context
    assert whole is not None
    assert all(span.parent is not None and span.parent.span_id == whole.span_id for span in spans[:2])
    states = [(span.attributes or {}).get("zerowait.state") for span in spans[:2]]
    assert states == ["ok", "down"]
    assert "C1" not in str([dict(span.attributes or {}) for span in spans])


async def test_an_unknown_tenant_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="nobody"):
        await Shop().gatherer().facts(FactsQuery("nobody", "C1", NOW, 1.0))


async def test_without_sources_everything_is_missing() -> None:
    assert (await Shop().gatherer().facts(query())).missing == PARTS
