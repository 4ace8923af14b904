"""Facts of one customer, made up, on which templates are tried before they are published. Everything hangs on SAMPLE_NOW."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from serve_app.domain.facts import (
    AfterSale,
    AfterSaleStage,
    AfterSaleType,
    Coupon,
    Customer,
    Facts,
    FreightPayer,
    Invoice,
    Line,
    Order,
    OrderState,
    Parcel,
    ParcelEvent,
    ParcelState,
    RefundChannel,
)

SAMPLE_NOW = datetime(2030, 3, 5, 4, 0, tzinfo=UTC)
_TODAY = SAMPLE_NOW.date()


def sample_facts(*orders: Order, **fields: Any) -> Facts:
    """All that a shop's systems can tell of a customer with these orders."""
    known: dict[str, Any] = {
        "as_of": SAMPLE_NOW,
        "customer": sample_customer(),
        "orders": orders,
        "order_count": len(orders),
        "named_orders_known": True,
    }
    return Facts(**(known | fields))


def sample_customer(coupons: int = 1, **fields: Any) -> Customer:
    known: dict[str, Any] = {
        "id": "sample",
        "name": "王*",
        "phone": "138****0000",
        "tier": "gold",
        "tier_valid_until": SAMPLE_NOW + timedelta(days=99),
        "points": 1200,
        "coupons": tuple(_coupon(number) for number in range(coupons)),
    }
    return Customer(**(known | fields))


def sample_order(state: OrderState, *parcels: Parcel, after_sales: tuple[AfterSale, ...] = (), **fields: Any) -> Order:
    """What is paid has a time of payment; what has a deposit is due."""
    is_paid = state not in _UNPAID
    known: dict[str, Any] = {
        "id": "ZW000000000001",
        "customer_id": "sample",
        "state": state,
        "placed_at": SAMPLE_NOW - timedelta(days=3),
        "paid_at": SAMPLE_NOW - timedelta(days=3) if is_paid else None,
        "total_minor": 129900,
        "freight_minor": 800,
        "address": "浙江省杭州市****",
        "lines": (_line(1, *after_sales), _line(2)),
        "parcels": parcels,
    }
    if state is OrderState.DEPOSIT_PAID:
        known |= with_deposit()
    return Order(**(known | fields))


def with_deposit() -> dict[str, Any]:
    return {"deposit_minor": 10000, "balance_due_at": SAMPLE_NOW + timedelta(days=1)}


def sample_parcel(state: ParcelState, number: int = 1, **fields: Any) -> Parcel:
    """With the dates, and what else is known of a parcel in this state."""
    tomorrow = _TODAY + timedelta(days=1)
    known: dict[str, Any] = {
        "id": f"sample-{number}",
        "tracking_no": f"SF{number:013d}",
        "carrier": "SF Express",
        "state": state,
        "events": (ParcelEvent(at=SAMPLE_NOW, state=state, place="杭州", text="已到达"),),
        "promised_date": tomorrow,
        "estimated_date": tomorrow,
        "line_ids": (f"sample-line-{number}",),
    }
    if state is ParcelState.AT_PICKUP_POINT:
        known |= {"pickup_code": "0-0-0000", "pickup_point": "小区东门"}
    if state is ParcelState.DELIVERED:
        known |= {"delivered_at": SAMPLE_NOW}
    return Parcel(**(known | fields))


def days_from_now(days: int) -> dict[str, Any]:
    """For a parcel: promised then, and nothing newer is estimated."""
    day = _TODAY + timedelta(days=days)
    return {"promised_date": day, "estimated_date": day}


def sample_after_sale(kind: AfterSaleType, stage: AfterSaleStage, number: int = 1, **fields: Any) -> AfterSale:
    """What is returned has a number and somebody who pays its freight; what is refunded has an amount and a channel."""
    is_returned = kind in (AfterSaleType.RETURN_REFUND, AfterSaleType.EXCHANGE, AfterSaleType.REPAIR)
    is_refunded = kind in (AfterSaleType.RETURN_REFUND, AfterSaleType.REFUND_ONLY)
    known: dict[str, Any] = {
        "id": f"sample-{number}",
        "line_id": "sample-line-1",
        "type": kind,
        "stage": stage,
        "requested_at": SAMPLE_NOW - timedelta(days=1),
    }
    if stage not in _SETTLED:
        known |= {"deadline": SAMPLE_NOW + timedelta(days=2)}
    if is_returned:
        known |= {"freight_payer": FreightPayer.SHOP}
    if is_returned and stage not in (AfterSaleStage.REQUESTED, AfterSaleStage.REJECTED):
        known |= {"return_no": "R000"}
    if is_refunded:
        known |= {"amount_minor": 129900, "refund_channel": RefundChannel.ORIGINAL}
    if stage is AfterSaleStage.REFUNDED:
        known |= {"refunded_at": SAMPLE_NOW}
    return AfterSale(**(known | fields))


def overdue() -> dict[str, Any]:
    return {"deadline": SAMPLE_NOW - timedelta(days=1)}


def sample_invoice(state: str, number: int = 1) -> Invoice:
    issued_at = None if state == "requested" else SAMPLE_NOW
    return Invoice(id=f"sample-{number}", kind="personal", state=state, amount_minor=129900, issued_at=issued_at)


_UNPAID = (OrderState.UNPAID, OrderState.DEPOSIT_PAID)
_SETTLED = (AfterSaleStage.REJECTED, AfterSaleStage.RESHIPPED, AfterSaleStage.REFUNDED, AfterSaleStage.CLOSED)


def _coupon(number: int) -> Coupon:
    return Coupon(
        id=f"sample-{number}",
        title_zh="满减券",
        title_en="Discount coupon",
        amount_minor=1000,
        minimum_minor=9900 * number,
        valid_until=SAMPLE_NOW + timedelta(days=9 + number),
    )


def _line(number: int, *after_sales: AfterSale) -> Line:
    return Line(
        id=f"sample-line-{number}",
        sku_id=f"SKU-{number:05d}",
        title_zh="样品",
        title_en="Sample",
        quantity=1,
        paid_minor=64950,
        after_sales=after_sales,
    )
