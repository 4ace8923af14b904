"""The demo shop through its own declared sources, by the room that serves it: on any day, at any hour."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from deployments.context.room import Context
from serve_app.config import Config
from serve_app.demo.shop import make_shop
from serve_app.domain.facts import Facts, Order, OrderState, ParcelState
from serve_app.ports import FactsQuery

SHANGHAI = ZoneInfo("Asia/Shanghai")
MOMENTS = [
    datetime(2026, 11, 24, 0, 0, 30, tzinfo=SHANGHAI),
    datetime(2026, 11, 24, 9, 15, tzinfo=SHANGHAI),
    datetime(2027, 2, 28, 23, 59, 59, tzinfo=SHANGHAI),
]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    make_shop(folder / "shop.db")
    return folder


@pytest.fixture(scope="module")
async def room(data_dir: Path) -> AsyncIterator[Context]:
    context = Context(Config(data_dir=data_dir).resolved({}))
    yield context
    await context.aclose()


async def facts_of(
    room: Context,
    customer: str,
    now: datetime = MOMENTS[1],
    order_ids: tuple[str, ...] = (),
    order_tails: tuple[str, ...] = (),
    tracking_nos: tuple[str, ...] = (),
) -> Facts:
    facts = await room.facts(FactsQuery("demo", customer, now.astimezone(UTC), 10.0, order_ids, order_tails, tracking_nos))
    assert facts.missing == ()
    return facts


@pytest.mark.parametrize("now", MOMENTS, ids=str)
async def test_the_first_customer(room: Context, now: datetime) -> None:
    facts = await facts_of(room, "C1001", now)
    assert facts.customer is not None
    assert (facts.customer.tier, len(facts.customer.coupons)) == ("gold", 2)
    assert facts.order_count == 3
    under_way, refunding = facts.orders
    (parcel,) = under_way.parcels
    assert parcel.state is ParcelState.IN_TRANSIT
    assert parcel.estimated_date == now.date() + timedelta(days=1)
    (after_sale,) = refunding.after_sales
    assert after_sale.deadline is not None
    assert after_sale.deadline > now
    assert after_sale.amount_minor is not None


async def test_the_other_first_customers(room: Context) -> None:
    assert [order.state for order in (await facts_of(room, "C1002")).orders] == [OrderState.SHIPPED]
    nobody = await facts_of(room, "C1003")
    assert (nobody.orders, nobody.order_count) == ((), 0)
    many = await facts_of(room, "C1004")
    assert many.order_count == 60
    assert len(many.orders) == 5
    assert len((await facts_of(room, "C1005")).orders) == 3
    stranger = await facts_of(room, "nobody")
    assert (stranger.customer, stranger.orders, stranger.order_count) == (None, (), 0)


async def test_orders_are_found_by_id_tail_and_tracking_number_and_only_by_their_owner(room: Context) -> None:
    over = next(order for order in (await whole(room, "C1004")) if order.state is OrderState.COMPLETED)
    assert over.id not in [order.id for order in (await facts_of(room, "C1004")).orders]
    tracking_no = over.parcels[0].tracking_no
    assert tracking_no is not None
    for customer in ("C1004", "C1001"):
        by_id = await facts_of(room, customer, order_ids=(over.id,))
        by_tail = await facts_of(room, customer, order_tails=(over.id[-4:],))
        by_number = await facts_of(room, customer, tracking_nos=(tracking_no,))
        found = [over.id in [order.id for order in facts.orders] for facts in (by_id, by_tail, by_number)]
        assert found == [customer == "C1004"] * 3


async def whole(room: Context, customer: str, now: datetime = MOMENTS[1]) -> list[Order]:
    """All that can be reached of a customer: by every tail that there is."""
    tails = tuple(f"{number:04d}" for number in range(10_000))
    return list((await facts_of(room, customer, now, order_tails=tails)).orders)


@pytest.mark.parametrize("now", MOMENTS, ids=str)
async def test_nothing_that_happened_lies_ahead_and_nothing_that_will_lies_behind(room: Context, now: datetime) -> None:
    everybody = [await facts_of(room, f"C{number}", now) for number in range(1001, 1321, 4)]
    orders = [order for facts in everybody for order in facts.orders]
    assert len(orders) > 100
    for order in orders:
        assert order.placed_at < now
        assert order.paid_at is None or order.placed_at <= order.paid_at < now
        assert order.balance_due_at is None or order.balance_due_at > now
        assert order.lines
        for parcel in order.parcels:
            assert parcel.latest is not None
            assert parcel.latest.state is parcel.state
            assert parcel.latest.at < now
            assert set(parcel.line_ids) <= {line.id for line in order.lines}
            assert parcel.estimated_date is None or parcel.estimated_date >= now.date()
            assert (parcel.delivered_at is not None) == (parcel.state is ParcelState.DELIVERED)
        for after_sale in order.after_sales:
            assert after_sale.requested_at < now
            assert after_sale.refunded_at is None or after_sale.refunded_at < now
            assert after_sale.deadline is None or after_sale.deadline > now
    for facts in everybody:
        assert facts.customer is not None
        assert facts.customer.tier_valid_until is None or facts.customer.tier_valid_until > now
        assert all(coupon.valid_until > now for coupon in facts.customer.coupons)


async def test_the_room_lives_and_a_shop_that_was_not_made_is_missing_not_made_up(tmp_path: Path) -> None:
    room = Context(Config(data_dir=tmp_path).resolved({}))
    await room.check_health()
    facts = await room.facts(FactsQuery("demo", "C1001", MOMENTS[0], 10.0))
    assert {"customer", "orders", "parcels"} <= set(facts.missing)
    assert facts.order_count is None
    await room.aclose()
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []
