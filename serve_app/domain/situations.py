"""The situations that a customer can be in, each by a name, with sample facts: what a template must have right words for."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from serve_app.domain.facts import (
    AfterSale,
    AfterSaleStage,
    AfterSaleType,
    Customer,
    Fact,
    Facts,
    Invoice,
    Order,
    OrderState,
    Parcel,
    ParcelEvent,
    ParcelState,
    RefundChannel,
)
from serve_app.domain.sample_facts import (
    days_from_now,
    overdue,
    sample_after_sale,
    sample_customer,
    sample_facts,
    sample_invoice,
    sample_order,
    sample_parcel,
    with_deposit,
)
from serve_app.domain.wording import name_of

_Field = tuple[type[Fact], str]


@dataclass(frozen=True, slots=True)
class Situation:
    name: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class _Group:
    """Situations that differ in things of one kind, and the parts of the facts that tell of those."""

    situations: tuple[Situation, ...]
    things: tuple[type[Fact], ...]
    parts: tuple[str, ...]


def situations() -> tuple[Situation, ...]:
    """Those in which a shop's systems tell all that there is: what has no value then has none, not for want of a source."""
    return tuple(situation for group in _groups() for situation in group.situations)


@functools.cache
def less_told() -> tuple[Situation, ...]:
    """The same with one field not told, with only one field told, with a part missing: what shops' systems leave out."""
    found = {situation.facts.model_dump_json(): situation for situation in situations()}
    whole = len(found)
    for situation in (*_with_one_field_less(), *_with_little()):
        found.setdefault(situation.facts.model_dump_json(), situation)
    return tuple(found.values())[whole:]


def _with_one_field_less() -> Iterator[Situation]:
    for group in _groups():
        for situation in group.situations:
            for field in sorted(_optional(group.things), key=str):
                name = f"{situation.name}, {field[1]} not told"
                yield Situation(name, _without(situation.facts, frozenset({field})))


def _with_little() -> Iterator[Situation]:
    """With no optional field told, with one, and with a part missing."""
    for group in _groups():
        told = _optional(group.things)
        for situation in group.situations:
            for kept in (frozenset[_Field](), *(frozenset({field}) for field in sorted(told, key=str))):
                yield Situation(f"{situation.name}, little told", _without(situation.facts, told - kept))
            for part in group.parts:
                facts = situation.facts.model_copy(update={"missing": (part,)})
                yield Situation(f"{situation.name}, {part} missing", facts)


@functools.cache
def _groups() -> tuple[_Group, ...]:
    return (
        _Group(tuple(_of_customers()), (Customer, Order), ("customer", "coupons", "orders", "lines")),
        _Group(tuple(_of_orders()), (Order,), ("lines", "parcels", "after_sales", "invoices")),
        _Group((*_of_parcels(), *_of_several_parcels()), (Parcel, ParcelEvent), ("lines", "parcels", "parcel_events")),
        _Group(tuple(_of_after_sales()), (AfterSale,), ("lines", "after_sales")),
        _Group(tuple(_of_invoices()), (Invoice,), ("lines", "invoices")),
    )


def _of_customers() -> Iterator[Situation]:
    paid, completed = sample_order(OrderState.PAID), sample_order(OrderState.COMPLETED, id="ZW000000000002")
    yield Situation("no order", sample_facts())
    yield Situation("no coupons", sample_facts(customer=sample_customer(0)))
    yield Situation("several coupons", sample_facts(customer=sample_customer(7)))
    yield Situation("a tier without an end", sample_facts(customer=sample_customer(tier_valid_until=None)))
    yield Situation("several orders", sample_facts(paid, completed))
    yield Situation("several open orders", sample_facts(paid, sample_order(OrderState.UNPAID, id="ZW000000000003")))
    yield Situation("many orders, an open one read", sample_facts(paid, completed, order_count=9))
    yield Situation("many orders, no open one read", sample_facts(completed, order_count=9))
    yield Situation("many orders, none read", sample_facts(order_count=9))


