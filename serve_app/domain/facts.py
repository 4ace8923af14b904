"""The shop's facts about one customer, as every source is mapped to them.

Money is integer minor units of `currency` (129900 is ¥1,299.00). Instants are timezone-aware, in UTC. Phones and addresses
arrive masked. A field that a source does not know is None, never a guess.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Fact(BaseModel):
    """Immutable; unknown fields are refused, so that a mapping's slip is seen. Numeric ids become text."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class OrderState(StrEnum):
    UNPAID = "unpaid"
    DEPOSIT_PAID = "deposit_paid"  # 已付定金, the balance is still due
    PAID = "paid"  # waiting to be shipped
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    CLOSED = "closed"

    @property
    def is_open(self) -> bool:
        return self not in (OrderState.COMPLETED, OrderState.CANCELLED, OrderState.CLOSED)


class ParcelState(StrEnum):
    """A carrier's event, normalised."""

    LABEL_CREATED = "label_created"  # 待揽收
    PICKED_UP = "picked_up"  # 揽收
    IN_TRANSIT = "in_transit"  # 运输中
    OUT_FOR_DELIVERY = "out_for_delivery"  # 派送中
    AT_PICKUP_POINT = "at_pickup_point"  # 代收点
    DELIVERED = "delivered"  # 签收
    RETURNED = "returned"  # 退回
    EXCEPTION = "exception"  # 异常
    LOST = "lost"  # 丢失


class AfterSaleType(StrEnum):
    REFUND_ONLY = "refund_only"  # 仅退款
    RETURN_REFUND = "return_refund"  # 退货退款
    EXCHANGE = "exchange"  # 换货
    REPAIR = "repair"  # 维修
    RESHIP = "reship"  # 补发


class AfterSaleStage(StrEnum):
    REQUESTED = "requested"  # 待审核
    REJECTED = "rejected"
    AWAITING_RETURN = "awaiting_return"  # 待寄回
    RETURN_IN_TRANSIT = "return_in_transit"  # 退货运输中
    INSPECTING = "inspecting"  # 验收中
    PROCESSING = "processing"  # 维修中 / 补发备货中
    RESHIPPED = "reshipped"  # 已换出 / 已补发
    REFUNDING = "refunding"  # 退款中
    REFUNDED = "refunded"
    CLOSED = "closed"


class FreightPayer(StrEnum):
    CUSTOMER = "customer"
    SHOP = "shop"
    INSURANCE = "insurance"  # 运费险


class RefundChannel(StrEnum):
    ORIGINAL = "original"  # 原路退回
    WALLET = "wallet"
    BANK_CARD = "bank_card"


class Coupon(Fact):
    id: str
    title_zh: str
    title_en: str
    amount_minor: int
    minimum_minor: int = 0
    valid_until: AwareDatetime


class Customer(Fact):
    id: str
    name: str  # masked: 王*
    phone: str | None = None  # masked: 138****1234
    tier: str | None = None  # one of the shop's tiers: "bronze", "silver", "gold", "platinum"
    tier_valid_until: AwareDatetime | None = None
    points: int | None = None
    coupons: tuple[Coupon, ...] = ()


class ParcelEvent(Fact):
    at: AwareDatetime
    state: ParcelState
    place: str | None = None
    text: str | None = None  # the carrier's own words


class Parcel(Fact):
    id: str
    tracking_no: str | None = None
    carrier: str | None = None
    state: ParcelState
    events: tuple[ParcelEvent, ...] = ()  # oldest first
    pickup_code: str | None = None
    pickup_point: str | None = None
    promised_date: date | None = None
    estimated_date: date | None = None
    delivered_at: AwareDatetime | None = None
    line_ids: tuple[str, ...] = ()

    @property
    def latest(self) -> ParcelEvent | None:
        return self.events[-1] if self.events else None


class AfterSale(Fact):
    id: str
    line_id: str
    type: AfterSaleType
    stage: AfterSaleStage
    requested_at: AwareDatetime
    amount_minor: int | None = None
    deadline: AwareDatetime | None = None  # for the stage: send back by, refunded by
    return_no: str | None = None
    freight_payer: FreightPayer | None = None
    refund_channel: RefundChannel | None = None
    refunded_at: AwareDatetime | None = None


class Line(Fact):
    id: str
    sku_id: str
    title_zh: str
    title_en: str
    quantity: int
    paid_minor: int
    discount_share_minor: int = 0
    after_sales: tuple[AfterSale, ...] = ()


class Invoice(Fact):
    id: str
    kind: str  # "personal" or "company"
    state: str  # "requested", "issued", "red" (reversed)
    amount_minor: int
    issued_at: AwareDatetime | None = None


class Order(Fact):
    id: str
    customer_id: str
    state: OrderState
    placed_at: AwareDatetime
    paid_at: AwareDatetime | None = None
    currency: str = "CNY"
    total_minor: int
    freight_minor: int | None = None
    deposit_minor: int | None = None
    balance_due_at: AwareDatetime | None = None
    address: str | None = None  # masked
    lines: tuple[Line, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    invoices: tuple[Invoice, ...] = ()

    @property
    def after_sales(self) -> tuple[AfterSale, ...]:
        return tuple(after_sale for line in self.lines for after_sale in line.after_sales)


class Facts(Fact):
    """What the sources said, at `as_of`.

    `missing` names the parts of which something may be lacking: their source was late, down or malformed, needed one that
    was, is not declared at all, or was not wanted ("parcels"). What stands under such a part is right, but nothing follows
    from its absence.
    With `named_orders_known`, an order that the query named and that is not here is not this customer's.
    """

    as_of: AwareDatetime
    customer: Customer | None = None
    orders: tuple[Order, ...] = ()  # newest first: the open ones up to a limit, and those that were named
    order_count: int | None = None  # how many the customer has in all; None when the orders are missing
    named_orders_known: bool = False
    missing: tuple[str, ...] = ()
