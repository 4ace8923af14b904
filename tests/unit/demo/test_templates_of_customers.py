"""What the demo's templates say of a customer's tier, coupons and orders."""

from __future__ import annotations

from datetime import timedelta

import pytest

from serve_app.domain.facts import Coupon, Facts, OrderState
from serve_app.domain.intents import Intent
from serve_app.domain.templates import NoValue
from tests.demo_templates import Row, answer, say, told
from tests.making_facts import NOW, customer, facts, order

ROWS: list[Row] = [
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
]


@pytest.mark.parametrize(("intent", "known", "zh", "en"), **told(ROWS))
def test_what_is_said(intent: Intent, known: Facts, zh: str, en: str) -> None:
    assert zh in say(intent, known, "zh")
    assert en in say(intent, known, "en")


def test_a_customer_without_a_known_tier_gets_no_guess() -> None:
    assert isinstance(answer(Intent.TIER, facts(customer=customer(tier=None))), NoValue)
