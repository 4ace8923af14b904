"""The head of what is asked, as the counts see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from serve_app.adapters.memory_question_log import MemoryQuestionLog
from serve_app.answering.question_head import QuestionHead
from serve_app.domain.errors import StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind
from serve_app.domain.question import Entities, Understanding
from serve_app.domain.question_log import Asked

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FEE = Asked("demo", Kind.PUBLIC, "zh", "运费多少", "运费多少?", Intent.SHIPPING_FEE, "model", (), NOW, NOW)
ASKED = Understanding("运费多少?", "zh", False, Intent.SHIPPING_FEE, 1.0, Entities(), Kind.PUBLIC, "运费多少")


async def test_what_is_asked_most_is_the_head_of_its_tenant_and_language() -> None:
    log = MemoryQuestionLog()
    await log.add([FEE])
    head = QuestionHead(log, ["demo", "other"])
    assert not head.has("demo", ASKED), "not read yet"
    await head.refresh()
    assert head.has("demo", ASKED)
    assert not head.has("other", ASKED)
    assert not head.has("demo", replace(ASKED, language="en"))
    assert not head.has("demo", replace(ASKED, canonical="运费几天"))
    assert not head.has("demo", replace(ASKED, canonical="")), "what means nothing alone is nobody's head"


async def test_while_the_record_is_away_the_head_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    log = MemoryQuestionLog()
    await log.add([FEE])
    head = QuestionHead(log, ["demo"])
    await head.refresh()

    async def away(*_: object) -> None:
        raise StoreFailed("away")

    monkeypatch.setattr(log, "head", away)
    await head.refresh()
    assert head.has("demo", ASKED)
