"""Every slot that a thing has in a template: its type, what it means in both languages, and where its value comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from serve_app.domain import derived
from serve_app.domain.choosing import after_sales_in_progress, parcels_under_way
from serve_app.domain.facts import (
    AfterSale,
    AfterSaleStage,
    AfterSaleType,
    Coupon,
    Customer,
    Fact,
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
from serve_app.domain.scope import Scope
from serve_app.domain.slot_types import CONDITION, DATE, INSTANT, MONEY, NUMBER, TEXT, SlotType, list_of, state, thing
from serve_app.domain.wording import name_of


@dataclass(frozen=True, slots=True)
class Slot:
    """`read` gives the value; without it, it is the fact's field of the same name (money: `NAME_minor`).

    While one of `parts` is missing from the facts, the slot has no value; with those that it `may_read` it says more.
    """

    type: SlotType
    meaning: str
    zh: str
    read: Callable[[Any, Scope], object] | None = None
    parts: frozenset[str] = frozenset()
    may_read: frozenset[str] = frozenset()

    @property
    def reads(self) -> frozenset[str]:
        return self.parts | self.may_read


def _parts(*names: str) -> frozenset[str]:
    return frozenset(names)


def _is(field: str, value: StrEnum) -> Callable[[Any, Scope], object]:
    return lambda fact, _: getattr(fact, field) is value


def _in_state(field: str, states: type[StrEnum]) -> dict[str, Slot]:
    """`is_delivered` for each state."""
    return {f"is_{value}": Slot(CONDITION, name_of(value, "en"), name_of(value, "zh"), _is(field, value)) for value in states}


_OF_AFTER_SALES = _parts("lines", "after_sales")

_CUSTOMER: Mapping[str, Slot] = {
    "name": Slot(TEXT, "the name, masked", "姓名(已脱敏)"),
    "phone": Slot(TEXT, "the phone number, masked", "手机号(已脱敏)"),
    "tier": Slot(TEXT, "the shop's own name of the tier, for conditions", "会员等级代码"),
    "tier_name": Slot(TEXT, "the tier's name in the answer's language", "会员等级", derived.tier_name_of),
    "tier_valid_until": Slot(INSTANT, "when the tier ends", "等级有效期"),
    "points": Slot(NUMBER, "points", "积分"),
    "valid_coupons": Slot(
        list_of(thing(Coupon)), "the coupons that are valid now", "可用优惠券", derived.valid_coupons, _parts("coupons")
    ),
    "coupons_ending_first": Slot(
        list_of(thing(Coupon)),
        f"the {derived.LISTED_MAX} valid coupons that end first",
        "最先到期的优惠券",
        derived.coupons_ending_first,
        _parts("coupons"),
    ),
    "coupons": Slot(list_of(thing(Coupon)), "all coupons, ended ones too", "全部优惠券", parts=_parts("coupons")),
}
_COUPON: Mapping[str, Slot] = {
    "title": Slot(TEXT, "its name", "券名", derived.title),
    "amount": Slot(MONEY, "what it takes off", "面额"),
    "amount_minor": Slot(NUMBER, "the same in minor units", "面额(分)"),
    "minimum": Slot(MONEY, "the order's least total for it", "使用门槛"),
    "minimum_minor": Slot(NUMBER, "the same in minor units", "使用门槛(分)"),
    "valid_until": Slot(INSTANT, "when it ends", "到期时间"),
}
_ORDER: Mapping[str, Slot] = {
    "label": Slot(
        TEXT, "how to speak of it: order ending 0001 (Earphones)", "订单的称呼", derived.order_label, may_read=_parts("lines")
    ),
    "title": Slot(TEXT, "what it holds: Earphones and 1 more", "商品概要", derived.order_title, _parts("lines")),
    "listed": Slot(
        TEXT,
        "one line for a list: date, items, state, last digits",
        "列表中的一行",
        derived.order_listed,
        may_read=_parts("lines"),
    ),
    "id": Slot(TEXT, "the order number", "订单号"),
    "tail": Slot(TEXT, "its last four digits", "订单尾号", lambda order, _: order.id[-4:]),
    "state": Slot(state(OrderState), "its state", "订单状态"),
    "is_open": Slot(CONDITION, "not completed, cancelled or closed", "未完成", lambda order, _: order.state.is_open),
    "is_unpaid": Slot(CONDITION, "it is awaiting payment", "待付款", _is("state", OrderState.UNPAID)),
    "is_deposit_paid": Slot(CONDITION, "its deposit is paid", "已付定金", _is("state", OrderState.DEPOSIT_PAID)),
    "is_waiting_to_ship": Slot(CONDITION, "it is paid and nothing has been shipped", "待发货", _is("state", OrderState.PAID)),
    "is_partly_shipped": Slot(CONDITION, "some of it is shipped", "部分发货", _is("state", OrderState.PARTLY_SHIPPED)),
    "is_shipped": Slot(CONDITION, "all of it is shipped", "已发货", _is("state", OrderState.SHIPPED)),
    "is_delivered": Slot(CONDITION, "it is delivered", "已签收", _is("state", OrderState.DELIVERED)),
    "is_completed": Slot(CONDITION, "it is completed", "已完成", _is("state", OrderState.COMPLETED)),
    "is_cancelled": Slot(CONDITION, "it is cancelled", "已取消", _is("state", OrderState.CANCELLED)),
    "is_closed": Slot(CONDITION, "it is closed", "已关闭", _is("state", OrderState.CLOSED)),
    "placed_at": Slot(INSTANT, "when it was placed", "下单时间"),
    "paid_at": Slot(INSTANT, "when it was paid", "付款时间"),
    "total": Slot(MONEY, "the total", "合计"),
    "total_minor": Slot(NUMBER, "the same in minor units", "合计(分)"),
    "freight": Slot(MONEY, "what was charged for shipping", "运费"),
    "freight_minor": Slot(NUMBER, "the same in minor units", "运费(分)"),
    "deposit": Slot(MONEY, "the deposit", "定金"),
    "deposit_minor": Slot(NUMBER, "the same in minor units", "定金(分)"),
    "balance": Slot(MONEY, "the total less the deposit", "尾款", derived.balance),
    "balance_due_at": Slot(INSTANT, "when the balance is due", "尾款截止时间"),
    "address": Slot(TEXT, "where it goes, masked", "收货地址(已脱敏)"),
    "lines": Slot(list_of(thing(Line)), "its items", "商品", parts=_parts("lines")),
    "parcels": Slot(list_of(thing(Parcel)), "its parcels", "包裹", parts=_parts("parcels")),
    "parcels_shipped": Slot(
        list_of(thing(Parcel)), "the parcels that the carrier has", "已揽收的包裹", derived.parcels_shipped, _parts("parcels")
    ),
    "parcels_under_way": Slot(
        list_of(thing(Parcel)),
        "the parcels that are still to arrive",
        "在途包裹",
        lambda order, _: parcels_under_way(order),
        _parts("parcels"),
    ),
    "after_sales": Slot(
        list_of(thing(AfterSale)), "its after-sales", "售后", lambda order, _: order.after_sales, _OF_AFTER_SALES
    ),
    "after_sales_in_progress": Slot(
        list_of(thing(AfterSale)),
        "its after-sales that are not settled",
        "进行中的售后",
        lambda order, _: after_sales_in_progress(order),
        _OF_AFTER_SALES,
    ),
    "invoices": Slot(list_of(thing(Invoice)), "its invoices", "发票", parts=_parts("invoices")),
}
_LINE: Mapping[str, Slot] = {
    "title": Slot(TEXT, "the item's name", "商品名", derived.title),
    "sku_id": Slot(TEXT, "its SKU", "SKU"),
    "quantity": Slot(NUMBER, "how many", "数量"),
    "paid": Slot(MONEY, "what was paid for it", "实付"),
    "paid_minor": Slot(NUMBER, "the same in minor units", "实付(分)"),
    "discount_share": Slot(MONEY, "its share of the discounts", "优惠分摊"),
    "discount_share_minor": Slot(NUMBER, "the same in minor units", "优惠分摊(分)"),
    "after_sales": Slot(list_of(thing(AfterSale)), "its after-sales", "售后", parts=_parts("after_sales")),
}
_PARCEL: Mapping[str, Slot] = {
    "label": Slot(TEXT, "carrier and tracking number", "快递公司和运单号", derived.parcel_label),
    "tracking_no": Slot(TEXT, "the tracking number", "运单号"),
    "carrier": Slot(TEXT, "the carrier", "快递公司"),
    "state": Slot(state(ParcelState), "its state", "物流状态"),
    **_in_state("state", ParcelState),
    "is_late": Slot(CONDITION, "it is on its way and its day has passed", "已晚点", derived.is_late),
    "is_expected": Slot(CONDITION, "it is on its way and its estimate is today or later", "预计时间有效", derived.is_expected),
    "eta": Slot(DATE, "the estimated date, else the promised one", "预计送达日期", derived.eta),
    "due": Slot(DATE, "the promised date, else the estimated one", "应送达日期", derived.due),
    "promised_date": Slot(DATE, "the promised date", "承诺送达日期"),
    "estimated_date": Slot(DATE, "the carrier's estimate", "快递预计日期"),
    "delivered_at": Slot(INSTANT, "when it was delivered", "签收时间"),
    "pickup_point": Slot(TEXT, "where it is collected", "代收点"),
    "pickup_code": Slot(TEXT, "the code for collecting it", "取件码"),
    "latest": Slot(thing(ParcelEvent), "its latest event", "最新物流", lambda it, _: it.latest, _parts("parcel_events")),
    "events": Slot(list_of(thing(ParcelEvent)), "its events, oldest first", "物流轨迹", parts=_parts("parcel_events")),
}
_EVENT: Mapping[str, Slot] = {
    "at": Slot(INSTANT, "when", "时间"),
    "state": Slot(state(ParcelState), "the parcel's state since then", "状态"),
    "place": Slot(TEXT, "where", "地点"),
    "text": Slot(TEXT, "the carrier's own words", "快递原文"),
}
_AFTER_SALE: Mapping[str, Slot] = {
    "title": Slot(TEXT, "the item that it is about", "商品名", derived.after_sale_title, _parts("lines")),
    "type": Slot(state(AfterSaleType), "its type", "售后类型"),
    "stage": Slot(state(AfterSaleStage), "how far it is", "售后进度"),
    **_in_state("stage", AfterSaleStage),
    "requested_at": Slot(INSTANT, "when it was requested", "申请时间"),
    "amount": Slot(MONEY, "the amount", "金额"),
    "amount_minor": Slot(NUMBER, "the same in minor units", "金额(分)"),
    "deadline": Slot(INSTANT, "by when its stage is done", "截止时间"),
    "is_overdue": Slot(CONDITION, "its deadline has passed", "已超时", derived.is_overdue),
    "return_no": Slot(TEXT, "the return number", "退货编号"),
    "freight_payer": Slot(state(FreightPayer), "who pays the return freight", "寄回运费承担方"),
    "refund_channel": Slot(state(RefundChannel), "where the money goes", "退款渠道"),
    "refunded_at": Slot(INSTANT, "when the money was sent", "退款时间"),
}
_INVOICE: Mapping[str, Slot] = {
    "state": Slot(TEXT, "requested, issued or red (reversed), for conditions", "状态代码"),
    "state_name": Slot(TEXT, "the state's name in the answer's language", "发票状态", derived.invoice_state),
    "kind": Slot(TEXT, "personal or company, for conditions", "类型代码"),
    "amount": Slot(MONEY, "the amount", "金额"),
    "amount_minor": Slot(NUMBER, "the same in minor units", "金额(分)"),
    "issued_at": Slot(INSTANT, "when it was issued", "开具时间"),
}
SLOTS: Mapping[type[Fact], Mapping[str, Slot]] = {
    Customer: _CUSTOMER,
    Order: _ORDER,
    Line: _LINE,
    Parcel: _PARCEL,
    ParcelEvent: _EVENT,
    AfterSale: _AFTER_SALE,
    Invoice: _INVOICE,
    Coupon: _COUPON,
}
