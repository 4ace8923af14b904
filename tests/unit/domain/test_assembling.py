from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.assembling import Row, assemble, order_count, read_rows, select_orders
from serve_app.domain.facts import Facts, Order, OrderState
from serve_app.domain.sources import PARTS, Part

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def order_row(order_id: str, days_ago: int = 0, state: str = "shipped", **more: Any) -> dict[str, Any]:
    return {"id": order_id, "state": state, "placed_at": NOW - timedelta(days=days_ago), "total_minor": 100, **more}


def rows_of(part: Part, *raw: dict[str, Any], customer: str = "C1") -> list[Row]:
    reading = read_rows(part, raw, customer, "CNY")
    assert not reading.problems
    return list(reading.rows)


def test_an_order_takes_customer_and_currency_from_what_was_asked() -> None:
    (row,) = rows_of("orders", order_row("1"))
    assert isinstance(row.fact, Order)
    assert (row.fact.customer_id, row.fact.currency) == ("C1", "CNY")


def test_numeric_ids_become_text() -> None:
    (row,) = rows_of("orders", order_row("x") | {"id": 17})
    assert isinstance(row.fact, Order)
    assert row.fact.id == "17"


@pytest.mark.parametrize(
    ("part", "raw"),
    [
        ("customer", {"id": "C2", "name": "李*"}),
        ("orders", order_row("1", customer_id="C2")),
        ("coupons", {"id": "p", "customer_id": "C2", "title_zh": "", "title_en": "", "amount_minor": 1, "valid_until": NOW}),
        ("parcels", {"id": "p", "order_id": "1", "customer_id": "C2", "state": "delivered"}),
        (
            "invoices",
            {"id": "i", "order_id": "1", "customer_id": "C2", "kind": "personal", "state": "issued", "amount_minor": 1},
        ),
    ],
)
def test_another_customer_s_row_is_refused(part: Part, raw: dict[str, Any]) -> None:
    reading = read_rows(part, [raw], "C1", "CNY")
    assert reading.rows == ()
    assert reading.problems == ("a row belongs to another customer",)


def test_what_was_asked_by_name_must_say_whose_it_is() -> None:
    rows = [order_row("1", customer_id="C1"), order_row("secret-id"), order_row("3", customer_id="C2")]
    reading = read_rows("orders", rows, "C1", "CNY", by_name=True)
    assert [row.fact.id for row in reading.rows if isinstance(row.fact, Order)] == ["1"]
    assert reading.others == 1, "another customer's is as if it did not exist"
    (problem,) = reading.problems
    assert problem.startswith("customer_id: it must say whose a row is")
    assert "secret-id" not in problem


def test_a_bad_row_is_left_out_with_its_fields_and_no_values() -> None:
    bad = order_row("secret-id", state="teleported") | {"placed_at": "2026-11-24 10:00:00"}
    reading = read_rows("orders", [order_row("1"), bad], "C1", "CNY")
    assert len(reading.rows) == 1
    (problem,) = reading.problems
    assert "state: " in problem
    assert "placed_at: " in problem
    assert "secret-id" not in problem
    assert "teleported" not in problem


def test_a_repeated_row_counts_once_but_lines_may_be_numbered_within_each_order() -> None:
    line = {"id": "1", "order_id": "a", "sku_id": "s", "title_zh": "茶", "title_en": "tea", "quantity": 1, "paid_minor": 1}
    assert len(rows_of("lines", line, line, line | {"order_id": "b"})) == 2


ORDERS = [
    order_row("100001", 9, "completed"),
    order_row("100002", 1, "unpaid"),
    order_row("100003", 2),
    order_row("100004", 3, "paid"),
    order_row("100005", 20, "closed"),
    order_row("100006", 30, "cancelled"),
]


def selected(*raw: dict[str, Any], **named: Any) -> list[str]:
    picked = select_orders(rows_of("orders", *raw), 2, **named)
    return [row.fact.id for row in picked if isinstance(row.fact, Order)]


def test_the_newest_open_orders_up_to_the_limit_newest_first() -> None:
    assert selected(*ORDERS) == ["100002", "100003"]


