"""Rows of several sources become one customer's facts. Only rows that are proved to be this customer's get in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from serve_app.domain.facts import AfterSale, Coupon, Customer, Fact, Facts, Invoice, Line, Order, Parcel, ParcelEvent
from serve_app.domain.sources import PARTS, SHAPES, Part

F = TypeVar("F", bound=Fact)

# With no order open, this many of the newest still say what the customer may mean.
RECENT_ORDERS = 2


@dataclass(frozen=True, slots=True)
class Row:
    """A fact whose nested parts are still empty, and what it belongs to."""

    fact: Fact
    extras: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Reading:
    """`problems` name fields and reasons, never values; each stands for a row that was left out."""

    rows: tuple[Row, ...] = ()
    problems: tuple[str, ...] = ()
    others: int = 0  # rows of other customers that the question named: left out, and no fault of the source


def read_rows(
    part: Part, mapped: Iterable[Mapping[str, Any]], customer_id: str, currency: str, *, by_name: bool = False
) -> Reading:
    """Validates a source's mapped rows. A bad row and another customer's are left out, each with its reason.

    `by_name`: the source was asked by what the question named, which may be anybody's. Each of its rows must then say whose it
    is. Another customer's is left out as if it did not exist, so that nothing tells that it does.
    """
    shape = SHAPES[part]
    owner = "id" if part == "customer" else "customer_id"
    given = {"currency": currency, **({} if by_name else {"customer_id": customer_id})} if part == "orders" else {}
    rows: list[Row] = []
    problems: list[str] = []
    others = 0
    seen: set[tuple[str, str]] = set()
    for raw in mapped:
        values = {**given, **raw}
        if by_name and owner not in values:
            problems.append(f"{owner}: it must say whose a row is, because the source is asked by what the question names")
            continue
        if owner in values and str(values[owner]) != customer_id:
            if by_name:
                others += 1
                continue
            problems.append("a row belongs to another customer")
            continue
        extras = {name: values.pop(name) for name in shape.extras if name in values}
        try:
            fact = shape.model.model_validate(values)
        except ValidationError as error:
            problems.append(_reason(error))
            continue
        # A join may repeat a row; some shops number lines within each order.
        identity = str(getattr(fact, "id", "")), str(extras.get("order_id", ""))
        if not identity[0] or identity not in seen:
            rows.append(Row(fact, extras))
            seen.add(identity)
    return Reading(tuple(rows), tuple(problems), others)


def _reason(error: ValidationError) -> str:
    details = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in details[:3])


def select_orders(
    rows: Sequence[Row], open_max: int, order_ids: Sequence[str] = (), order_tails: Sequence[str] = ()
) -> tuple[Row, ...]:
    """The newest open orders up to `open_max` and those that were named, newest first; the newest few when none is open."""
    newest = sorted(rows, key=lambda row: _order(row).placed_at, reverse=True)
    open_ones = [row for row in newest if _order(row).state.is_open][:open_max] or newest[:RECENT_ORDERS]
    kept = {_order(row).id for row in open_ones}
    return tuple(row for row in newest if _order(row).id in kept or _is_named(row, order_ids, order_tails))


def _order(row: Row) -> Order:
    return cast(Order, row.fact)


def _is_named(row: Row, order_ids: Sequence[str], order_tails: Sequence[str]) -> bool:
    order_id = _order(row).id
    by_source = str(row.extras.get("named", "")).lower() in ("1", "true", "t")
    return by_source or order_id in order_ids or any(order_id.endswith(tail) for tail in order_tails)


def order_count(rows: Sequence[Row], customer_rows: Sequence[Row]) -> int:
    """How many orders the customer has in all: as the sources say, else as many as they sent."""
    return max(len(rows), told_count((*customer_rows, *rows)) or 0)


def told_count(rows: Iterable[Row]) -> int | None:
    """How many orders the customer has as the rows say; None when they do not."""
    told = [str(row.extras["order_count"]) for row in rows if "order_count" in row.extras]
    return max((int(count) for count in told if count.isdecimal()), default=None)


def assemble(
    as_of: datetime,
    rows: Mapping[Part, Sequence[Row]],
    missing: Iterable[Part],
    count: int | None,
    *,
    named_orders_known: bool = False,
) -> Facts:
    """Nests the rows into facts. A row that belongs to nothing here is left out: so is whatever is not the customer's."""
    absent = set(missing)
    customer = next((cast(Customer, row.fact) for row in rows.get("customer", ())), None)
    if customer is not None:
        customer = _with(customer, coupons=tuple(cast(Coupon, row.fact) for row in rows.get("coupons", ())))
    return Facts(
        as_of=as_of,
        customer=customer,
        orders=tuple(_full_order(_order(row), rows) for row in rows.get("orders", ())),
        order_count=None if "orders" in absent else count,
        named_orders_known=named_orders_known and "orders" not in absent,
        missing=tuple(part for part in PARTS if part in absent),
    )


def _full_order(order: Order, rows: Mapping[Part, Sequence[Row]]) -> Order:
    lines = [cast(Line, row.fact) for row in rows.get("lines", ()) if _belongs(row, "order_id", order.id)]
    parcels = [cast(Parcel, row.fact) for row in rows.get("parcels", ()) if _belongs(row, "order_id", order.id)]
    invoices = [cast(Invoice, row.fact) for row in rows.get("invoices", ()) if _belongs(row, "order_id", order.id)]
    return _with(
        order,
        lines=tuple(_full_line(order.id, line, rows.get("after_sales", ())) for line in lines),
        parcels=tuple(_full_parcel(parcel, rows.get("parcel_events", ())) for parcel in parcels),
        invoices=tuple(invoices),
    )


def _full_line(order_id: str, line: Line, rows: Sequence[Row]) -> Line:
    after_sales = [cast(AfterSale, row.fact) for row in rows if str(row.extras.get("order_id", order_id)) == order_id]
    return _with(line, after_sales=tuple(after_sale for after_sale in after_sales if after_sale.line_id == line.id))


def _full_parcel(parcel: Parcel, rows: Sequence[Row]) -> Parcel:
    events = [
        cast(ParcelEvent, row.fact)
        for row in rows
        if _belongs(row, "parcel_id", parcel.id) or (parcel.tracking_no and _belongs(row, "tracking_no", parcel.tracking_no))
    ]
    return _with(parcel, events=tuple(sorted(events, key=lambda event: event.at)))


def _belongs(row: Row, link: str, identity: str) -> bool:
    return link in row.extras and str(row.extras[link]) == identity


def _with(fact: F, **nested: Any) -> F:
    return fact.model_copy(update=nested)
