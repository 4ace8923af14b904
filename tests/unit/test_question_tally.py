"""What is counted of what is asked, and when the record hears of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.context import Context

from serve_app.adapters.memory_question_log import MemoryQuestionLog
from serve_app.answering import question_tally
from serve_app.answering.question_tally import QuestionTally
from serve_app.answering.work import Draft, Work, at_once
from serve_app.domain.errors import StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import SourceVersion
from serve_app.domain.messages import Ask, Caller, Kind, Tier
from serve_app.domain.question import Entities, Understanding
from serve_app.domain.question_log import Asked
from serve_app.domain.session import Session

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


class Clock:
    at = NOW

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def monotonic(self) -> float:
        return 0.0


def work(text: str, tenant: str = "demo") -> Work:
    made = Work(Ask(Caller(tenant), "s", "m", text), "a", Clock(), 9.0, Context())
    made.session, made.text = Session(tenant, "s", None), text
    made.understood = Understanding(text, "zh", False, Intent.OTHER, 1.0, Entities(), Kind.PUBLIC, text.rstrip("?"))
    return made


def draft(tier: Tier, *sources: str) -> Draft:
    made = at_once("agent" if tier == "none" else "cache", tier=tier)
    made.sources = tuple(SourceVersion(source, 1) for source in sources)
    return made


async def test_a_lot_holds_each_question_once_as_it_was_first_asked_and_last_answered() -> None:
    log = MemoryQuestionLog()
    tally = QuestionTally(log, Clock())
    tally.count(work("谁出运费?"), draft("model", "freight"))
    tally.count(work("谁出运费"), draft("redis", "freight", "freight", "late"))
    tally.count(work("谁出运费"), draft("memory"))
    tally.count(work("谁出运费", "another"), draft("memory", "freight"))
    tally.count(work("我叫王伟"), draft("model"))
    tally.count(work("转人工"), draft("none"))
    assert await log.head("demo", 9) == []
    await tally.flush()
    await tally.flush()
    (one,) = await log.head("demo", 9)
    assert (one.text, one.count, one.tier, one.sources) == ("谁出运费?", 3, "memory", ("freight", "late"))
    assert one.first_at < one.last_at
    tally.count(work("谁出运费"), draft("memory", "late"))
    await tally.flush()
    (one,) = await log.head("demo", 9)
    assert (one.count, one.sources) == (4, ("late",))


async def test_there_is_a_bound_on_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_tally, "WAITING_MAX", 2)
    log = MemoryQuestionLog()
    tally = QuestionTally(log, Clock())
    for text in ("甲", "乙", "丙", "甲"):
        tally.count(work(text), draft("model"))
    await tally.flush()
    assert [(one.text, one.count) for one in await log.head("demo", 9)] == [("甲", 2), ("乙", 1)]


async def test_a_record_that_is_away_loses_counts_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    class Away(MemoryQuestionLog):
        async def add(self, asked: Sequence[Asked]) -> None:
            raise StoreFailed("away")

    tally = QuestionTally(Away(), Clock())
    tally.count(work("甲"), draft("model"))
    with caplog.at_level(logging.WARNING):
        await tally.flush()
    assert "1 questions were not counted: away" in caplog.text
