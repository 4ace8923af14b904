"""The demo's templates on every situation that an order can be in."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.facts import (
    AfterSaleStage,
    AfterSaleType,
    Coupon,
    Facts,
    FreightPayer,
    Invoice,
    Order,
    OrderState,
    ParcelEvent,
    ParcelState,
    RefundChannel,
)
from serve_app.domain.intents import TEMPLATED, Intent
from serve_app.domain.knowledge import Template
from serve_app.domain.messages import Language
from serve_app.domain.publication import filled
from serve_app.domain.question import Entities
from serve_app.domain.templates import NeedsChoice, NotMeant, NoValue, Rendered, answer_from
from serve_app.domain.wording import Locale
from tests.making_facts import NOW, TODAY, after_sale, customer, facts, line, order, parcel


@cache
def templates() -> dict[Intent, Template]:
    return {template.intent: template for template in filled(demo_knowledge()).templates}


def answer(intent: Intent, known: Facts, language: Language = "zh") -> Rendered | NeedsChoice | NoValue | NotMeant:
    locale = Locale(language)
    return answer_from(templates()[intent], known, entities=Entities(), chosen_order_id=None, locale=locale, now=NOW)


def say(intent: Intent, known: Facts, language: Language) -> str:
    said = answer(intent, known, language)
    assert isinstance(said, Rendered), said
    return said.text


def test_every_templated_intent_has_a_template() -> None:
    assert set(templates()) == TEMPLATED


def at(state: ParcelState, **fields: Any) -> Facts:
    return facts(order(1, OrderState.SHIPPED, parcel(state, **fields)))


NO_DATE = {"estimated_date": None}
SITUATIONS: list[tuple[str, Intent, Facts, str, str]] = [
    ("none", Intent.PARCEL, facts(), "还没有订单", "no orders"),
    ("unpaid", Intent.PARCEL, facts(order(1, OrderState.UNPAID)), "还没有付款", "has not been paid"),
    ("deposit", Intent.PARCEL, facts(order(1, OrderState.DEPOSIT_PAID)), "还没有付尾款", "balance"),
    ("paid", Intent.PARCEL, facts(order(1, OrderState.PAID)), "还没有发货", "not been shipped yet"),
    ("no record", Intent.PARCEL, facts(order(1, OrderState.SHIPPED)), "还没有物流记录", "no tracking record"),
    ("label", Intent.PARCEL, at(ParcelState.LABEL_CREATED), "等待快递员揽收", "waiting for the carrier"),
    ("moving", Intent.PARCEL, at(ParcelState.IN_TRANSIT), "预计明天(11月23日)送达", "expected by tomorrow (Mon 23 Nov)"),
    ("no date", Intent.PARCEL, at(ParcelState.IN_TRANSIT, **NO_DATE), "还没有给出送达时间", "not given a delivery date"),
    (
        "seen",
        Intent.PARCEL,
        at(ParcelState.IN_TRANSIT, events=(ParcelEvent(at=NOW, state=ParcelState.IN_TRANSIT, place="杭州"),)),
        "最新位置：杭州，今天(11月22日)12:00",
        "Last seen in 杭州, today (Sun 22 Nov) at 12:00",
    ),
    ("courier", Intent.PARCEL, at(ParcelState.OUT_FOR_DELIVERY), "正在派送中", "out for delivery"),
    (
        "pickup",
        Intent.PARCEL,
        at(ParcelState.AT_PICKUP_POINT, pickup_code="6-2-1024", pickup_point="东门驿站"),
        "（东门驿站），取件码6-2-1024",
        "(东门驿站). The pickup code is 6-2-1024",
    ),
    ("no code", Intent.PARCEL, at(ParcelState.AT_PICKUP_POINT), "取件码还没有同步", "not received the pickup code"),
    (
        "delivered",
        Intent.PARCEL,
        at(ParcelState.DELIVERED, delivered_at=NOW),
        "已签收（今天(11月22日)12:00）",
        "was delivered today",
    ),
    ("delivered once", Intent.PARCEL, at(ParcelState.DELIVERED), "已签收", "has been delivered"),
    ("returned", Intent.PARCEL, at(ParcelState.RETURNED), "已退回本店", "returned to us"),
    ("lost", Intent.PARCEL, at(ParcelState.LOST), "已丢失", "is lost"),
    ("trouble", Intent.PARCEL, at(ParcelState.EXCEPTION), "出现异常", "there is a delivery problem"),
    (
        "late",
        Intent.PARCEL,
        at(ParcelState.IN_TRANSIT, promised_date=TODAY - timedelta(days=2)),
        "原定前天(11月20日)送达，现在预计明天(11月23日)",
        "was due by Fri 20 Nov and is now expected by tomorrow",
    ),
    (
        "late, no new date",
        Intent.PARCEL,
        at(ParcelState.OUT_FOR_DELIVERY, estimated_date=TODAY - timedelta(days=1)),
        "原定昨天(11月21日)送达。顺丰速运 SF0000000000001目前派送中，快递公司还没有给出新的时间",
        "has not given a new date yet",
    ),
    (
        "several",
        Intent.PARCEL,
        facts(order(1, OrderState.PARTLY_SHIPPED, parcel(number=1), parcel(ParcelState.DELIVERED, number=2))),
        "已部分发货：\n"
        "- 顺丰速运 SF0000000000001：运输中，预计明天(11月23日)送达\n- 顺丰速运 SF0000000000002：已签收\n其余商品还没有发货。",
        "is partly shipped:\n"
        "- 顺丰速运 SF0000000000001: in transit, expected by tomorrow (Mon 23 Nov)\n- 顺丰速运 SF0000000000002: delivered\n"
        "The rest",
    ),
    ("cancelled", Intent.PARCEL, facts(order(1, OrderState.CANCELLED)), "已取消，没有发货", "cancelled and was not shipped"),
    ("none", Intent.ORDER_STATUS, facts(), "还没有订单", "no orders"),
    ("unpaid", Intent.ORDER_STATUS, facts(order(1, OrderState.UNPAID)), "应付¥1,299.00", "CN¥1,299.00 is due"),
    (
        "deposit",
        Intent.ORDER_STATUS,
        facts(order(1, OrderState.DEPOSIT_PAID, deposit_minor=10000, balance_due_at=NOW + timedelta(days=1))),
        "已付定金¥100.00，尾款¥1,199.00请在明天(11月23日)12:00前付清",
        "balance of CN¥1,199.00 is due by tomorrow (Mon 23 Nov) at 12:00",
    ),
    ("deposit only", Intent.ORDER_STATUS, facts(order(1, OrderState.DEPOSIT_PAID)), "尾款还没有付", "balance is still due"),
    ("shipped", Intent.ORDER_STATUS, at(ParcelState.IN_TRANSIT), "已发货", "has been shipped"),
    (
        "partly",
        Intent.ORDER_STATUS,
        facts(order(1, OrderState.PARTLY_SHIPPED, parcel(), parcel(ParcelState.LABEL_CREATED, number=2))),
        "已部分发货，其余商品还在备货：\n- 顺丰速运 SF0000000000001：运输中，预计明天(11月23日)送达",
        "being prepared:\n- 顺丰速运 SF0000000000001: in transit",
    ),
    (
        "no tracking now",
        Intent.ORDER_STATUS,
        at(ParcelState.IN_TRANSIT).model_copy(update={"missing": ("parcels",)}),
        "物流详情暂时查不到",
        "cannot see the tracking details",
    ),
    ("completed", Intent.ORDER_STATUS, facts(order(1, OrderState.COMPLETED)), "已完成", "is complete"),
    ("none", Intent.REFUND_PROGRESS, facts(), "没有退款或售后", "no refund or after-sales"),
    ("no request", Intent.REFUND_PROGRESS, facts(order(1)), "在您最近的订单里没有查到", "among your recent orders"),
    (
        "several",
        Intent.REFUND_PROGRESS,
        facts(order(1, lines=(line(1, after_sale(), after_sale(AfterSaleStage.REQUESTED, AfterSaleType.EXCHANGE, id="A2")),))),
        "有2个售后申请：\n- 无线耳机，退货退款：退款中，¥1,299.00\n- 无线耳机，换货：待审核",
        "return and refund: refund under way, CN¥1,299.00\n- Wireless earphones, exchange: under review",
    ),
    (
        "overdue",
        Intent.REFUND_PROGRESS,
        facts(order(1, lines=(line(1, after_sale(deadline=NOW - timedelta(days=1))),))),
        "已超过预计的昨天(11月21日)12:00",
        "still under way; it was expected by yesterday (Sat 21 Nov) at 12:00",
    ),
    (
        "send back",
        Intent.REFUND_PROGRESS,
        facts(
            order(
                1,
                lines=(line(1, after_sale(AfterSaleStage.AWAITING_RETURN, return_no="R7", freight_payer=FreightPayer.SHOP)),),
            )
        ),
        "请在后天(11月24日)12:00前寄回商品，退货编号R7，寄回运费由本店承担",
        "by Tue 24 Nov at 12:00, return number R7; the return freight is paid by us",
    ),
    (
        "refunded",
        Intent.REFUND_PROGRESS,
        facts(
            order(
                1,
                lines=(line(1, after_sale(AfterSaleStage.REFUNDED, refunded_at=NOW, refund_channel=RefundChannel.ORIGINAL)),),
            )
        ),
        "的退款¥1,299.00已于今天(11月22日)12:00退出，退到原支付方式",
        "was sent today (Sun 22 Nov) at 12:00 to the original payment method",
    ),
    (
        "tier",
        Intent.TIER,
        facts(),
        "您是金卡会员。当前积分1200。\n目前没有可用的优惠券",
        "Gold member. You have 1200 points.\nYou have no coupons",
    ),
    (
        "coupons",
        Intent.TIER,
        facts(
            customer=customer(
                tier_valid_until=NOW + timedelta(days=30),
                coupons=(
                    Coupon(
                        id="c",
                        title_zh="新人券",
                        title_en="Welcome coupon",
                        amount_minor=1000,
                        minimum_minor=9900,
                        valid_until=NOW + timedelta(days=5),
                    ),
                ),
            )
        ),
        "有效期至12月22日(周二)。当前积分1200。\n可用优惠券1张：\n- 新人券：¥10.00（满¥99.00可用），11月27日(周五)前有效",
        "until Tue 22 Dec. You have 1200 points.\nCoupons you can use (1):\n"
        "- Welcome coupon: CN¥10.00 (orders from CN¥99.00), valid",
    ),
    (
        "coupons missing",
        Intent.TIER,
        facts(missing=("coupons",)),
        "您是金卡会员。当前积分1200。",
        "You are a Gold member. You have 1200 points.",
    ),
]


@pytest.mark.parametrize(
    ("intent", "known", "zh", "en"), [row[1:] for row in SITUATIONS], ids=[f"{row[1]}: {row[0]}" for row in SITUATIONS]
)
def test_what_is_said_in_each_situation(intent: Intent, known: Facts, zh: str, en: str) -> None:
    assert zh in say(intent, known, "zh")
    assert en in say(intent, known, "en")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", AfterSaleType)
@pytest.mark.parametrize("stage", AfterSaleStage)
def test_every_stage_of_every_after_sale_has_words(stage: AfterSaleStage, kind: AfterSaleType, language: Language) -> None:
    text = say(Intent.REFUND_PROGRESS, facts(order(1, lines=(line(1, after_sale(stage, kind)),))), language)
    assert "0001" in text


@pytest.mark.parametrize(
    ("intent", "missing"),
    [(Intent.PARCEL, "parcels"), (Intent.REFUND_PROGRESS, "after_sales"), (Intent.TIER, "customer")]
    + [(intent, "orders") for intent in TEMPLATED - {Intent.TIER}],
)
def test_what_is_missing_is_not_guessed(intent: Intent, missing: str) -> None:
    known = facts(order(1, OrderState.SHIPPED, parcel(), lines=(line(1, after_sale()),)), missing=(missing,))
    assert isinstance(answer(intent, known), NoValue)


def test_a_customer_without_a_known_tier_gets_no_guess() -> None:
    assert isinstance(answer(Intent.TIER, facts(customer=customer(tier=None))), NoValue)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


_dates = st.integers(-9, 9).map(lambda days: TODAY + timedelta(days=days))
_instants = st.integers(-9, 9).map(lambda days: NOW + timedelta(days=days))
_parcels = st.builds(
    parcel,
    st.sampled_from(ParcelState),
    estimated_date=_maybe(_dates),
    promised_date=_maybe(_dates),
    delivered_at=_maybe(_instants),
    tracking_no=_maybe(st.just("SF1")),
    carrier=_maybe(st.just("SF Express")),
    pickup_code=_maybe(st.just("1-2-3")),
    pickup_point=_maybe(st.just("Gate 1")),
    events=st.sampled_from([(), (ParcelEvent(at=NOW, state=ParcelState.PICKED_UP, place="Hangzhou"),)]),
)
_after_sales = st.builds(
    after_sale,
    st.sampled_from(AfterSaleStage),
    st.sampled_from(AfterSaleType),
    amount_minor=_maybe(st.just(100)),
    deadline=_maybe(_instants),
    refunded_at=_maybe(_instants),
    return_no=_maybe(st.just("R1")),
    freight_payer=_maybe(st.sampled_from(FreightPayer)),
    refund_channel=_maybe(st.sampled_from(RefundChannel)),
)


@st.composite
def _orders(draw: st.DrawFn) -> Order:
    return order(
        1,
        draw(st.sampled_from(OrderState)),
        *draw(st.lists(_parcels, max_size=3)),
        lines=draw(st.sampled_from([(), (line(1),), (line(1, *draw(st.lists(_after_sales, max_size=2))),)])),
        deposit_minor=draw(_maybe(st.just(100))),
        balance_due_at=draw(_maybe(_instants)),
    )


PARTS = ["customer", "coupons", "orders", "lines", "parcels", "parcel_events", "after_sales", "invoices"]
LEAKS = re.compile(r"[{}]|None|Undefined|View|_|\bby on\b|\d{4}-\d\d-\d\d|  ")


@given(
    _orders(), st.sampled_from(sorted(TEMPLATED)), st.sampled_from(["zh", "en"]), st.sets(st.sampled_from(PARTS), max_size=2)
)
def test_whatever_the_facts_are_the_answer_is_clean_words_or_none(
    known: Order, intent: Intent, language: Language, missing: set[str]
) -> None:
    said = answer(intent, facts(known, missing=tuple(missing)), language)
    if isinstance(said, Rendered):
        assert said.text
        assert not LEAKS.search(said.text), said.text


@given(_orders(), st.sampled_from(["zh", "en"]))
def test_whole_facts_always_give_an_answer_about_an_order(known: Order, language: Language) -> None:
    for intent in (Intent.ORDER_STATUS, Intent.PARCEL):
        assert isinstance(answer(intent, facts(known), language), Rendered)


COLLECT: dict[str, Any] = {"pickup_code": "1-2-3333", "pickup_point": "东门"}
INVOICE = Invoice(id="I1", kind="personal", state="issued", amount_minor=129900)
OWN: list[tuple[str, Intent, Facts, str, str]] = [
    ("all seen", Intent.MY_ORDERS, facts(order(1), order(2, OrderState.COMPLETED)), "未完成的订单1个", "Open orders: 1"),
    (
        "open seen",
        Intent.MY_ORDERS,
        facts(order(1), order_count=9),
        "一共有9个订单。最近还没有完成的有",
        "9. The latest that are still",
    ),
    (
        "some seen",
        Intent.MY_ORDERS,
        facts(order(1, OrderState.COMPLETED), order_count=9),
        "一共有9个订单。最近的有",
        "Your orders: 9. The latest are",
    ),
    ("placed", Intent.ORDER_DATE, facts(order(1)), "10月24日(周六)12:00下单", "was placed on Sat 24 Oct at 12:00"),
    ("unpaid", Intent.ORDER_PAYMENT, facts(order(1, OrderState.UNPAID)), "还没有付款", "has not been paid yet"),
    ("paid", Intent.ORDER_PAYMENT, facts(order(1, OrderState.PAID, paid_at=NOW)), "已付款¥1,299.00", "is paid, CN¥1,299.00"),
    ("total", Intent.ORDER_TOTAL, facts(order(1, freight_minor=800)), "其中运费¥8.00", "including CN¥8.00 for shipping"),
    ("free", Intent.ORDER_FREIGHT, facts(order(1, freight_minor=0)), "没有收运费", "Shipping was free"),
    ("freight", Intent.ORDER_FREIGHT, facts(order(1, freight_minor=800)), "运费是¥8.00", "is CN¥8.00"),
    (
        "due",
        Intent.ORDER_BALANCE,
        facts(order(1, OrderState.DEPOSIT_PAID, deposit_minor=29900, balance_due_at=NOW)),
        "已付定金¥299.00，尾款¥1,000.00还没有付，请在今天(11月22日)12:00前付清",
        "The balance of CN¥1,000.00 is still due, by today (Sun 22 Nov) at 12:00",
    ),
    ("no deposit", Intent.ORDER_BALANCE, facts(order(1)), "没有付定金的订单", "no order with a deposit"),
    ("number", Intent.PARCEL_NUMBER, at(ParcelState.IN_TRANSIT), "顺丰速运 SF0000000000001", "SF0000000000001, in transit"),
    ("no number", Intent.PARCEL_NUMBER, at(ParcelState.IN_TRANSIT, tracking_no=None), "还没有同步", "have not received"),
    ("count", Intent.PARCEL_COUNT, at(ParcelState.IN_TRANSIT), "共有1个包裹", "has 1 parcel:"),
    (
        "promised",
        Intent.PARCEL_PROMISE,
        at(ParcelState.IN_TRANSIT, promised_date=TODAY),
        "承诺今天(11月22日)送达，现在预计明天(11月23日)送达",
        "was promised for today (Sun 22 Nov) and is now expected by tomorrow (Mon 23 Nov)",
    ),
    ("not promised", Intent.PARCEL_PROMISE, at(ParcelState.IN_TRANSIT), "没有承诺", "No delivery date was promised"),
    ("waiting", Intent.PARCEL_PICKUP, at(ParcelState.AT_PICKUP_POINT, **COLLECT), "（东门），取件码1-2-3333", "is 1-2-3333"),
    ("not there", Intent.PARCEL_PICKUP, at(ParcelState.IN_TRANSIT), "不在代收点（运输中）", "is not at a pickup point"),
    ("collected", Intent.PARCEL_PICKUP, at(ParcelState.DELIVERED), "已签收", "has been delivered"),
    ("invoice", Intent.OWN_INVOICE, facts(order(1, invoices=(INVOICE,))), "已开具，金额¥1,299.00", "issued, CN¥1,299.00"),
    ("no invoice", Intent.OWN_INVOICE, facts(order(1)), "没有发票记录", "no invoice"),
]
OWN_AFTER_SALES: list[tuple[str, Intent, dict[str, Any], str, str]] = [
    ("amount", Intent.OWN_REFUND_AMOUNT, {}, "金额¥1,299.00，状态：退款中", "CN¥1,299.00 for your order"),
    ("channel", Intent.OWN_REFUND_CHANNEL, {"refund_channel": RefundChannel.WALLET}, "会退到账户余额", "your account balance"),
    (
        "sent",
        Intent.OWN_REFUND_CHANNEL,
        {"stage": AfterSaleStage.REFUNDED, "refund_channel": RefundChannel.WALLET, "refunded_at": NOW},
        "已于今天(11月22日)12:00退到账户余额",
        "was sent to your account balance",
    ),
    ("number", Intent.OWN_RETURN_NUMBER, {"return_no": "R1"}, "退货编号是R1", "is R1"),
    ("no number", Intent.OWN_RETURN_NUMBER, {}, "没有退货编号", "has no return number"),
    ("freight", Intent.OWN_RETURN_FREIGHT, {"freight_payer": FreightPayer.SHOP}, "由本店承担", "paid by us"),
    ("exchange", Intent.OWN_REFUND_AMOUNT, {"kind": AfterSaleType.EXCHANGE}, "没有退款", "has no refund"),
]
OWN += [
    (name, intent, facts(order(1, lines=(line(1, after_sale(**fields)),))), zh, en)
    for name, intent, fields, zh, en in OWN_AFTER_SALES
]


@pytest.mark.parametrize(("intent", "known", "zh", "en"), [row[1:] for row in OWN], ids=[f"{row[1]}: {row[0]}" for row in OWN])
def test_what_was_asked_of_ones_own_is_said(intent: Intent, known: Facts, zh: str, en: str) -> None:
    assert zh in say(intent, known, "zh")
    assert en in say(intent, known, "en")


@pytest.mark.parametrize("intent", [Intent.OWN_REFUND_CHANNEL, Intent.OWN_RETURN_FREIGHT])
def test_what_the_facts_do_not_tell_is_not_answered(intent: Intent) -> None:
    assert isinstance(answer(intent, facts(order(1, lines=(line(1, after_sale()),)))), NoValue)
