"""The facts as templates see them: typed values by name, and nothing else.

Whatever is not known (a field that is None, a part that is missing) is undefined there: printing it or comparing it stops the
rendering, `is defined` asks for it. So a template can never say something of facts that it has not got.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, cast

from jinja2 import StrictUndefined, UndefinedError

from serve_app.domain.choosing import after_sales_in_progress, parcels_under_way
from serve_app.domain.facts import AfterSale, Coupon, Customer, Fact, Invoice, Line, Order, Parcel, ParcelEvent, ParcelState
from serve_app.domain.messages import Language
from serve_app.domain.wording import Locale, Money, day, name_of, tier_name, today

LISTED_MAX = 5  # coupons that an answer lists


class NotKnown(UndefinedError):
    """A slot has no value. `str()` is the slot: `parcel.eta`."""


class UnknownName(Exception):
    """There is no slot of that name: a slip in the template."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the view of a fact depends on besides the fact. `now` is an aware instant."""

    locale: Locale
    now: datetime
    missing: frozenset[str] = frozenset()
    order: Order | None = None

    @property
    def today(self) -> date:
        return today(self.now, self.locale.time_zone)

    @property
    def currency(self) -> str:
        return self.order.currency if self.order else self.locale.currency


def unknown(slot: str) -> StrictUndefined:
    return StrictUndefined(hint=slot, exc=NotKnown)


class View:
    """One fact. Its attributes are the fact's fields, the derived ones below, and each `x_minor` as money `x`."""

    __slots__ = ("_fact", "_path", "_scope")

    def __init__(self, fact: Fact, path: str, scope: Scope) -> None:
        self._fact = fact
        self._path = path
        self._scope = replace(scope, order=fact) if isinstance(fact, Order) else scope

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        slot = f"{self._path}.{name}"
        if _PARTS.get((type(self._fact), name), frozenset[str]()) & self._scope.missing:
            return unknown(slot)
        return seen(self._value(name, slot), slot, self._scope)

    def _value(self, name: str, slot: str) -> object:
        fact, fields = self._fact, type(self._fact).model_fields
        derived = DERIVED.get(type(fact), {}).get(name)
        if derived is not None:
            return derived(fact, self._scope)
        if name in fields:
            return getattr(fact, name)
        if f"{name}_minor" in fields:
            minor = getattr(fact, f"{name}_minor")
            return None if minor is None else Money(minor, self._scope.currency)
        raise UnknownName(slot)


def seen(value: object, slot: str, scope: Scope) -> Any:
    """A value as a template sees it: facts behind views, None as unknown."""
    if value is None:
        return unknown(slot)
    if isinstance(value, Fact):
        return View(value, slot, scope)
    if isinstance(value, tuple):
        return tuple(seen(item, f"{slot}[]", scope) for item in cast("tuple[object, ...]", value))
    return value


def kind(value: object) -> str:
    """For messages: what a value is."""
    if isinstance(value, View | StrEnum | date | Money):
        return type(value).__name__.lower()
    return "list" if isinstance(value, tuple) else type(value).__name__


def _order_title(order: Order, scope: Scope) -> str | None:
    """What the order is called: its first item, and how many more there are."""
    if not order.lines:
        return None
    first = _title(order.lines[0], scope)
    more = len(order.lines) - 1
    if not more:
        return first
    return f"{first}等{more + 1}件商品" if scope.locale.language == "zh" else f"{first} and {more} more"


def _order_label(order: Order, scope: Scope) -> str:
    """How an answer speaks of an order: 尾号0001的订单(…), order ending 0001 (…); its items are named when they are known."""
    title = None if "lines" in scope.missing else _order_title(order, scope)
    if scope.locale.language == "zh":
        return f"尾号{order.id[-4:]}的订单" + (f"（{title}）" if title else "")
    return f"order ending {order.id[-4:]}" + (f" ({title})" if title else "")


def _order_listed(order: Order, scope: Scope) -> str:
    """An order in a list: when it was placed, what it holds if that is known, its state, its last four digits."""
    language = scope.locale.language
    placed = day(today(order.placed_at, scope.locale.time_zone), scope.locale)
    title = None if "lines" in scope.missing else _order_title(order, scope)
    tail = f"尾号{order.id[-4:]}" if language == "zh" else f"ending {order.id[-4:]}"
    return " · ".join([placed, *([title] if title else []), name_of(order.state, language), tail])


def _invoice_state(invoice: Invoice, scope: Scope) -> str:
    return _INVOICE_STATES[scope.locale.language].get(invoice.state, invoice.state)


def _parcel_label(parcel: Parcel, scope: Scope) -> str:
    known = [part for part in (parcel.carrier, parcel.tracking_no) if part]
    return " ".join(known) or ("包裹" if scope.locale.language == "zh" else "The parcel")


def _title(named: Line | Coupon, scope: Scope) -> str:
    return named.title_zh if scope.locale.language == "zh" else named.title_en


