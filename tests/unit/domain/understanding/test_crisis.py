"""Words of somebody who may harm themselves go to a person; words that only sound so do not."""

from __future__ import annotations

from datetime import date

import pytest

from serve_app.domain.intents import Intent
from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    "text", ["我想自杀", "我不想活了", "I want to kill myself", "i don't want to live any more", "退款不到我就想跳楼"]
)
def test_a_crisis_is_heard(text: str, understander: Understander) -> None:
    assert understander.understand(text, Focus(), TODAY).intent is Intent.CRISIS


@pytest.mark.parametrize("text", ["想死你们了", "快递慢死了", "I would kill for this bag", "my phone died"])
def test_a_way_of_speaking_is_none(text: str, understander: Understander) -> None:
    assert understander.understand(text, Focus(), TODAY).intent is not Intent.CRISIS


@pytest.mark.parametrize("text", ["不用了，取消转人工", "别转人工了"])
def test_nobody_is_called_who_is_not_wanted(text: str, understander: Understander) -> None:
    assert understander.understand(text, Focus(), TODAY).intent is Intent.DENY