def _of_orders() -> Iterator[Situation]:
    for name, order in {
        "unpaid": sample_order(OrderState.UNPAID),
        "deposit paid": sample_order(OrderState.DEPOSIT_PAID),
        "deposit and balance paid": sample_order(OrderState.PAID, **with_deposit()),
        "deposit lost": sample_order(OrderState.CLOSED, paid_at=None, **with_deposit()),
        "paid, no parcel": sample_order(OrderState.PAID),
        "paid, free shipping": sample_order(OrderState.PAID, freight_minor=0),
        "shipped, no tracking record": sample_order(OrderState.SHIPPED),
        "partly shipped, no tracking record": sample_order(OrderState.PARTLY_SHIPPED),
        "delivered, no tracking record": sample_order(OrderState.DELIVERED),
        "cancelled before payment": sample_order(OrderState.CANCELLED, paid_at=None),
        "cancelled before shipping": sample_order(OrderState.CANCELLED),
        "cancelled on the way": sample_order(OrderState.CANCELLED, sample_parcel(ParcelState.RETURNED)),
        "closed before payment": sample_order(OrderState.CLOSED, paid_at=None),
        "closed after shipping": sample_order(OrderState.CLOSED, sample_parcel(ParcelState.RETURNED)),
        "completed": sample_order(OrderState.COMPLETED, sample_parcel(ParcelState.DELIVERED)),
    }.items():
        yield Situation(name, sample_facts(order))


def _of_parcels() -> Iterator[Situation]:
    for state in ParcelState:
        order_state = OrderState.DELIVERED if state is ParcelState.DELIVERED else OrderState.SHIPPED
        yield Situation(name_of(state, "en"), sample_facts(sample_order(order_state, sample_parcel(state))))
    moving = ParcelState.IN_TRANSIT
    for name, parcel in {
        "delivered, order not updated": sample_parcel(ParcelState.DELIVERED),
        "in transit, a later estimate": sample_parcel(moving, promised_date=days_from_now(0)["promised_date"]),
        "late, with a new date": sample_parcel(moving, promised_date=days_from_now(-2)["promised_date"]),
        "late, without a new date": sample_parcel(moving, **days_from_now(-2)),
        "late, out for delivery": sample_parcel(ParcelState.OUT_FOR_DELIVERY, **days_from_now(-1)),
        "late, waiting for the carrier": sample_parcel(ParcelState.LABEL_CREATED, **days_from_now(-1)),
    }.items():
        yield Situation(name, sample_facts(sample_order(OrderState.SHIPPED, parcel)))


def _of_several_parcels() -> Iterator[Situation]:
    every = [sample_parcel(state, number) for number, state in enumerate(ParcelState, start=1)]
    moving, delivered = sample_parcel(ParcelState.IN_TRANSIT), sample_parcel(ParcelState.DELIVERED, 2)
    late = sample_parcel(ParcelState.IN_TRANSIT, 3, **days_from_now(-2))
    waiting = sample_parcel(ParcelState.AT_PICKUP_POINT, 4)
    partly, shipped = OrderState.PARTLY_SHIPPED, OrderState.SHIPPED
    for name, order in {
        "partly shipped, one parcel": sample_order(partly, moving),
        "partly shipped, one parcel delivered": sample_order(partly, delivered),
        "partly shipped, several parcels": sample_order(partly, moving, delivered),
        "partly shipped, parcels in every state": sample_order(partly, *every, late),
        "several parcels": sample_order(shipped, moving, delivered, late, waiting),
        "several parcels, one late": sample_order(shipped, late, delivered),
        "several parcels, one lost": sample_order(shipped, moving, sample_parcel(ParcelState.LOST, 5)),
        "several parcels, in every state": sample_order(shipped, *every, late),
        "several parcels, all delivered": sample_order(OrderState.DELIVERED, sample_parcel(ParcelState.DELIVERED), delivered),
    }.items():
        yield Situation(name, sample_facts(order))


