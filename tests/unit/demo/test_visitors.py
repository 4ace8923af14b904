"""What is said of the demo shop's customers is true of the shop that is made."""

from __future__ import annotations

import pytest

from serve_app.demo.shop import SEED, make_rows
from serve_app.demo.visitors import DEMO_CUSTOMERS, DemoCustomer

COUNTS = {0: ("还没有订单", "No orders yet"), 3: ("三个订单", "hree orders"), 60: ("六十个订单", "Sixty orders")}
ROWS = make_rows(SEED)


@pytest.mark.parametrize("shown", DEMO_CUSTOMERS, ids=lambda shown: shown.id)
def test_a_customer_is_as_it_is_described(shown: DemoCustomer) -> None:
    person = next(row for row in ROWS["customers"] if row["id"] == shown.id)
    assert person["name"] == shown.name
    assert ("金卡" in shown.note_zh) == ("Gold" in shown.note_en) == (person["tier"] == "gold")
    orders = {row["id"] for row in ROWS["orders"] if row["customer_id"] == shown.id}
    in_chinese, in_english = COUNTS[len(orders)]
    assert in_chinese in shown.note_zh
    assert in_english in shown.note_en
    lines = {row["id"] for row in ROWS["order_lines"] if row["order_id"] in orders}
    refunding = [row for row in ROWS["after_sales"] if row["line_id"] in lines and row["stage"] == "refunding"]
    states = {row["state"] for row in ROWS["parcels"] if row["order_id"] in orders}
    if "一个退款中" in shown.note_zh:
        assert len(refunding) == 1
    if "代收点" in shown.note_zh:
        assert "at_pickup_point" in states
    if "在途" in shown.note_zh:
        assert "in_transit" in states


def test_a_chinese_and_an_english_customer_have_three_orders_each() -> None:
    languages = {row["id"]: row["language"] for row in ROWS["customers"]}
    with_three = {languages[shown.id] for shown in DEMO_CUSTOMERS if "三个订单" in shown.note_zh}
    assert with_three == {"zh", "en"}