def _after_sale_title(after_sale: AfterSale, scope: Scope) -> str | None:
    lines = scope.order.lines if scope.order else ()
    return next((_title(line, scope) for line in lines if line.id == after_sale.line_id), None)


def _balance(order: Order, _: Scope) -> Money | None:
    return None if order.deposit_minor is None else Money(order.total_minor - order.deposit_minor, order.currency)


def _shipped(order: Order, _: Scope) -> tuple[Parcel, ...]:
    return tuple(parcel for parcel in order.parcels if parcel.state != "label_created")


def _eta(parcel: Parcel, _: Scope) -> date | None:
    return parcel.estimated_date or parcel.promised_date


def _due(parcel: Parcel) -> date | None:
    return parcel.promised_date or parcel.estimated_date


def _is_late(parcel: Parcel, scope: Scope) -> bool:
    due = _due(parcel)
    return parcel.state in _ON_THE_WAY and due is not None and due < scope.today


def _expects(parcel: Parcel, scope: Scope) -> bool:
    """Whether its estimate is still worth saying."""
    eta = _eta(parcel, scope)
    return parcel.state in _ON_THE_WAY and eta is not None and eta >= scope.today


def _valid_coupons(customer: Customer, scope: Scope) -> tuple[Coupon, ...]:
    """The one that ends first comes first."""
    valid = [coupon for coupon in customer.coupons if coupon.valid_until > scope.now]
    return tuple(sorted(valid, key=lambda coupon: coupon.valid_until))


def _is_over(after_sale: AfterSale, scope: Scope) -> bool | None:
    return None if after_sale.deadline is None else after_sale.deadline < scope.now


_ON_THE_WAY = frozenset(
    {ParcelState.LABEL_CREATED, ParcelState.PICKED_UP, ParcelState.IN_TRANSIT, ParcelState.OUT_FOR_DELIVERY}
)
_INVOICE_STATES: Mapping[Language, Mapping[str, str]] = {
    "zh": {"requested": "开票中", "issued": "已开具", "red": "已冲红"},
    "en": {"requested": "requested, not issued yet", "issued": "issued", "red": "reversed"},
}
DERIVED: Mapping[type[Fact], Mapping[str, Callable[[Any, Scope], object]]] = {
    Customer: {
        "tier_name": lambda it, scope: None if it.tier is None else tier_name(it.tier, scope.locale.language),
        "valid_coupons": _valid_coupons,
        "coupons_ending_first": lambda customer, scope: _valid_coupons(customer, scope)[:LISTED_MAX],
    },
    Coupon: {"title": _title},
    Order: {
        "tail": lambda it, _: it.id[-4:],
        "title": _order_title,
        "label": _order_label,
        "listed": _order_listed,
        "is_open": lambda it, _: it.state.is_open,
        "balance": _balance,
        "parcels_under_way": lambda it, _: parcels_under_way(it),
        "parcels_shipped": _shipped,
        "after_sales": lambda it, _: it.after_sales,
        "after_sales_in_progress": lambda it, _: after_sales_in_progress(it),
    },
    Line: {"title": _title},
    Parcel: {
        "label": _parcel_label,
        "eta": _eta,
        "due": lambda it, _: _due(it),
        "is_late": _is_late,
        "is_expected": _expects,
        "latest": lambda it, _: it.latest,
    },
    ParcelEvent: {},
    AfterSale: {"title": _after_sale_title, "is_overdue": _is_over},
    Invoice: {"state_name": _invoice_state},
}
# What cannot be known while a part of the facts is missing.
_PARTS: Mapping[tuple[type[Fact], str], frozenset[str]] = {
    (Customer, "coupons"): frozenset({"coupons"}),
    (Customer, "valid_coupons"): frozenset({"coupons"}),
    (Customer, "coupons_ending_first"): frozenset({"coupons"}),
    (Order, "lines"): frozenset({"lines"}),
    (Order, "title"): frozenset({"lines"}),
    (Order, "parcels"): frozenset({"parcels"}),
    (Order, "parcels_under_way"): frozenset({"parcels"}),
    (Order, "parcels_shipped"): frozenset({"parcels"}),
    (Order, "invoices"): frozenset({"invoices"}),
    (Order, "after_sales"): frozenset({"lines", "after_sales"}),
    (Order, "after_sales_in_progress"): frozenset({"lines", "after_sales"}),
    (Line, "after_sales"): frozenset({"after_sales"}),
    (Parcel, "events"): frozenset({"parcel_events"}),
    (Parcel, "latest"): frozenset({"parcel_events"}),
}


def names() -> frozenset[str]:
    """Every attribute that some fact has in a template."""
    fields = {name for fact in DERIVED for name in fact.model_fields}
    return frozenset(fields | {name.removesuffix("_minor") for name in fields} | {n for d in DERIVED.values() for n in d})
