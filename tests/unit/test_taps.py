"""What is learned from taps never stands in a customer's way."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from serve_app.adapters.memory_proposals import MemoryProposals
from serve_app.answering.taps import Taps
from serve_app.domain.errors import StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Ask, Caller, Kind, Suggestion
from serve_app.domain.proposals import Variant
from serve_app.domain.question import Entities, Focus, Understanding
from serve_app.domain.session import AnswerRecord, QuestionRecord, Session, Turn

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
QUESTION = QuestionRecord("demo", "s", "m1", "a1", "C1001", "谁掏钱", NOW, new_session=True)
ANSWER = AnswerRecord("a1", "您是不是想问", "zh", Kind.PERSONAL, "faq", "stop", NOW)
BEFORE = Session("demo", "s", "C1001", (Turn(1, QUESTION, ANSWER),), Focus(suggested=(Suggestion("freight", "运费谁出"),)))
TAP = Ask(Caller("demo", "C1001"), "s", "m2", choice="freight")


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Away(MemoryProposals):
    """A record that does not answer."""

    async def keep(self, tenant: str, variant: Variant, now: datetime) -> None:
        del tenant, variant, now
        raise StoreFailed("away")


def alone(text: str) -> Understanding:
    return Understanding(text, "zh", False, Intent.OTHER, 0.0, Entities(), Kind.PERSONAL, text)


def leaning(text: str) -> Understanding:
    return Understanding(text, "zh", False, Intent.OTHER, 0.0, Entities(), Kind.PERSONAL, "")


def own(text: str) -> Understanding:
    return Understanding(text, "zh", False, Intent.PARCEL, 0.0, Entities(), Kind.TEMPLATED, text)


async def test_a_tap_is_kept_when_it_was_asked_alone() -> None:
    proposals = MemoryProposals()
    taps = Taps(proposals, Clock())
    taps.learn(TAP, BEFORE, leaning)
    taps.learn(TAP, BEFORE, own)
    taps.learn(Ask(TAP.caller, "s", "m2", question="谁掏钱"), BEFORE, alone)
    await taps.aclose()
    assert await proposals.list("demo", "proposed", 9) == []
    taps.learn(TAP, BEFORE, alone)
    await taps.aclose()
    (one,) = await proposals.list("demo", "proposed", 9)
    assert one.variant == Variant("freight", "zh", "谁掏钱")


async def test_a_record_that_is_away_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    taps = Taps(Away(), Clock())
    with caplog.at_level(logging.WARNING):
        taps.learn(TAP, BEFORE, alone)
        await taps.aclose()
    assert "not kept: away" in caplog.text
