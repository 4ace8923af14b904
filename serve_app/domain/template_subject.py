"""What one answer is about, and the names under which a template speaks of it: things, counts, conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from serve_app.domain import derived
from serve_app.domain.choosing import after_sales_in_progress
from serve_app.domain.facts import AfterSale, AfterSaleStage, Customer, Facts, Order, OrderState, Parcel, ParcelState
from serve_app.domain.question import Entities
from serve_app.domain.scope import Scope
from serve_app.domain.slot_table import SLOTS
from serve_app.domain.slot_types import CONDITION, NUMBER, SlotType, list_of, thing
from serve_app.domain.template_view import seen, unknown


@dataclass(frozen=True, slots=True)
class Subject:
    """One customer's facts, and what of them is spoken of; None: nothing, or more than one."""

    facts: Facts
    order: Order | None
    parcel: Parcel | None
    after_sale: AfterSale | None
    scope: Scope

    def value(self, name: str) -> Any:
        """A root as a template sees it; undefined without a value. Raises KeyError for a name that is no root."""
        root = ROOTS[name]
        if root.parts & self.scope.missing:
            return unknown(name)
        within = replace(self.scope, order=self.order) if root.is_of_order else self.scope
        return seen(root.read(self), name, within)


@dataclass(frozen=True, slots=True)
class Root:
    """A name that a template begins with. `is_of_order`: its money is in the order's currency.

    While one of `parts` is missing from the facts, it has no value; it is found by all that it `reads`.
    """

    type: SlotType
    meaning: str
    zh: str
    read: Callable[[Subject], object]
    parts: frozenset[str] = frozenset()
    is_of_order: bool = False
    found_by: frozenset[str] = frozenset({"orders"})

    @property
    def reads(self) -> frozenset[str]:
        return self.parts | self.found_by


def subject_of(facts: Facts, order: Order | None, entities: Entities, scope: Scope) -> Subject:
    """With the parcel and the after-sale of `order` that are meant, if it is one."""
    parcel = _parcel_meant(order, entities) if order and "parcels" not in scope.missing else None
    after_sale = _after_sale_meant(order) if order and not scope.missing & {"lines", "after_sales"} else None
    return Subject(facts, order, parcel, after_sale, scope)


def _parcel_meant(order: Order, entities: Entities) -> Parcel | None:
    """The parcel with the tracking number that was named, else the only one."""
    named = [parcel for parcel in order.parcels if parcel.tracking_no in entities.tracking_nos]
    parcels = named or order.parcels
    return parcels[0] if len(parcels) == 1 else None


def _after_sale_meant(order: Order) -> AfterSale | None:
    """The only one in progress, else the only one."""
    after_sales = after_sales_in_progress(order) or order.after_sales
    return after_sales[0] if len(after_sales) == 1 else None


def _open_count(subject: Subject) -> int | None:
    """None while there may be others that the facts do not hold."""
    facts = subject.facts
    return _open_seen(subject) if facts.order_count == len(facts.orders) else None


def _open_seen(subject: Subject) -> int:
    return sum(order.state.is_open for order in subject.facts.orders)


_Test = Callable[[Subject], bool | None]


def _order_is(*states: OrderState) -> _Test:
    return lambda subject: subject.order is not None and subject.order.state in states


def _parcels_of(subject: Subject) -> tuple[Parcel, ...]:
    if subject.parcel:
        return (subject.parcel,)
    return subject.order.parcels if subject.order else ()


def _a_parcel_is(state: ParcelState) -> _Test:
    return lambda subject: any(parcel.state is state for parcel in _parcels_of(subject))


def _all_delivered(subject: Subject) -> bool:
    parcels = _parcels_of(subject)
    if not parcels or (subject.parcel is None and _order_is(OrderState.PARTLY_SHIPPED)(subject)):
        return _order_is(OrderState.DELIVERED)(subject) is True
    return all(parcel.state is ParcelState.DELIVERED for parcel in parcels)


def _is_late(subject: Subject) -> bool:
    return any(derived.is_late(parcel, subject.scope) for parcel in _parcels_of(subject))


def _parcel_count(least: int, most: int | None = None) -> _Test:
    def counted(subject: Subject) -> bool:
        return subject.order is not None and least <= len(subject.order.parcels) <= (most if most is not None else 10**9)

    return counted


def _after_sale_is(*stages: AfterSaleStage) -> _Test:
    return lambda subject: subject.after_sale is not None and subject.after_sale.stage in stages


def _after_sale_count(least: int, most: int | None = None) -> _Test:
    def counted(subject: Subject) -> bool:
        return subject.order is not None and least <= len(subject.order.after_sales) <= (most if most is not None else 10**9)

    return counted


def _has_no_coupons(subject: Subject) -> bool | None:
    return None if subject.facts.customer is None else not derived.valid_coupons(subject.facts.customer, subject.scope)


def _condition(meaning: str, zh: str, read: _Test, *parts: str) -> Root:
    return Root(CONDITION, meaning, zh, read, frozenset(parts))


def _of_the_customer(meaning: str, zh: str, read: _Test, *parts: str) -> Root:
    return Root(CONDITION, meaning, zh, read, frozenset(parts), found_by=frozenset())