_RETURN = (
    AfterSaleStage.REQUESTED,
    AfterSaleStage.REJECTED,
    AfterSaleStage.AWAITING_RETURN,
    AfterSaleStage.RETURN_IN_TRANSIT,
    AfterSaleStage.INSPECTING,
    AfterSaleStage.CLOSED,
)
_RESENT = (AfterSaleStage.PROCESSING, AfterSaleStage.RESHIPPED)
_PAID_BACK = (AfterSaleStage.REFUNDING, AfterSaleStage.REFUNDED)
_AT_ONCE = (AfterSaleStage.REQUESTED, AfterSaleStage.REJECTED, AfterSaleStage.CLOSED)
_STAGES: Mapping[AfterSaleType, tuple[AfterSaleStage, ...]] = {
    AfterSaleType.REFUND_ONLY: _AT_ONCE + _PAID_BACK,
    AfterSaleType.RETURN_REFUND: _RETURN + _PAID_BACK,
    AfterSaleType.EXCHANGE: _RETURN + _RESENT,
    AfterSaleType.REPAIR: _RETURN + _RESENT,
    AfterSaleType.RESHIP: _AT_ONCE + _RESENT,
}


def _of_after_sales() -> Iterator[Situation]:
    for kind, stages in _STAGES.items():
        for stage in stages:
            after_sale = sample_after_sale(kind, stage)
            yield _with_after_sales(f"{name_of(kind, 'en')}, {name_of(stage, 'en')}", after_sale)
            if after_sale.deadline is not None:
                late = sample_after_sale(kind, stage, **overdue())
                yield _with_after_sales(f"{name_of(kind, 'en')}, {name_of(stage, 'en')}, overdue", late)
    refund = AfterSaleType.RETURN_REFUND
    wallet = sample_after_sale(refund, AfterSaleStage.REFUNDED, refund_channel=RefundChannel.WALLET)
    yield _with_after_sales("refunded to the wallet", wallet)
    exchange = sample_after_sale(AfterSaleType.EXCHANGE, AfterSaleStage.REQUESTED, 2, line_id="sample-line-2")
    yield _with_after_sales("several after-sales", sample_after_sale(refund, AfterSaleStage.REFUNDING), exchange)


def _with_after_sales(name: str, *after_sales: Any) -> Situation:
    parcel = sample_parcel(ParcelState.DELIVERED)
    return Situation(name, sample_facts(sample_order(OrderState.DELIVERED, parcel, after_sales=after_sales)))


def _of_invoices() -> Iterator[Situation]:
    states = {"invoice requested": ("requested",), "invoice issued": ("issued",), "invoice reversed": ("red", "issued")}
    for name, invoices in states.items():
        invoiced = tuple(sample_invoice(state, number) for number, state in enumerate(invoices, start=1))
        order = sample_order(OrderState.COMPLETED, sample_parcel(ParcelState.DELIVERED), invoices=invoiced)
        yield Situation(name, sample_facts(order))


def _optional(things: Iterable[type[Fact]]) -> frozenset[_Field]:
    """The fields that a shop's systems may not tell."""
    fields = ((thing, name, field) for thing in things for name, field in thing.model_fields.items())
    return frozenset((thing, name) for thing, name, field in fields if field.default is None and not field.is_required())


_F = TypeVar("_F", bound=Fact)


def _without(fact: _F, fields: frozenset[_Field]) -> _F:
    """The same without these fields, in all that it holds."""
    update: dict[str, object] = {}
    for name in type(fact).model_fields:
        value: object = getattr(fact, name)
        if (type(fact), name) in fields:
            update[name] = None
        elif isinstance(value, Fact):
            update[name] = _without(value, fields)
        elif isinstance(value, tuple):
            items = cast("tuple[object, ...]", value)
            update[name] = tuple(_without(item, fields) if isinstance(item, Fact) else item for item in items)
    return fact.model_copy(update=update)
