"""The whole generated shop: every state is there, and nothing in it contradicts anything else."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from serve_app.demo.shop import is_current, make_rows, make_shop
from serve_app.demo.stories import STAGES
from serve_app.domain.facts import AfterSaleStage, AfterSaleType, OrderState, ParcelState

DAY_S = 86_400
# The moment of the day at which a parcel that went out this morning may be seen; queries show its event no later than now.
THIS_MORNING_S = 10 * 3_600

Row = dict[str, Any]


@pytest.fixture(scope="module", params=[2026, 7])
def rows(request: pytest.FixtureRequest) -> dict[str, list[Row]]:
    return make_rows(request.param)


@pytest.fixture(scope="module")
def orders(rows: dict[str, list[Row]]) -> dict[str, Row]:
    return {order["id"]: order for order in rows["orders"]}


@pytest.fixture(scope="module")
def events(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    by_parcel: defaultdict[str, list[Row]] = defaultdict(list)
    for event in rows["parcel_events"]:
        by_parcel[event["parcel_id"]].append(event)
    return by_parcel


def test_its_size(rows: dict[str, list[Row]]) -> None:
    assert len(rows["customers"]) >= 300
    assert len(rows["orders"]) >= 1500
    assert len(rows["skus"]) == 2000
    assert len({sku["title_zh"] for sku in rows["skus"]}) == len({sku["title_en"] for sku in rows["skus"]}) == 2000
    assert {customer["tier"] for customer in rows["customers"]} == {"bronze", "silver", "gold", "platinum"}


def test_customers_with_none_one_three_and_sixty_orders(rows: dict[str, list[Row]]) -> None:
    owned = Counter(order["customer_id"] for order in rows["orders"])
    counts = {owned[customer["id"]] for customer in rows["customers"]}
    assert {0, 1, 3, 60} <= counts
    assert [owned[f"C100{number}"] for number in range(1, 6)] == [3, 1, 0, 60, 3]


def test_every_state_occurs(rows: dict[str, list[Row]]) -> None:
    assert {order["state"] for order in rows["orders"]} == set(OrderState)
    assert {parcel["state"] for parcel in rows["parcels"]} == set(ParcelState)
    assert {event["state"] for event in rows["parcel_events"]} == set(ParcelState)
    occurring = {(AfterSaleType(row["type"]), AfterSaleStage(row["stage"])) for row in rows["after_sales"]}
    assert occurring == {(kind, stage) for kind, stages in STAGES.items() for stage in stages}
    assert set(AfterSaleStage) == {stage for _, stage in occurring}
    assert {row["state"] for row in rows["invoices"]} == {"requested", "issued", "red"}


def test_the_first_customers_are_good_to_try(rows: dict[str, list[Row]]) -> None:
    def states(customer: str) -> list[str]:
        return [order["state"] for order in rows["orders"] if order["customer_id"] == customer]

    assert states("C1001") == ["shipped", "delivered", "completed"]
    assert states("C1002") == ["shipped"]
    assert all(OrderState(state).is_open for state in states("C1005"))
    mine = {order["id"]: order["state"] for order in rows["orders"] if order["customer_id"] == "C1001"}
    under_way = next(parcel for parcel in rows["parcels"] if mine.get(parcel["order_id"]) == "shipped")
    assert (under_way["state"], under_way["estimated_day"]) == ("in_transit", 1)
    refund = next(row for row in rows["after_sales"] if mine.get(row["line_id"][:14]) == "delivered")
    assert refund["stage"] == "refunding"


def test_ids_are_unique_and_of_their_form(rows: dict[str, list[Row]]) -> None:
    for table in ("customers", "coupons", "skus", "orders", "order_lines", "parcels", "after_sales", "invoices"):
        ids = [row["id"] for row in rows[table]]
        assert len(ids) == len(set(ids)), table
    assert all(order["id"][:2] == "ZW" and order["id"][2:].isdigit() and len(order["id"]) == 14 for order in rows["orders"])
    tails = Counter((order["customer_id"], order["id"][-4:]) for order in rows["orders"])
    assert max(tails.values()) == 1


def test_what_is_private_is_masked(rows: dict[str, list[Row]]) -> None:
    assert all("*" in customer["name"] and "****" in customer["phone"] for customer in rows["customers"])
    assert all("***" in order["address"] for order in rows["orders"])


def test_money_adds_up(rows: dict[str, list[Row]], orders: dict[str, Row]) -> None:
    paid: Counter[str] = Counter()
    for line in rows["order_lines"]:
        assert line["paid_minor"] > 0
        assert line["discount_share_minor"] >= 0
        paid[line["order_id"]] += line["paid_minor"]
    for order in orders.values():
        assert order["total_minor"] == paid[order["id"]] + order["freight_minor"]


def test_orders_dates_fit_their_states(orders: dict[str, Row]) -> None:
    for order in orders.values():
        assert order["placed_s"] < 0
        if order["paid_s"] is not None:
            assert order["placed_s"] < order["paid_s"] < 0
        if order["state"] in ("unpaid", "deposit_paid"):
            assert order["paid_s"] is None
        elif order["state"] not in ("cancelled", "closed"):
            assert order["paid_s"] is not None
        is_deposit = order["state"] == "deposit_paid"
        assert (order["deposit_minor"] is not None) == (order["balance_due_s"] is not None) == is_deposit
        if order["balance_due_s"] is not None:
            assert order["balance_due_s"] >= DAY_S
    # An order that is not paid within a day is closed.
    assert all(order["placed_s"] > -DAY_S for order in orders.values() if order["state"] == "unpaid")


def test_parcels_agree_with_their_events(
    rows: dict[str, list[Row]], orders: dict[str, Row], events: dict[str, list[Row]]
) -> None:
    for parcel in rows["parcels"]:
        history = events[parcel["id"]]
        moments = [event["at_s"] for event in history]
        assert moments == sorted(moments)
        assert history[0]["state"] == "label_created"
        assert history[-1]["state"] == parcel["state"]
        assert moments[0] > orders[parcel["order_id"]]["paid_s"]
        limit_s = THIS_MORNING_S if parcel["state"] == "out_for_delivery" else 0
        assert moments[-1] < limit_s
        assert all(moment < 0 for moment in moments[:-1])
        assert parcel["delivered_s"] == (moments[-1] if parcel["state"] == "delivered" else None)
        assert (
            (parcel["pickup_code"] is not None)
            == (parcel["pickup_point"] is not None)
            == (parcel["state"] == "at_pickup_point")
        )
        if parcel["estimated_day"] is not None:
            assert parcel["estimated_day"] >= 0
        if parcel["state"] in ("delivered", "at_pickup_point", "returned", "lost"):
            assert parcel["estimated_day"] is None
        if parcel["state"] in ("label_created", "picked_up", "in_transit", "out_for_delivery"):
            assert parcel["estimated_day"] is not None


def test_nobody_knocks_at_night(rows: dict[str, list[Row]]) -> None:
    by_day = {"out_for_delivery", "delivered", "at_pickup_point"}
    hours = {event["at_s"] % DAY_S // 3600 for event in rows["parcel_events"] if event["state"] in by_day}
    assert hours <= set(range(7, 21))


def test_some_parcels_are_really_late_and_most_are_not(rows: dict[str, list[Row]]) -> None:
    moving = [parcel for parcel in rows["parcels"] if parcel["state"] == "in_transit"]
    late = [parcel for parcel in moving if parcel["promised_day"] < 0]
    assert 0 < len(late) < len(moving) / 2


def test_orders_agree_with_their_parcels(rows: dict[str, list[Row]], orders: dict[str, Row]) -> None:
    boxes: defaultdict[str, list[str]] = defaultdict(list)
    for parcel in rows["parcels"]:
        boxes[parcel["order_id"]].append(parcel["state"])
    assert max(len(states) for states in boxes.values()) >= 3
    for order in orders.values():
        states = boxes[order["id"]]
        match order["state"]:
            case "unpaid" | "deposit_paid" | "paid" | "cancelled":
                assert not states
            case "delivered" | "completed":
                assert states
                assert set(states) == {"delivered"}
            case "shipped":
                assert states
                assert set(states) != {"delivered"}
            case "partly_shipped":
                assert states
            case _:
                assert not set(states) - {"delivered"}


def test_every_line_is_in_one_parcel_at_most_and_shipped_orders_are_whole(
    rows: dict[str, list[Row]], orders: dict[str, Row]
) -> None:
    inside = Counter(link["line_id"] for link in rows["parcel_lines"])
    assert max(inside.values()) == 1
    unshipped: Counter[str] = Counter(line["order_id"] for line in rows["order_lines"] if not inside[line["id"]])
    for order in orders.values():
        if order["state"] in ("shipped", "delivered", "completed"):
            assert not unshipped[order["id"]]
        elif order["state"] in ("partly_shipped", "paid", "unpaid"):
            assert unshipped[order["id"]]


def test_after_sales_fit(rows: dict[str, list[Row]], orders: dict[str, Row]) -> None:
    lines = {line["id"]: line for line in rows["order_lines"]}
    delivered = {parcel["order_id"]: parcel["delivered_s"] for parcel in rows["parcels"]}
    for row in rows["after_sales"]:
        line = lines[row["line_id"]]
        assert row["requested_s"] < 0
        assert orders[line["order_id"]]["paid_s"] < row["requested_s"]
        if delivered.get(line["order_id"]) is not None:
            assert delivered[line["order_id"]] < row["requested_s"]
        if row["deadline_s"] is not None:
            assert row["deadline_s"] >= DAY_S
        assert (row["deadline_s"] is not None) == (
            row["stage"] in ("requested", "awaiting_return", "inspecting", "processing", "refunding")
        )
        assert (row["refunded_s"] is not None) == (row["stage"] == "refunded")
        if row["refunded_s"] is not None:
            assert row["requested_s"] < row["refunded_s"] < 0
        assert (row["amount_minor"] is not None) == (row["type"] in ("refund_only", "return_refund"))
        if row["amount_minor"] is not None:
            assert 0 < row["amount_minor"] <= line["paid_minor"]
            assert row["refund_channel"] is not None


def test_invoices_are_issued_after_payment_and_before_today(rows: dict[str, list[Row]], orders: dict[str, Row]) -> None:
    for invoice in rows["invoices"]:
        assert (invoice["issued_s"] is None) == (invoice["state"] == "requested")
        if invoice["issued_s"] is not None:
            assert orders[invoice["order_id"]]["paid_s"] < invoice["issued_s"] < 0


def test_the_same_seed_makes_the_same_shop() -> None:
    assert make_rows(3) == make_rows(3)


def test_the_file_is_written_whole_once_and_known_again(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "data" / "shop.db"
    assert not is_current(path)
    make_shop(path, progress=said.append)
    assert is_current(path)
    assert not is_current(path, seed=1)
    assert len(said) == 2
    assert [entry.name for entry in path.parent.iterdir()] == ["shop.db"]
    before = path.stat().st_mtime_ns
    make_shop(path, progress=said.append)
    assert path.stat().st_mtime_ns == before
    assert len(said) == 2


def test_a_broken_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    path.write_bytes(b"not a database")
    assert not is_current(path)
    make_shop(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT COUNT(*) FROM orders").fetchone()[0] >= 1500


def test_a_shop_that_cannot_be_finished_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr("serve_app.demo.shop._write", broken)
    with pytest.raises(sqlite3.OperationalError):
        make_shop(tmp_path / "shop.db")
    assert list(tmp_path.iterdir()) == []
