"""Which order a question means: the one it names, the one chosen before, the only one it can be, else a choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from serve_app.domain.facts import AfterSale, AfterSaleStage, Facts, Order, OrderState, Parcel, ParcelState
from serve_app.domain.intents import OF_ORDERS, OF_PARCELS, OF_REFUNDS, Intent
from serve_app.domain.mentions import named_among
from serve_app.domain.question import Entities

CHOICES_MAX = 5


@dataclass(frozen=True, slots=True)
class Chosen:
    order: Order


@dataclass(frozen=True, slots=True)
class Several:
    """The customer has to choose: at most CHOICES_MAX orders, newest first. `more`: there are others."""

    orders: tuple[Order, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class NotAmongFacts:
    """An order was named that is not this customer's. Nothing is said of whether it exists."""

    by_tracking_no: bool


@dataclass(frozen=True, slots=True)
class NoneFits:
    """Nothing that the question could be about."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """A part of the facts is missing, or they do not hold what was named: `what` says which."""

    what: str


Choice = Chosen | Several | NotAmongFacts | NoneFits | CannotTell


def choose_order(intent: Intent, facts: Facts, entities: Entities, chosen_order_id: str | None) -> Choice:
    """The order meant by a question of `intent`; what it names itself goes before what was chosen earlier."""
    if "orders" in facts.missing:
        return CannotTell("orders")
    if entities.names_an_order:
        return _named(facts, entities)
    named = _with_items_named(facts, entities)
    if named:
        return _one_of(named) or _choice(named)
    if chosen_order_id is not None:
        return _one_of([order for order in facts.orders if order.id == chosen_order_id]) or _absent(facts, False)
    if entities.sku_ids:
        return _with_sku(facts, entities)
    return _only_one_it_can_be(intent, facts)


def parcels_under_way(order: Order) -> tuple[Parcel, ...]:
    return tuple(parcel for parcel in order.parcels if parcel.state in _UNDER_WAY)


def after_sales_in_progress(order: Order) -> tuple[AfterSale, ...]:
    return tuple(after_sale for after_sale in order.after_sales if after_sale.stage not in _SETTLED)


_UNDER_WAY = frozenset(
    {
        ParcelState.LABEL_CREATED,
        ParcelState.PICKED_UP,
        ParcelState.IN_TRANSIT,
        ParcelState.OUT_FOR_DELIVERY,
        ParcelState.AT_PICKUP_POINT,
        ParcelState.EXCEPTION,
    }
)
_SETTLED = frozenset({AfterSaleStage.REJECTED, AfterSaleStage.RESHIPPED, AfterSaleStage.REFUNDED, AfterSaleStage.CLOSED})


def _named(facts: Facts, entities: Entities) -> Choice:
    if entities.tracking_nos and "parcels" in facts.missing:
        return CannotTell("parcels")
    named = [order for order in facts.orders if _is_named(order, entities)]
    if named:
        return _one_of(named) or _choice(named)
    return _absent(facts, by_tracking_no=not (entities.order_ids or entities.order_tails))


def _absent(facts: Facts, by_tracking_no: bool) -> Choice:
    """An order that the sources were never asked for may still be the customer's."""
    return NotAmongFacts(by_tracking_no) if facts.named_orders_known else CannotTell("order")


def _is_named(order: Order, entities: Entities) -> bool:
    return (
        order.id in entities.order_ids
        or any(order.id.endswith(tail) for tail in entities.order_tails)
        or any(parcel.tracking_no in entities.tracking_nos for parcel in order.parcels if parcel.tracking_no)
    )


def _with_items_named(facts: Facts, entities: Entities) -> tuple[Order, ...]:
    """耳机到哪了: the orders that hold the thing, the open ones first."""
    if "lines" in facts.missing or not entities.said:
        return ()
    named = named_among(entities.said, facts.orders, lambda order: [f"{line.title_zh} {line.title_en}" for line in order.lines])
    return tuple(order for order in named if order.state.is_open) or named


def _with_sku(facts: Facts, entities: Entities) -> Choice:
    if "lines" in facts.missing:
        return CannotTell("lines")
    holding = [order for order in facts.orders if any(line.sku_id in entities.sku_ids for line in order.lines)]
    if not holding:
        # The facts hold the open orders only, so the item may stand in an older one.
        return CannotTell("order")
    return _one_of(holding) or _choice(holding)


def _only_one_it_can_be(intent: Intent, facts: Facts) -> Choice:
    missing = [part for part in _told_by(intent) if part in facts.missing]
    if missing:
        return CannotTell(missing[0])
    likely = _likely(intent, facts.orders)
    if likely:
        return _one_of(likely) or _choice(likely)
    newest = max(facts.orders, key=lambda order: order.placed_at, default=None)
    return NoneFits() if newest is None or intent in _HAS else Chosen(newest)


def _told_by(intent: Intent) -> tuple[str, ...]:
    """The parts of the facts that tell which orders an intent can be about."""
    if intent in OF_REFUNDS:
        return ("lines", "after_sales")
    if intent is Intent.OWN_INVOICE:
        return ("invoices",)
    return ("parcels",) if intent in OF_PARCELS else ()


def _likely(intent: Intent, orders: Sequence[Order]) -> list[Order]:
    """Those among `orders` that meet the first condition which any of them meets."""
    found = ([order for order in orders if fits(order)] for fits in _LIKELY[intent])
    return next((likely for likely in found if likely), [])


def _is_in(*states: OrderState) -> Callable[[Order], bool]:
    return lambda order: order.state in states


def _has_after_sale(order: Order) -> bool:
    return bool(order.after_sales)


def _is_open(order: Order) -> bool:
    return order.state.is_open


def _waits_to_be_collected(order: Order) -> bool:
    return any(parcel.state is ParcelState.AT_PICKUP_POINT for parcel in order.parcels)


_Condition = Callable[[Order], object]
_OF_A_PARCEL: tuple[_Condition, ...] = (
    parcels_under_way,
    _is_in(OrderState.SHIPPED, OrderState.PARTLY_SHIPPED),
    _is_in(OrderState.PAID),
    _is_in(OrderState.DELIVERED),
    _is_open,
)
# What only some orders have: a question about it is about one of those, or about none.
_HAS: Mapping[Intent, _Condition] = {
    **dict.fromkeys(OF_REFUNDS, _has_after_sale),
    Intent.ORDER_BALANCE: lambda order: order.deposit_minor is not None,
    Intent.OWN_INVOICE: lambda order: order.invoices,
}
# Tried in order: the first condition that any order meets decides among those that meet it.
_LIKELY: Mapping[Intent, tuple[_Condition, ...]] = {
    **dict.fromkeys(OF_ORDERS, (_is_open,)),
    **dict.fromkeys(OF_PARCELS, _OF_A_PARCEL),
    **dict.fromkeys(OF_REFUNDS, (after_sales_in_progress, _has_after_sale)),
    Intent.PARCEL_PICKUP: (_waits_to_be_collected, *_OF_A_PARCEL),
    Intent.ORDER_BALANCE: (_is_in(OrderState.DEPOSIT_PAID), _HAS[Intent.ORDER_BALANCE]),
    Intent.OWN_INVOICE: (_HAS[Intent.OWN_INVOICE],),
}


def _one_of(orders: Sequence[Order]) -> Chosen | None:
    return Chosen(orders[0]) if len(orders) == 1 else None


def _choice(orders: Sequence[Order]) -> Several:
    newest_first = sorted(orders, key=lambda order: order.placed_at, reverse=True)
    return Several(tuple(newest_first[:CHOICES_MAX]), more=len(newest_first) > CHOICES_MAX)
