"""What follows from the facts about an order, a parcel, an after-sale: titles, labels, what is late, what is still valid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from serve_app.domain.facts import AfterSale, Coupon, Customer, Invoice, Line, Order, Parcel, ParcelState
from serve_app.domain.messages import Language
from serve_app.domain.scope import Scope
from serve_app.domain.wording import Money, day, name_of, tier_name, today

LISTED_MAX = 5  # coupons that an answer lists


def tier_name_of(customer: Customer, scope: Scope) -> str | None:
    return None if customer.tier is None else tier_name(customer.tier, scope.locale.language)


def valid_coupons(customer: Customer, scope: Scope) -> tuple[Coupon, ...]:
    """The one that ends first comes first."""
    valid = [coupon for coupon in customer.coupons if coupon.valid_until > scope.now]
    return tuple(sorted(valid, key=lambda coupon: coupon.valid_until))


def coupons_ending_first(customer: Customer, scope: Scope) -> tuple[Coupon, ...]:
    return valid_coupons(customer, scope)[:LISTED_MAX]


def title(named: Line | Coupon, scope: Scope) -> str | None:
    """None when a source gave none but blanks."""
    return (named.title_zh if scope.locale.language == "zh" else named.title_en).strip() or None


def order_title(order: Order, scope: Scope) -> str | None:
    """What the order is called: its first item, and how many more there are."""
    first = title(order.lines[0], scope) if order.lines else None
    more = len(order.lines) - 1
    if first is None or not more:
        return first
    return f"{first}等{more + 1}件商品" if scope.locale.language == "zh" else f"{first} and {more} more"


def order_label(order: Order, scope: Scope) -> str:
    """How an answer speaks of an order: 尾号0001的订单(…), order ending 0001 (…); its items are named when they are known."""
    called = None if "lines" in scope.missing else order_title(order, scope)
    if scope.locale.language == "zh":
        return f"尾号{order.id[-4:]}的订单" + (f"（{called}）" if called else "")
    return f"order ending {order.id[-4:]}" + (f" ({called})" if called else "")


def order_listed(order: Order, scope: Scope) -> str:
    """An order in a list: when it was placed, what it holds if that is known, its state, its last four digits."""
    language = scope.locale.language
    placed = day(today(order.placed_at, scope.locale.time_zone), scope.locale)
    called = None if "lines" in scope.missing else order_title(order, scope)
    tail = f"尾号{order.id[-4:]}" if language == "zh" else f"ending {order.id[-4:]}"
    return " · ".join([placed, *([called] if called else []), name_of(order.state, language), tail])


def balance(order: Order, _: Scope) -> Money | None:
    return None if order.deposit_minor is None else Money(order.total_minor - order.deposit_minor, order.currency)


def parcels_shipped(order: Order, _: Scope) -> tuple[Parcel, ...]:
    return tuple(parcel for parcel in order.parcels if parcel.state != ParcelState.LABEL_CREATED)


def parcel_label(parcel: Parcel, scope: Scope) -> str:
    known = [part for part in (parcel.carrier, parcel.tracking_no) if part and part.strip()]
    return " ".join(known) or ("包裹" if scope.locale.language == "zh" else "The parcel")


def eta(parcel: Parcel, _: Scope) -> date | None:
    return parcel.estimated_date or parcel.promised_date


def due(parcel: Parcel, _: Scope) -> date | None:
    return parcel.promised_date or parcel.estimated_date


def is_late(parcel: Parcel, scope: Scope) -> bool:
    by = due(parcel, scope)
    return parcel.state in _ON_THE_WAY and by is not None and by < scope.today


def is_expected(parcel: Parcel, scope: Scope) -> bool:
    """Whether its estimate is still worth saying."""
    by = eta(parcel, scope)
    return parcel.state in _ON_THE_WAY and by is not None and by >= scope.today


def after_sale_title(after_sale: AfterSale, scope: Scope) -> str | None:
    lines = scope.order.lines if scope.order else ()
    return next((title(line, scope) for line in lines if line.id == after_sale.line_id), None)


def is_overdue(after_sale: AfterSale, scope: Scope) -> bool | None:
    return None if after_sale.deadline is None else after_sale.deadline < scope.now


def invoice_state(invoice: Invoice, scope: Scope) -> str:
    return _INVOICE_STATES[scope.locale.language].get(invoice.state, invoice.state)


_ON_THE_WAY = frozenset(
    {ParcelState.LABEL_CREATED, ParcelState.PICKED_UP, ParcelState.IN_TRANSIT, ParcelState.OUT_FOR_DELIVERY}
)
_INVOICE_STATES: Mapping[Language, Mapping[str, str]] = {
    "zh": {"requested": "开票中", "issued": "已开具", "red": "已冲红"},
    "en": {"requested": "requested, not issued yet", "issued": "issued", "red": "reversed"},
}
