"""What the demo's templates say of refunds and other after-sales."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from serve_app.domain.facts import AfterSaleStage, AfterSaleType, Facts, FreightPayer, RefundChannel
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Language
from serve_app.domain.templates import NoValue
from tests.demo_templates import Row, answer, say, told
from tests.making_facts import NOW, after_sale, facts, line, order


def with_one(*args: Any, **fields: Any) -> Facts:
    return facts(order(1, lines=(line(1, after_sale(*args, **fields)),)))


ROWS: list[Row] = [
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
]
OWN: list[tuple[str, Intent, dict[str, Any], str, str]] = [
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
    ("nothing back", Intent.OWN_RETURN_FREIGHT, {"kind": AfterSaleType.REFUND_ONLY}, "不用寄回", "Nothing is sent back"),
    ("exchange", Intent.OWN_REFUND_AMOUNT, {"kind": AfterSaleType.EXCHANGE}, "没有退款", "has no refund"),
]
ROWS += [(name, intent, with_one(**fields), zh, en) for name, intent, fields, zh, en in OWN]


@pytest.mark.parametrize(("intent", "known", "zh", "en"), **told(ROWS))
def test_what_is_said(intent: Intent, known: Facts, zh: str, en: str) -> None:
    assert zh in say(intent, known, "zh")
    assert en in say(intent, known, "en")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", AfterSaleType)
@pytest.mark.parametrize("stage", AfterSaleStage)
def test_every_stage_of_every_after_sale_has_words(stage: AfterSaleStage, kind: AfterSaleType, language: Language) -> None:
    assert "0001" in say(Intent.REFUND_PROGRESS, with_one(stage, kind), language)


@pytest.mark.parametrize("intent", [Intent.OWN_REFUND_CHANNEL, Intent.OWN_RETURN_FREIGHT])
def test_what_the_facts_do_not_tell_is_not_answered(intent: Intent) -> None:
    assert isinstance(answer(intent, with_one()), NoValue)
