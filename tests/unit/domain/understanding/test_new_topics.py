"""A message that goes on about nothing that was said before is not answered like the message before it."""

from __future__ import annotations

from datetime import date

import pytest

from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander, refocus

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("支持花呗分期吗", "你好蠢"),
        ("支持花呗分期吗", "不是这个"),
        ("支持花呗分期吗", "你们电话多少"),
        ("新疆包邮吗", "一共花了多少钱"),
        ("新疆包邮吗", "还有一单呢"),
        ("积分怎么用", "我最近买了什么"),
        ("怎么开发票", "什么时候签收的"),
        ("我的快递到哪了", "在哪里买的"),
        ("我的快递到哪了", "多少钱"),
        ("我的退款到哪了", "一共花了多少钱"),
        ("我的退款到哪了", "为什么"),
        ("can i pay in instalments", "my wife ordered it"),
        ("can i pay in instalments", "whats your phone number"),
        ("how much is shipping", "which order is 4888"),
        ("where is my refund", "when was it delivered"),
    ],
)
def test_the_last_answer_is_not_given_again(before: str, text: str, understander: Understander) -> None:
    first = understander.understand(before, Focus(), TODAY)
    second = understander.understand(text, refocus(Focus(), first), TODAY)
    assert not second.canonical or second.intent is not first.intent
    assert not second.carried or not second.canonical or "refund" not in second.intent


@pytest.mark.parametrize(
    ("before", "text"),
    [("新疆包邮吗", "那西藏呢"), ("我的快递到哪了", "几天能到"), ("how much is shipping", "and for gold members?")],
)
def test_what_goes_on_about_it_is_answered(before: str, text: str, understander: Understander) -> None:
    first = understander.understand(before, Focus(), TODAY)
    assert understander.understand(text, refocus(Focus(), first), TODAY).canonical