def test_named_orders_join_them_open_or_not() -> None:
    assert selected(*ORDERS, order_ids=["100006"], order_tails=["0001"]) == ["100002", "100003", "100001", "100006"]
    assert selected(*ORDERS[:3], order_row("7", 50, "closed", named=1)) == ["100002", "100003", "7"]


def test_with_none_open_the_newest_few() -> None:
    assert selected(ORDERS[0], ORDERS[4], ORDERS[5]) == ["100001", "100005"]


def test_how_many_orders_there_are() -> None:
    assert order_count(rows_of("orders", order_row("1"), order_row("2")), ()) == 2
    assert order_count(rows_of("orders", order_row("1", order_count=60)), ()) == 60
    assert order_count((), rows_of("customer", {"id": "C1", "name": "王*", "order_count": 3})) == 3
    assert order_count((), ()) == 0


def whole(customer: str = "C1") -> dict[Part, list[Row]]:
    line = {"id": "1", "order_id": "a", "sku_id": "s", "title_zh": "茶", "title_en": "tea", "quantity": 1, "paid_minor": 1}
    after_sale = {"id": "f", "line_id": "1", "type": "exchange", "stage": "requested", "requested_at": NOW}
    return {
        "customer": rows_of("customer", {"id": customer, "name": "王*"}, customer=customer),
        "coupons": rows_of("coupons", {"id": "p", "title_zh": "券", "title_en": "c", "amount_minor": 1, "valid_until": NOW}),
        "orders": rows_of("orders", order_row("a"), order_row("b", 1), customer=customer),
        "lines": rows_of("lines", line, line | {"order_id": "b"}, line | {"order_id": "not mine"}),
        "parcels": rows_of("parcels", {"id": "x", "order_id": "a", "tracking_no": "SF1", "state": "in_transit"}),
        "parcel_events": rows_of(
            "parcel_events",
            {"tracking_no": "SF1", "at": NOW, "state": "in_transit"},
            {"parcel_id": "x", "at": NOW - timedelta(hours=1), "state": "picked_up"},
            {"tracking_no": "SF2", "at": NOW, "state": "lost"},
        ),
        "after_sales": rows_of("after_sales", after_sale | {"order_id": "a"}),
        "invoices": rows_of("invoices", {"id": "i", "order_id": "b", "kind": "company", "state": "issued", "amount_minor": 5}),
    }


def test_everything_finds_its_place() -> None:
    facts = assemble(NOW, whole(), (), 2)
    first, second = facts.orders
    assert [line.id for line in first.lines] == [line.id for line in second.lines] == ["1"]
    assert [after_sale.id for after_sale in first.after_sales] == ["f"]
    assert second.after_sales == ()
    assert [event.state for event in first.parcels[0].events] == ["picked_up", "in_transit"]
    assert second.parcels == ()
    assert [invoice.id for invoice in second.invoices] == ["i"]
    assert facts.customer is not None
    assert len(facts.customer.coupons) == 1
    assert (facts.order_count, facts.missing) == (2, ())


def test_missing_parts_are_named_in_their_order_and_unknown_counts_are_none() -> None:
    facts = assemble(NOW, {}, ["parcels", "orders"], 0)
    assert facts == Facts(as_of=NOW, missing=("orders", "parcels"))
    assert facts.order_count is None


OWNERS = st.sampled_from(["C1", "C2", None])


@given(st.lists(st.tuples(st.integers(0, 9), OWNERS, st.sampled_from(list(OrderState))), max_size=8), st.integers(1, 4))
def test_whatever_the_rows_only_this_customer_s_orders_get_in(
    rows: list[tuple[int, str | None, OrderState]], limit: int
) -> None:
    raw = [order_row(str(number), number, state) | ({"customer_id": owner} if owner else {}) for number, owner, state in rows]
    reading = read_rows("orders", raw, "C1", "CNY")
    facts = assemble(NOW, {"orders": select_orders(reading.rows, limit)}, (), None)
    assert {order.customer_id for order in facts.orders} <= {"C1"}
    assert sum(order.state.is_open for order in facts.orders) <= limit
    assert len(reading.problems) == sum(owner == "C2" for _, owner, _ in rows)
    assert [order.placed_at for order in facts.orders] == sorted((order.placed_at for order in facts.orders), reverse=True)


def test_every_part_can_be_lacking() -> None:
    assert assemble(NOW, {}, PARTS, None).missing == PARTS
