"""What the demo's templates say of parcels."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from serve_app.domain.facts import Facts, OrderState, ParcelEvent, ParcelState
from serve_app.domain.intents import OF_PARCELS, Intent
from serve_app.domain.messages import Language
from serve_app.domain.question import Entities
from tests.demo_templates import Row, say, shipped, told
from tests.making_facts import NOW, TODAY, facts, order, parcel

NO_DATE = {"estimated_date": None}
COLLECT: dict[str, Any] = {"pickup_code": "1-2-3333", "pickup_point": "东门"}
ROWS: list[Row] = [
    ("none", Intent.PARCEL, facts(), "还没有订单", "no orders"),
    ("unpaid", Intent.PARCEL, facts(order(1, OrderState.UNPAID)), "还没有付款", "has not been paid"),
    ("deposit", Intent.PARCEL, facts(order(1, OrderState.DEPOSIT_PAID)), "还没有付尾款", "balance"),
    ("paid", Intent.PARCEL, facts(order(1, OrderState.PAID)), "还没有发货", "not been shipped yet"),
    ("no record", Intent.PARCEL, facts(order(1, OrderState.SHIPPED)), "还没有物流记录", "no tracking record"),
    ("label", Intent.PARCEL, shipped(ParcelState.LABEL_CREATED), "等待快递员揽收", "waiting for the carrier"),
    ("moving", Intent.PARCEL, shipped(ParcelState.IN_TRANSIT), "预计明天(11月23日)送达", "expected by tomorrow (Mon 23 Nov)"),
    ("no date", Intent.PARCEL, shipped(ParcelState.IN_TRANSIT, **NO_DATE), "还没有给出送达时间", "not given a delivery date"),
    (
        "seen",
        Intent.PARCEL,
        shipped(ParcelState.IN_TRANSIT, events=(ParcelEvent(at=NOW, state=ParcelState.IN_TRANSIT, place="杭州"),)),
        "最新位置：杭州，今天(11月22日)12:00",
        "Last seen in 杭州, today (Sun 22 Nov) at 12:00",
    ),
    ("courier", Intent.PARCEL, shipped(ParcelState.OUT_FOR_DELIVERY), "正在派送中", "out for delivery"),
    (
        "pickup",
        Intent.PARCEL,
        shipped(ParcelState.AT_PICKUP_POINT, pickup_code="6-2-1024", pickup_point="东门驿站"),
        "（东门驿站），取件码6-2-1024",
        "(东门驿站). The pickup code is 6-2-1024",
    ),
    ("no code", Intent.PARCEL, shipped(ParcelState.AT_PICKUP_POINT), "取件码还没有同步", "not received the pickup code"),
    (
        "delivered",
        Intent.PARCEL,
        shipped(ParcelState.DELIVERED, delivered_at=NOW),
        "已签收（今天(11月22日)12:00）",
        "was delivered today",
    ),
    ("delivered once", Intent.PARCEL, shipped(ParcelState.DELIVERED), "已签收", "has been delivered"),
    ("returned", Intent.PARCEL, shipped(ParcelState.RETURNED), "已退回本店", "returned to us"),
    ("lost", Intent.PARCEL, shipped(ParcelState.LOST), "已丢失", "is lost"),
    ("trouble", Intent.PARCEL, shipped(ParcelState.EXCEPTION), "出现异常", "there is a delivery problem"),
    (
        "late",
        Intent.PARCEL,
        shipped(ParcelState.IN_TRANSIT, promised_date=TODAY - timedelta(days=2)),
        "原定前天(11月20日)送达，现在预计明天(11月23日)",
        "was due by Fri 20 Nov and is now expected by tomorrow",
    ),
    (
        "late, no new date",
        Intent.PARCEL,
        shipped(ParcelState.OUT_FOR_DELIVERY, estimated_date=TODAY - timedelta(days=1)),
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
    (
        "number",
        Intent.PARCEL_NUMBER,
        shipped(ParcelState.IN_TRANSIT),
        "顺丰速运 SF0000000000001",
        "SF0000000000001, in transit",
    ),
    ("no number", Intent.PARCEL_NUMBER, shipped(ParcelState.IN_TRANSIT, tracking_no=None), "还没有同步", "have not received"),
    ("count", Intent.PARCEL_COUNT, shipped(ParcelState.IN_TRANSIT), "共有1个包裹", "has 1 parcel:"),
    (
        "promised",
        Intent.PARCEL_PROMISE,
        shipped(ParcelState.IN_TRANSIT, promised_date=TODAY),
        "承诺今天(11月22日)送达，现在预计明天(11月23日)送达",
        "was promised for today (Sun 22 Nov) and is now expected by tomorrow (Mon 23 Nov)",
    ),
    ("not promised", Intent.PARCEL_PROMISE, shipped(ParcelState.IN_TRANSIT), "没有承诺", "No delivery date was promised"),
    (
        "waiting",
        Intent.PARCEL_PICKUP,
        shipped(ParcelState.AT_PICKUP_POINT, **COLLECT),
        "（东门），取件码1-2-3333",
        "is 1-2-3333",
    ),
    ("not there", Intent.PARCEL_PICKUP, shipped(ParcelState.IN_TRANSIT), "不在代收点（运输中）", "is not at a pickup point"),
    ("collected", Intent.PARCEL_PICKUP, shipped(ParcelState.DELIVERED), "已签收", "has been delivered"),
]


@pytest.mark.parametrize(("intent", "known", "zh", "en"), **told(ROWS))
def test_what_is_said(intent: Intent, known: Facts, zh: str, en: str) -> None:
    assert zh in say(intent, known, "zh")
    assert en in say(intent, known, "en")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_of_several_parcels_the_one_that_waits_is_told_with_its_code(language: Language) -> None:
    known = facts(order(1, OrderState.SHIPPED, parcel(), parcel(ParcelState.AT_PICKUP_POINT, 2, **COLLECT)))
    assert "1-2-3333" in say(Intent.PARCEL_PICKUP, known, language)


@pytest.mark.parametrize("intent", OF_PARCELS)
def test_an_order_that_there_is_not_is_not_found(intent: Intent) -> None:
    known = facts(order(1, OrderState.SHIPPED, parcel()))
    assert "没有找到这样的订单" in say(intent, known, "zh", Entities(marks=("unpaid",)))
    assert "I found no such order" in say(intent, known, "en", Entities(marks=("unpaid",)))
