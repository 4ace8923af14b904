"""Facts for tests, a few words each. Everything hangs on NOW: noon on Sunday, 22 November 2026, in Shanghai."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from serve_app.domain.facts import (
    AfterSale,
    AfterSaleStage,
    AfterSaleType,
    Customer,
    Facts,
    Line,
    Order,
    OrderState,
    Parcel,
    ParcelState,
)

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)


def facts(*orders: Order, **fields: Any) -> Facts:
    return Facts(
        **(
            {"as_of": NOW, "customer": customer(), "orders": orders, "order_count": len(orders), "named_orders_known": True}
            | fields
        )
    )


def customer(**fields: Any) -> Customer:
    return Customer(**({"id": "C1", "name": "王*", "tier": "gold", "points": 1200} | fields))


def order(number: int = 1, state: OrderState = OrderState.SHIPPED, *parcels: Parcel, **fields: Any) -> Order:
    """`number` gives its id (tail) and its age: a higher one is newer."""
    known: dict[str, Any] = {
        "id": f"ZW20261122{number:04d}",
        "customer_id": "C1",
        "state": state,
        "placed_at": NOW - timedelta(days=30 - number),
        "total_minor": 129900,
        "lines": (line(),),
        "parcels": parcels,
    }
    return Order(**(known | fields))


def line(number: int = 1, *after_sales: AfterSale, **fields: Any) -> Line:
    known: dict[str, Any] = {
        "id": f"L{number}",
        "sku_id": f"SKU-{number:05d}",
        "title_zh": "无线耳机",
        "title_en": "Wireless earphones",
        "quantity": 1,
        "paid_minor": 129900,
        "after_sales": after_sales,
    }
    return Line(**(known | fields))


def parcel(state: ParcelState = ParcelState.IN_TRANSIT, number: int = 1, **fields: Any) -> Parcel:
    known: dict[str, Any] = {
        "id": f"P{number}",
        "state": state,
        "tracking_no": f"SF{number:013d}",
        "carrier": "顺丰速运",
        "estimated_date": TODAY + timedelta(days=1),
    }
    return Parcel(**(known | fields))


def after_sale(
    stage: AfterSaleStage = AfterSaleStage.REFUNDING, kind: AfterSaleType = AfterSaleType.RETURN_REFUND, **fields: Any
) -> AfterSale:
    known: dict[str, Any] = {
        "id": "A1",
        "line_id": "L1",
        "type": kind,
        "stage": stage,
        "requested_at": NOW - timedelta(days=2),
        "amount_minor": 129900,
        "deadline": NOW + timedelta(days=2),
    }
    return AfterSale(**(known | fields))
