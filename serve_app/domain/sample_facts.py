"""Facts in which nothing is missing: every template is rendered on them before it is published."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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


def sample_facts() -> Facts:
    """One customer with one order, which holds a parcel and an after-sale."""
    coupon = Coupon(
        id="sample-coupon",
        title_zh="满减券",
        title_en="Discount coupon",
        amount_minor=1000,
        minimum_minor=9900,
        valid_until=SAMPLE_NOW + timedelta(days=9),
    )
    customer = Customer(
        id="sample",
        name="王*",
        phone="138****0000",
        tier="gold",
        tier_valid_until=SAMPLE_NOW + timedelta(days=99),
        points=1200,
        coupons=(coupon,),
    )
    return Facts(as_of=SAMPLE_NOW, customer=customer, orders=(_order(),), order_count=1)


def _order() -> Order:
    return Order(
        id="ZW000000000000",
        customer_id="sample",
        state=OrderState.SHIPPED,
        placed_at=SAMPLE_NOW - timedelta(days=3),
        paid_at=SAMPLE_NOW - timedelta(days=3),
        total_minor=129900,
        freight_minor=800,
        deposit_minor=10000,
        balance_due_at=SAMPLE_NOW + timedelta(days=1),
        address="浙江省杭州市****",
        lines=(_line(),),
        parcels=(_parcel(),),
        invoices=(Invoice(id="sample", kind="personal", state="issued", amount_minor=129900, issued_at=SAMPLE_NOW),),
    )


def _line() -> Line:
    after_sale = AfterSale(
        id="sample",
        line_id="sample-line",
        type=AfterSaleType.RETURN_REFUND,
        stage=AfterSaleStage.REFUNDING,
        requested_at=SAMPLE_NOW - timedelta(days=1),
        amount_minor=129900,
        deadline=SAMPLE_NOW + timedelta(days=2),
        return_no="R000",
        freight_payer=FreightPayer.SHOP,
        refund_channel=RefundChannel.ORIGINAL,
        refunded_at=SAMPLE_NOW,
    )
    return Line(
        id="sample-line",
        sku_id="SKU-00000",
        title_zh="样品",
        title_en="Sample",
        quantity=1,
        paid_minor=129900,
        after_sales=(after_sale,),
    )


def _parcel() -> Parcel:
    event = ParcelEvent(at=SAMPLE_NOW, state=ParcelState.IN_TRANSIT, place="杭州", text="已到达")
    return Parcel(
        id="sample",
        tracking_no="SF0000000000000",
        carrier="SF Express",
        state=ParcelState.IN_TRANSIT,
        events=(event,),
        pickup_code="0-0-0000",
        pickup_point="小区东门",
        promised_date=SAMPLE_NOW.date() + timedelta(days=1),
        estimated_date=SAMPLE_NOW.date() + timedelta(days=1),
        delivered_at=SAMPLE_NOW,
        line_ids=("sample-line",),
    )
