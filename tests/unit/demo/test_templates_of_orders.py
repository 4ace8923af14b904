"""What the demo's templates say of orders, their payment and their invoices."""

from __future__ import annotations

from datetime import timedelta

import pytest

from serve_app.domain.facts import Facts, Invoice, OrderState, ParcelState
from serve_app.domain.intents import Intent
from tests.demo_templates import Row, say, shipped, told
from tests.making_facts import NOW, facts, order, parcel

INVOICE = Invoice(id="I1", kind="personal", state="issued", amount_minor=129900)
ROWS: list[Row] = [
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
    ("shipped", Intent.ORDER_STATUS, shipped(ParcelState.IN_TRANSIT), "已发货", "has been shipped"),
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
        shipped(ParcelState.IN_TRANSIT).model_copy(update={"missing": ("parcels",)}),
        "物流详情暂时查不到",
        "cannot see the tracking details",
    ),
    ("completed", Intent.ORDER_STATUS, facts(order(1, OrderState.COMPLETED)), "已完成", "is complete"),
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
    ("invoice", Intent.OWN_INVOICE, facts(order(1, invoices=(INVOICE,))), "已开具，金额¥1,299.00", "issued, CN¥1,299.00"),
    ("no invoice", Intent.OWN_INVOICE, facts(order(1)), "没有发票记录", "no invoice"),
]


@pytest.mark.parametrize(("intent", "known", "zh", "en"), **told(ROWS))
def test_what_is_said(intent: Intent, known: Facts, zh: str, en: str) -> None:
    assert zh in say(intent, known, "zh")
    assert en in say(intent, known, "en")