_AFTER_SALES = ("lines", "after_sales")
# True or false whatever the question is about, so that cases can stand in any order; no value while their part is missing.
CONDITIONS: Mapping[str, Root] = {
    "no_order": _condition("the customer has no order at all", "没有订单", lambda it: it.facts.order_count == 0, "orders"),
    "no_such_order": _condition(
        "there are orders, and none of those read is what the question is about",
        "没有这样的订单",
        lambda it: it.order is None and bool(it.facts.order_count),
        "orders",
    ),
    "several_orders": _condition(
        "the customer has more than one order", "多个订单", lambda it: (it.facts.order_count or 0) > 1, "orders"
    ),
    "unpaid": _condition("the order is awaiting payment", "待付款", _order_is(OrderState.UNPAID)),
    "deposit_paid": _condition("the order's deposit is paid", "已付定金", _order_is(OrderState.DEPOSIT_PAID)),
    "waiting_to_ship": _condition("the order is paid and not shipped", "待发货", _order_is(OrderState.PAID)),
    "partly_shipped": _condition("some of the order is shipped", "部分发货", _order_is(OrderState.PARTLY_SHIPPED)),
    "shipped": _condition("all of the order is shipped and not yet delivered", "已发货", _order_is(OrderState.SHIPPED)),
    "completed": _condition("the order is completed", "已完成", _order_is(OrderState.COMPLETED)),
    "cancelled": _condition("the order is cancelled", "已取消", _order_is(OrderState.CANCELLED)),
    "closed": _condition("the order is closed", "已关闭", _order_is(OrderState.CLOSED)),
    "no_parcel": _condition("there is no parcel for the order yet", "没有包裹", _parcel_count(0, 0), "parcels"),
    "several_parcels": _condition("the order has more than one parcel", "多个包裹", _parcel_count(2), "parcels"),
    "in_transit": _condition("a parcel is in transit", "运输中", _a_parcel_is(ParcelState.IN_TRANSIT), "parcels"),
    "out_for_delivery": _condition(
        "a parcel is out for delivery", "派送中", _a_parcel_is(ParcelState.OUT_FOR_DELIVERY), "parcels"
    ),
    "at_pickup_point": _condition(
        "a parcel waits at a pickup point", "已到代收点", _a_parcel_is(ParcelState.AT_PICKUP_POINT), "parcels"
    ),
    "delivered": _condition("the parcel, or every parcel of the order, is delivered", "已签收", _all_delivered, "parcels"),
    "returned": _condition("a parcel was returned to the shop", "包裹已退回", _a_parcel_is(ParcelState.RETURNED), "parcels"),
    "delivery_problem": _condition("a parcel has a problem", "运输异常", _a_parcel_is(ParcelState.EXCEPTION), "parcels"),
    "lost": _condition("a parcel is lost", "包裹丢失", _a_parcel_is(ParcelState.LOST), "parcels"),
    "late": _condition("a parcel is on its way and its day has passed", "已晚点", _is_late, "parcels"),
    "no_after_sale": _condition(
        "the order has no refund or after-sale", "没有售后", _after_sale_count(0, 0), *_AFTER_SALES
    ),
    "several_after_sales": _condition(
        "the order has more than one after-sale", "多个售后", _after_sale_count(2), *_AFTER_SALES
    ),
    "refunding": _condition("the refund is under way", "退款中", _after_sale_is(AfterSaleStage.REFUNDING), *_AFTER_SALES),
    "refunded": _condition("the refund was sent", "已退款", _after_sale_is(AfterSaleStage.REFUNDED), *_AFTER_SALES),
    "no_coupons": _of_the_customer(
        "the customer has no valid coupon", "没有可用优惠券", _has_no_coupons, "customer", "coupons"
    ),
    "no_invoice": _condition(
        "the order has no invoice", "没有发票", lambda it: it.order is not None and not it.order.invoices, "invoices"
    ),
}  # fmt: skip
_ORDERS = frozenset({"orders"})
_THINGS: Mapping[str, Root] = {
    "customer": Root(thing(Customer), "who asks", "顾客", lambda it: it.facts.customer, frozenset({"customer"}),
                     found_by=frozenset()),
    "order": Root(thing(Order), "the order spoken of", "所问的订单", lambda it: it.order),
    "parcel": Root(thing(Parcel), "the parcel spoken of: the one named, else the only one", "所问的包裹",
                   lambda it: it.parcel, is_of_order=True, found_by=frozenset({"orders", "parcels"})),
    "after_sale": Root(thing(AfterSale), "the after-sale spoken of: the only one in progress, else the only one", "所问的售后",
                       lambda it: it.after_sale, is_of_order=True, found_by=frozenset({"orders", *_AFTER_SALES})),
    "orders": Root(list_of(thing(Order)), "the orders that were read, newest first", "读到的订单", lambda it: it.facts.orders,
                   _ORDERS),
    "order_count": Root(NUMBER, "how many orders the customer has", "订单总数", lambda it: it.facts.order_count, _ORDERS),
    "open_count": Root(NUMBER, "how many are open; no value unless all were read", "未完成订单数", _open_count, _ORDERS),
    "orders_seen": Root(NUMBER, "how many orders were read", "读到的订单数", lambda it: len(it.facts.orders)),
    "open_seen": Root(NUMBER, "how many of those are open", "读到的未完成订单数", _open_seen),
}  # fmt: skip
ROOTS: Mapping[str, Root] = {**_THINGS, **CONDITIONS}


def reads_of(owner: SlotType, slot: str) -> frozenset[str]:
    """The parts of the facts that a thing's slot is made from."""
    return SLOTS[owner.fact][slot].reads if owner.fact else frozenset()


def slots_of(root: Root | SlotType) -> Mapping[str, SlotType]:
    """The slots of a thing, by name; none for what is no thing."""
    kind = root.type if isinstance(root, Root) else root
    return {name: slot.type for name, slot in SLOTS[kind.fact].items()} if kind.fact else {}
