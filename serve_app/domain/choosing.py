"""Which order a question means: the one it names, the one chosen before, the only one it can be, else a choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from serve_app.domain.facts import AfterSale, AfterSaleStage, Facts, Order, OrderState, Parcel, ParcelState
from serve_app.domain.intents import ABOUT_THE_CUSTOMER, OF_ORDERS, OF_PARCELS, OF_REFUNDS, Intent
from serve_app.domain.mentions import is_called, named_among
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


@dataclass(frozen=True, slots=True)
class NotHeld:
    """None of the orders holds the thing that was named, if it was the name of a thing at all."""


Choice = Chosen | Several | NotAmongFacts | NoneFits | CannotTell | NotHeld


def choose_order(intent: Intent, facts: Facts, entities: Entities, chosen_order_id: str | None) -> Choice:
    """The order meant by a question of `intent`; what it names itself goes before what was chosen earlier."""
    if "orders" in facts.missing:
        return CannotTell("orders")
    if entities.things or entities.marks:
        return _told_apart(intent, facts, entities, chosen_order_id)
    if entities.names_an_order:
        return _named(facts, entities)
    named = _with_items_named(facts, entities)
    if named:
        return _one_of(named) or _choice(named)
    if chosen_order_id is not None:
        carried = _one_of([order for order in facts.orders if order.id == chosen_order_id])
        return _the_one_that_has(intent, facts, carried.order, entities) if carried else _absent(facts, False)
    if entities.sku_ids:
        return _with_sku(facts, entities)
    return _only_one_it_can_be(intent, facts)


def parts_that_tell(intent: Intent, entities: Entities) -> frozenset[str]:
    """The parts of the facts by which the order is chosen, and named where there are several."""
    if intent in ABOUT_THE_CUSTOMER:
        return frozenset()
    by_parcels = entities.tracking_nos or "lost" in entities.marks
    return frozenset({"orders", "lines", *_told_by(intent), *(["parcels"] if by_parcels else [])})


def parcels_under_way(order: Order) -> tuple[Parcel, ...]:
    return tuple(parcel for parcel in order.parcels if parcel.state in _UNDER_WAY)


def after_sales_in_progress(order: Order) -> tuple[AfterSale, ...]:
    return tuple(after_sale for after_sale in order.after_sales if after_sale.stage not in _SETTLED)


_GONE = frozenset({ParcelState.LOST, ParcelState.RETURNED})
_NEVER_PAID = frozenset({OrderState.UNPAID, OrderState.CLOSED, OrderState.CANCELLED})
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


def _the_one_that_has(intent: Intent, facts: Facts, carried: Order, entities: Entities) -> Choice:
    """那退款呢 after another order's parcel: the only order that has a refund, unless the customer picked this one."""
    has = _HAS.get(intent)
    if has is None or has(carried) or entities.ordinal or not set(_told_by(intent)).isdisjoint(facts.missing):
        return Chosen(carried)
    return _one_of([order for order in facts.orders if has(order)]) or Chosen(carried)


def _told_apart(intent: Intent, facts: Facts, entities: Entities, chosen_order_id: str | None) -> Choice:
    """By the things that were bought (all in one order), and by its state."""
    parts = [*(["lines"] if entities.things else []), *(["parcels"] if "lost" in entities.marks else [])]
    missing = [part for part in parts if part in facts.missing]
    if missing:
        return CannotTell(missing[0])
    named = facts.orders
    if entities.names_an_order:
        named = tuple(order for order in facts.orders if _is_named(order, entities))
        if not named:
            return _named(facts, entities)
    fitting = [order for order in named if _holds(order, entities.things) and _is_marked(order, entities.marks)]
    if not fitting and entities.things:
        return NotHeld()
    if not fitting:
        return NoneFits() if facts.order_count == len(facts.orders) else CannotTell("order")
    chosen = [order for order in fitting if order.id == chosen_order_id]
    likely = chosen or _likely(intent, fitting) or fitting
    return _one_of(likely) or _choice(likely)


def _holds(order: Order, things: Sequence[str]) -> bool:
    return all(any(is_called(thing, (line.title_zh, line.title_en)) for line in order.lines) for thing in things)


def _is_marked(order: Order, marks: Sequence[str]) -> bool:
    is_lost = any(parcel.state is ParcelState.LOST for parcel in order.parcels)
    return ("unpaid" not in marks or (order.state in _NEVER_PAID and not order.paid_at)) and ("lost" not in marks or is_lost)


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
    return next((likely for likely in found if likely), list[Order]())


def _is_in(*states: OrderState) -> Callable[[Order], bool]:
    return lambda order: order.state in states


def _has_after_sale(order: Order) -> bool:
    return bool(order.after_sales)


def _is_open(order: Order) -> bool:
    return order.state.is_open


def _waits_for_a_parcel(order: Order) -> bool:
    """One that was lost or went back is still missed."""
    gone = any(parcel.state in _GONE for parcel in order.parcels)
    return bool(parcels_under_way(order)) or (order.state.is_open and gone)


def _waits_to_be_collected(order: Order) -> bool:
    return any(parcel.state is ParcelState.AT_PICKUP_POINT for parcel in order.parcels)


_Condition = Callable[[Order], object]
_OF_A_PARCEL: tuple[_Condition, ...] = (
    _waits_for_a_parcel,
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
