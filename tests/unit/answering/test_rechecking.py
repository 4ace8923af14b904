"""An answer that is given again after something new was published."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.context import Context

from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.memory_tier_counts import MemoryTierCounts
from serve_app.adapters.redis_answers import TieredAnswers
from serve_app.answering.rechecking import AGAIN, SETTLES, Rechecking, is_outdated
from serve_app.answering.shared_tier import SharedTier
from serve_app.answering.voices import Stamp
from serve_app.answering.work import Work
from serve_app.domain.generation import Sampling
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Found, Passage, SourceVersion
from serve_app.domain.messages import Ask, Caller
from serve_app.domain.sharing import SharedAnswer, VersionView

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FREIGHT, MOON = SourceVersion("freight", 1), SourceVersion("moon", 1)
ENTRY = Entry("moon", 1, Intent.OTHER, {"en": ("Do you deliver to the moon?",)}, {"en": "Yes."})
ANSWER = SharedAnswer("No.", "en", "model", NOW - timedelta(hours=1), "capable", sources=(FREIGHT,))


def passages(*sources: SourceVersion) -> Found:
    return Found(passages=tuple(Passage(source, source.id, "text") for source in sources))


@pytest.mark.parametrize(
    ("answer", "found", "outdated"),
    [
        (ANSWER, passages(FREIGHT), False),
        (ANSWER, passages(), False),
        (ANSWER, passages(FREIGHT, MOON), True),
        (ANSWER, Found(entry=ENTRY), True),
        (replace(ANSWER, source="faq", sources=(MOON,)), Found(entry=ENTRY), False),
        (replace(ANSWER, source="faq"), Found(entry=ENTRY), True),
        (replace(ANSWER, source="faq"), passages(FREIGHT), True),
    ],
)
def test_outdated_is_what_would_be_built_from_something_else_now(answer: SharedAnswer, found: Found, outdated: bool) -> None:
    assert is_outdated(answer, found) is outdated


class Process:
    """What one ingress process knows. The library finds what the test says."""

    def __init__(self) -> None:
        self.at = NOW
        self.view = VersionView({"freight": 1, "moon": 1}, 0.0, grown_at=NOW)
        self.found, self.degraded, self.looked = passages(FREIGHT), False, 0
        self.shared = SharedTier(
            TieredAnswers(MemoryAnswers(), MemoryAnswers()),
            view=lambda _: self.view,
            shops={"demo": "demo"},
            stamp=lambda _: Stamp("1", "digest", "capable", Sampling()),
            clock=self,
            ttl_s=3600,
            serve_stale_s=1,
            counts=MemoryTierCounts(),
        )
        self.rechecking = Rechecking(self.look_up, self.shared, lambda _: self.view, self, pause_s=0)
        self.key = self.shared.key_of("demo", "en", "do you deliver to the moon")

    async def look_up(self, work: Work) -> Found:
        self.looked += 1
        if self.degraded:
            work.leave_out("knowledge")
        return self.found

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0

    async def keep(self, answer: SharedAnswer = ANSWER) -> None:
        self.shared.keep(self.key, answer)
        await self.shared.settled()

    async def ask(self) -> str | None:
        """What is said, and what is thought of it afterwards."""
        held = await self.shared.anywhere("demo", self.key)
        if held is None:
            return None
        work = Work(Ask(Caller("demo"), "s", "m", "?"), "a", self, 10.0, Context())
        work.share_key = self.key
        self.rechecking.hit(work, held.answer)
        await self.rechecking.settled()
        await self.shared.settled()
        assert work.degraded == []
        assert work.timings_ms == {}
        return held.answer.text


@pytest.fixture
def process() -> Process:
    return Process()


async def test_an_answer_from_before_something_new_that_is_near_is_given_no_more(process: Process) -> None:
    await process.keep()
    process.found = passages(FREIGHT, MOON)
    assert [await process.ask(), await process.ask()] == ["No.", None]


async def test_an_answer_that_would_be_the_same_stays_and_is_looked_at_until_all_is_embedded(process: Process) -> None:
    await process.keep()
    for _ in range(3):
        assert await process.ask() == "No."
    assert process.looked == 1
    process.at += AGAIN
    assert await process.ask() == "No."
    process.at = NOW + SETTLES
    assert await process.ask() == "No."
    assert process.looked == 3
    process.at += timedelta(hours=1)
    assert await process.ask() == "No."
    assert process.looked == 3


async def test_an_answer_from_long_after_is_not_looked_at(process: Process) -> None:
    process.at = NOW + SETTLES
    await process.keep(replace(ANSWER, created_at=process.at))
    process.at += AGAIN
    assert await process.ask() == "No."
    process.view = replace(process.view, grown_at=None)
    assert await process.ask() == "No."
    assert process.looked == 0


async def test_a_look_that_failed_takes_nothing_away(process: Process) -> None:
    await process.keep()
    process.found, process.degraded = passages(FREIGHT, MOON), True
    assert [await process.ask(), await process.ask()] == ["No.", "No."]
