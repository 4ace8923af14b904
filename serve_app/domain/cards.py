"""The facts that an answer speaks of, as cards to show beside it. Only whole facts: nothing of a part that is missing."""

from __future__ import annotations

from typing import Any

from serve_app.domain.facts import AfterSale, Order, Parcel
from serve_app.domain.intents import OF_PARCELS, OF_REFUNDS, Intent
from serve_app.domain.messages import Card
from serve_app.domain.scope import Scope
from serve_app.domain.template_view import View
from serve_app.domain.wording import name_of

_ORDER = {"id", "state", "placed_at", "paid_at", "currency", "total_minor"}
_PARCEL = {"id", "tracking_no", "carrier", "state", "pickup_code", "pickup_point", "promised_date", "estimated_date"}


def cards_of(
    intent: Intent, order: Order | None, parcel: Parcel | None, after_sale: AfterSale | None, scope: Scope
) -> tuple[Card, ...]:
    """By what was asked: the parcels or the after-sales of `order` (`parcel`, `after_sale`: the one meant), else the order."""
    if order is None:
        return ()
    if intent in OF_PARCELS:
        return tuple(_parcel_card(order, one, scope) for one in ((parcel,) if parcel else order.parcels))
    if intent in OF_REFUNDS and order.after_sales:
        return tuple(_after_sale_card(order, one, scope) for one in ((after_sale,) if after_sale else order.after_sales))
    return (_order_card(order, scope),)


def _order_card(order: Order, scope: Scope) -> Card:
    title = View(order, "order", scope).title
    whole = order.model_dump(mode="json", include=_ORDER)
    named = {"title": title} if isinstance(title, str) else {}
    return Card("order", {**whole, **named, "state_text": name_of(order.state, scope.locale.language)})


def _parcel_card(order: Order, parcel: Parcel, scope: Scope) -> Card:
    dumped = parcel.model_dump(mode="json", include=_PARCEL | {"delivered_at", "events"})
    if "parcel_events" in scope.missing:
        del dumped["events"]
    return Card("parcel", {**dumped, "order_id": order.id, "state_text": name_of(parcel.state, scope.locale.language)})


def _after_sale_card(order: Order, after_sale: AfterSale, scope: Scope) -> Card:
    language = scope.locale.language
    dumped: dict[str, Any] = after_sale.model_dump(mode="json", exclude={"line_id"}, exclude_none=True)
    line = next((line for line in order.lines if line.id == after_sale.line_id), None)
    if line is not None:
        dumped["title"] = line.title_zh if language == "zh" else line.title_en
    texts = {
        f"{name}_text": name_of(value, language)
        for name in ("type", "stage", "freight_payer", "refund_channel")
        if (value := getattr(after_sale, name)) is not None
    }
    return Card("after_sale", {**dumped, **texts, "order_id": order.id, "currency": order.currency})
