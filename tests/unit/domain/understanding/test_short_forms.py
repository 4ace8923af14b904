"""Short forms that customers use for their own things."""

from __future__ import annotations

from datetime import date

import pytest

from serve_app.domain.intents import Intent
from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander, refocus

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("my refund?", Intent.REFUND_PROGRESS),
        ("订单ZW880634295292的物流", Intent.PARCEL),
        ("订单 ZW880634295292 的物流信息", Intent.PARCEL),
        ("我的退款", Intent.REFUND_PROGRESS),
    ],
)
def test_a_noun_phrase_is_a_question(understander: Understander, text: str, intent: Intent) -> None:
    assert understander.understand(text, Focus(), TODAY).intent is intent


def test_a_question_that_nothing_understood_keeps_the_topic(understander: Understander) -> None:
    focus = refocus(Focus(), understander.understand("退货政策是什么?", Focus(), TODAY))
    lost = refocus(focus, understander.understand("你们老板的生日是哪天", focus, TODAY), missed=True)
    assert lost.misses == 1
    assert understander.understand("那运费呢?", lost, TODAY).intent is Intent.RETURN_FREIGHT
