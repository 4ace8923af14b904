from __future__ import annotations

from datetime import UTC, datetime

import pytest

from serve_app.domain.errors import ConfigError
from serve_app.domain.facts import Customer, Facts, Order, OrderState, Parcel, ParcelState
from serve_app.domain.sources import PARTS, SHAPES, parse_need, plan, values_at

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def parcel(number: str, tracking_no: str | None) -> Parcel:
    return Parcel(id=number, tracking_no=tracking_no, state=ParcelState.IN_TRANSIT)


def order(order_id: str, *parcels: Parcel) -> Order:
    return Order(id=order_id, customer_id="C1", state=OrderState.SHIPPED, placed_at=NOW, total_minor=1, parcels=parcels)


FACTS = Facts(
    as_of=NOW,
    customer=Customer(id="C1", name="王*", tier="gold"),
    orders=(order("1", parcel("a", "SF1"), parcel("b", None)), order("2", parcel("c", "SF2"), parcel("d", "SF1"))),
)


def test_every_part_has_its_shape() -> None:
    assert set(SHAPES) == set(PARTS)


@pytest.mark.parametrize(
    ("path", "parts", "found"),
    [
        ("orders[].id", {"orders"}, ["1", "2"]),
        ("orders[].parcels[].tracking_no", {"orders", "parcels"}, ["SF1", "SF2"]),
        ("customer.tier", {"customer"}, "gold"),
        ("customer.points", {"customer"}, None),
        ("customer.coupons[].id", {"customer", "coupons"}, []),
        ("orders[].lines[].after_sales[].return_no", {"orders", "lines", "after_sales"}, []),
        ("orders[].parcels[].events[].place", {"orders", "parcels", "parcel_events"}, []),
    ],
)
def test_needs_are_paths_over_the_facts(path: str, parts: set[str], found: object) -> None:
    need = parse_need(path)
    assert need.parts == parts
    assert need.is_list == ("[]" in path)
    assert values_at(FACTS, need) == found


def test_a_need_of_a_customer_who_is_not_there() -> None:
    assert values_at(Facts(as_of=NOW), parse_need("customer.tier")) is None
    assert values_at(Facts(as_of=NOW), parse_need("customer.coupons[].id")) == []


@pytest.mark.parametrize(
    "path", ["", "orders", "orders.id", "orders[].parcels", "orders[].nothing", "parcels[].id", "customer.coupons"]
)
def test_what_is_no_path_is_refused_with_the_paths_there_are(path: str) -> None:
    with pytest.raises(ConfigError, match=r"orders\[\]\.parcels\[\]"):
        parse_need(path)


def test_each_source_stands_behind_those_it_needs() -> None:
    steps = plan([
        ("events", "parcel_events", {"nos": "orders[].parcels[].tracking_no"}),
        ("tier", "customer", {}),
        ("boxes", "parcels", {"ids": "orders[].id"}),
        ("shop", "orders", {}),
        ("market", "orders", {}),
    ])  # fmt: skip
    after = {step.name: step.after for step in steps}
    assert after == {
        "events": {"boxes", "shop", "market"},
        "tier": set(),
        "boxes": {"shop", "market"},
        "shop": set(),
        "market": set(),
    }
    places = {step.name: place for place, step in enumerate(steps)}
    assert all(places[name] > places[other] for name, others in after.items() for other in others)


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([("a", "orders", {}), ("a", "parcels", {})], "two sources have the name a"),
        ([("a", "parcels", {"ids": "orders[].id"})], "no source gives orders"),
        ([("a", "orders", {"t": "customer.tier"}), ("b", "customer", {"ids": "orders[].id"})], "in a circle"),
        ([("a", "orders", {"ids": "orders[].id"})], "in a circle"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(sources: list[tuple[str, str, dict[str, str]]], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        plan(sources)  # pyright: ignore[reportArgumentType]
