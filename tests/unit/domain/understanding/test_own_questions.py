"""Questions on one's own orders, read word by word."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind
from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander
from serve_app.domain.understanding.own_questions import own_question, thing_after

_DATA: dict[str, list[Any]] = yaml.safe_load(Path(__file__).with_name("own_questions.yaml").read_text(encoding="utf-8"))
RULES: list[str] = _DATA.pop("rules")
OWN = [
    (text, Intent(intent), tuple(things))
    for intent, rows in _DATA.items()
    for row in rows
    for text, things in (row.items() if isinstance(row, dict) else [(row, ())])
]


@pytest.mark.parametrize(("text", "intent", "things"), OWN)
def test_what_is_asked_of_ones_own_orders(
    understander: Understander, today: date, text: str, intent: Intent, things: tuple[str, ...]
) -> None:
    understood = understander.understand(text, Focus(), today)
    assert (understood.intent, understood.kind) == (intent, Kind.TEMPLATED)
    assert understood.entities.things == things


@pytest.mark.parametrize("text", RULES)
def test_a_rule_is_not_taken_for_ones_own_order(understander: Understander, today: date, text: str) -> None:
    understood = understander.understand(text, Focus(), today)
    assert understood.kind is not Kind.TEMPLATED or understood.entities.things
    again = understander.understand(text, Focus(), today, things=False)
    assert again.kind is not Kind.TEMPLATED


@pytest.mark.parametrize(
    ("text", "last", "intent"),
    [
        ("多少钱", Intent.REFUND_PROGRESS, Intent.OWN_REFUND_AMOUNT),
        ("how much is it", Intent.REFUND_PROGRESS, Intent.OWN_REFUND_AMOUNT),
        ("退到哪张卡了", Intent.REFUND_PROGRESS, Intent.OWN_REFUND_CHANNEL),
        ("多少钱买的来着", Intent.ORDER_STATUS, Intent.ORDER_TOTAL),
        ("what did i pay for it", Intent.ORDER_STATUS, Intent.ORDER_TOTAL),
        ("单号多少", Intent.PARCEL, Intent.PARCEL_NUMBER),
        ("在哪取", Intent.PARCEL, Intent.PARCEL_PICKUP),
        ("where do i pick it up", Intent.PARCEL, Intent.PARCEL_PICKUP),
        ("什么时候到期", Intent.TIER, Intent.TIER),
        ("until when", Intent.TIER, Intent.TIER),
    ],
)
def test_a_question_without_a_subject_is_about_the_last_one(text: str, last: Intent, intent: Intent) -> None:
    question = own_question(text, last)
    assert question is not None
    assert question.intent is intent


@pytest.mark.parametrize(
    ("text", "last", "intent", "things"),
    [
        ("耳机那个", Intent.PARCEL, Intent.PARCEL, ("耳机",)),
        ("the earbuds", Intent.PARCEL, Intent.PARCEL, ("earbuds",)),
        ("the slippers,sorry", Intent.PARCEL, Intent.PARCEL, ("slippers",)),
        ("我那个双肩包的", Intent.RETURN_FREIGHT, Intent.OWN_RETURN_FREIGHT, ("双肩包",)),
        ("and for my sneakers return", Intent.RETURN_FREIGHT, Intent.OWN_RETURN_FREIGHT, ("sneakers",)),
    ],
)
def test_a_thing_alone_asks_the_last_question_of_it(text: str, last: Intent, intent: Intent, things: tuple[str, ...]) -> None:
    question = thing_after(text, last)
    assert question is not None
    assert (question.intent, question.things) == (intent, things)


@pytest.mark.parametrize(("text", "last"), [("那新疆呢", Intent.SHIPPING_FEE), ("专票呢", Intent.INVOICE), ("耳机", None)])
def test_a_thing_after_a_rule_is_not_ones_own(text: str, last: Intent | None) -> None:
    assert thing_after(text, last) is None


def test_the_state_of_an_order_tells_which_is_meant() -> None:
    question = own_question("待付款那个多少钱", None)
    assert question is not None
    assert (question.intent, question.marks) == (Intent.ORDER_TOTAL, ("unpaid",))


@pytest.mark.parametrize("text", ["refund my order", "dont refund me", "给我退款", "我" * 61])
def test_a_command_or_a_story_is_no_question(text: str) -> None:
    assert own_question(text, None) is None
