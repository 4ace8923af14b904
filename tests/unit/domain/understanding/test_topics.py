"""Neighbouring rules are kept apart: a question never gets the answer to the one beside it."""

from __future__ import annotations

from datetime import date

import pytest

from serve_app.adapters.linear_classifier import load_utterances
from serve_app.domain.intents import Intent, kind_of
from serve_app.domain.messages import Kind
from serve_app.domain.normalise import canonical_form
from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander
from serve_app.domain.understanding.aspects import ASPECTS
from serve_app.domain.understanding.mixing import in_one_language
from serve_app.domain.understanding.things import THINGS
from serve_app.domain.understanding.topics import TOPICS, UNCHECKED, fits, named_in

# A question, the rule that answers it, and the one beside it that must not.
NEIGHBOURS = [
    ("运费险能赔几块钱", Intent.FREIGHT_INSURANCE, Intent.RETURN_FREIGHT),
    ("退货的运费由谁来出", Intent.RETURN_FREIGHT, Intent.FREIGHT_INSURANCE),
    ("does freight insurance pay for returns", Intent.FREIGHT_INSURANCE, Intent.RETURN_FREIGHT),
    ("付过的定金能退掉吗", Intent.DEPOSIT_REFUND, Intent.RETURN_POLICY),
    ("is the deposit refunded if I cancel", Intent.DEPOSIT_REFUND, Intent.CANCEL_POLICY),
    ("退款会退回到哪里", Intent.REFUND_CHANNEL, Intent.REFUND_TIME),
    ("退款大约多久能到账", Intent.REFUND_TIME, Intent.REFUND_CHANNEL),
    ("退货后优惠券会退回来吗", Intent.COUPON_BACK, Intent.COUPON_RULES),
    ("优惠券能不能叠加着用", Intent.COUPON_STACKING, Intent.COUPON_RULES),
    ("发票抬头填错了能改吗", Intent.INVOICE_CHANGE, Intent.INVOICE),
    ("发票应该怎么开呢", Intent.INVOICE, Intent.INVOICE_CHANGE),
    ("你们能开专票吗", Intent.VAT_INVOICE, Intent.INVOICE),
    ("收货地址写错了怎么改", Intent.ADDRESS_CHANGE_POLICY, Intent.MODIFY_ORDER),
    ("下单以后怎么改尺码", Intent.MODIFY_ORDER, Intent.EXCHANGE_POLICY),
    ("积分多久会过期", Intent.POINTS_EXPIRY, Intent.POINTS_RULES),
    ("包裹显示签收但是没收到怎么办", Intent.DELIVERED_NOT_RECEIVED, Intent.LOST_PARCEL),
    ("预售的东西什么时候发货", Intent.PRESALE, Intent.SHIPPING_TIME),
    ("怎么退货呀", Intent.RETURN_HOWTO, Intent.RETURN_POLICY),
]
# What no rule here answers: it names something that the nearest rule does not know.
UNANSWERED = [
    "发票能抵扣进项税吗",
    "可以用积分买运费险吗",
    "赠品能换成现金吗",
    "定金能当优惠券用吗",
    "发票可以当保修凭证吗",
    "双十二之后价格会涨吗",
    "does freight insurance cover damage to the goods",
    "can I pay the deposit with points",
    "can the installer also take my old fridge",
]
OWN = ["did my coupon come back", "我的优惠券退回来了吗", "我的运费险赔了没有", "my voucher wasn't returned after the refund"]


@pytest.mark.parametrize(("text", "intent", "neighbour"), NEIGHBOURS)
def test_a_question_reaches_its_rule_and_not_the_one_beside_it(
    understander: Understander, today: date, text: str, intent: Intent, neighbour: Intent
) -> None:
    understood = understander.understand(text, Focus(), today)
    assert (understood.intent, understood.kind, understood.settled) == (intent, Kind.PUBLIC, True)
    assert not fits(neighbour, named_in(canonical_form(text))) or neighbour is Intent.RETURN_POLICY


@pytest.mark.parametrize("text", UNANSWERED + OWN)
def test_what_no_rule_answers_is_not_settled(understander: Understander, today: date, text: str) -> None:
    assert not understander.understand(text, Focus(), today).settled


def test_only_what_is_settled_and_public_may_be_answered_by_its_intent(understander: Understander, today: date) -> None:
    own = understander.understand("我的退款什么时候到账", Focus(), today)
    assert (own.kind, own.settled) == (Kind.TEMPLATED, False)


def test_every_rule_says_what_it_needs() -> None:
    rules = {intent for intent in Intent if kind_of(intent) is Kind.PUBLIC} - UNCHECKED
    assert TOPICS.keys() == rules


def test_topics_name_things_and_aspects_that_there_are() -> None:
    names = THINGS.keys() | ASPECTS.keys()
    assert not THINGS.keys() & ASPECTS.keys()
    for intent, topic in TOPICS.items():
        assert frozenset[str]().union(*topic.needs) <= names, intent
        assert topic.knows <= names, intent
        assert topic.unless <= ASPECTS.keys(), intent


def test_nearly_every_training_phrase_fits_its_own_topic() -> None:
    phrases = [(Intent(intent), phrase) for intent, said in load_utterances().items() for phrase in said]
    of_rules = [(intent, phrase) for intent, phrase in phrases if intent in TOPICS]
    fitting = [phrase for intent, phrase in of_rules if fits(intent, named_in(canonical_form(phrase)), 0.5)]
    assert len(fitting) / len(of_rules) >= 0.95


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("退货的shipping fee谁出", "退货的运费谁出"),
        ("where is my 快递", "where is my parcel"),
        ("iphone 15的运费怎么算", "iphone 15的运费怎么算"),
        ("怎么退货", "怎么退货"),
        ("how do i return it", "how do i return it"),
    ],
)
def test_mixed_languages_are_read_in_the_one_that_carries_the_sentence(text: str, said: str) -> None:
    assert in_one_language(text) == said
