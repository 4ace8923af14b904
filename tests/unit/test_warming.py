"""The head in a process's memory: over its start, and over a publication."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.memory_jobs import MemoryJobs
from serve_app.adapters.memory_question_log import MemoryQuestionLog
from serve_app.adapters.memory_tier_counts import MemoryTierCounts
from serve_app.adapters.redis_answers import TieredAnswers
from serve_app.answering.shared_tier import SharedTier
from serve_app.answering.voices import Stamp
from serve_app.domain.errors import StoreFailed
from serve_app.domain.generation import Sampling
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, SourceVersion
from serve_app.domain.messages import Kind
from serve_app.domain.pregeneration import Job, Renewal, made_of, passage_of
from serve_app.domain.question_log import Asked
from serve_app.domain.sharing import SharedAnswer, VersionView, question_of
from serve_app.pregeneration import warming
from serve_app.pregeneration.warming import Warming

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FREIGHT = Entry("freight", 3, Intent.OTHER, {"zh": ("运费谁出",)}, {"zh": "您出"})
HEAD = Asked("demo", Kind.PUBLIC, "zh", "谁出运费", "谁出运费", Intent.OTHER, "model", ("freight",), NOW, NOW)
STAMP = Stamp("1", "digest", "capable", Sampling())
ANSWER = SharedAnswer("您出。", "zh", "model", NOW, sources=(FREIGHT.source,))


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Process:
    """One ingress process over what all have in common."""

    def __init__(self, common: MemoryAnswers, jobs: MemoryJobs, log: MemoryQuestionLog) -> None:
        self.versions = {"freight": 3}
        self.known: list[str] = []
        self.entries = {"freight": FREIGHT}
        self.tier = SharedTier(
            TieredAnswers(MemoryAnswers(), common),
            view=lambda _: VersionView(self.versions, 0.0),
            shops={"demo": "demo"},
            stamp=lambda _: STAMP,
            clock=Clock(),
            ttl_s=60,
            serve_stale_s=1,
            counts=MemoryTierCounts(),
        )
        self.warming = Warming(jobs, log, self.tier, lambda _: self.entries, lambda _: STAMP.digest(), self.known.append)

    @property
    def key(self) -> str:
        return self.tier.key_of("demo", "zh", HEAD.canonical)

    def said(self) -> str | None:
        """From this process's memory alone."""
        held = self.tier.in_memory("demo", self.key)
        return None if held is None else held.answer.text


class World:
    def __init__(self) -> None:
        self.common, self.jobs, self.log = MemoryAnswers(), MemoryJobs(), MemoryQuestionLog()

    def process(self) -> Process:
        return Process(self.common, self.jobs, self.log)

    async def renew(self, text: str, entry: Entry, stamp: str = STAMP.digest()) -> None:
        job = Job("demo", "renewal", "zh", HEAD.canonical, HEAD.text, Intent.OTHER, 9, NOW, "r1")
        await self.jobs.put([job])
        await self.jobs.make(job, Renewal(text, stamp, made_of([passage_of(entry, "zh")])), "capable", "", NOW)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_process_that_starts_has_the_head_that_others_answered(world: World) -> None:
    first = world.process()
    await world.common.put(first.key, ANSWER.dumps(), 60)
    await world.log.add([HEAD, replace(HEAD, canonical="never answered")])
    assert first.said() is None
    await first.warming.warm(["demo", "another"])
    assert first.said() == "您出。"
    assert question_of(first.key) in first.known, "a flush after the start finds the head's questions bounded"


async def test_what_is_not_true_any_more_is_not_taken_along(world: World) -> None:
    process = world.process()
    await world.common.put(process.key, replace(ANSWER, sources=(SourceVersion("freight", 2),)).dumps(), 60)
    await world.log.add([HEAD])
    await process.warming.warm(["demo"])
    assert process.said() is None


async def test_a_start_waits_for_no_store_that_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(MemoryAnswers):
        async def get(self, key: str) -> bytes | None:
            await asyncio.Event().wait()
            return None

    class Away(MemoryQuestionLog):
        async def head(self, *_arguments: object, **_more: object) -> list[Asked]:  # type: ignore[override]
            raise StoreFailed("away")

    monkeypatch.setattr(warming, "WARM_MAX_S", 0.01)
    await world.log.add([HEAD])
    await Process(Silent(), world.jobs, world.log).warming.warm(["demo"])
    await Process(world.common, world.jobs, Away()).warming.warm(["demo"])


async def test_a_publication_finds_its_head_in_the_memory_of_every_process_under_its_own_versions(world: World) -> None:
    processes = [world.process(), world.process()]
    changed = replace(FREIGHT, answers={"zh": "店铺出"})
    await world.renew("店铺出。", replace(changed, version=0))
    for process in processes:
        process.entries = {"freight": replace(changed, version=4)}
        await process.warming.adopt("demo")
        assert process.said() is None, "not before it is published"
        process.versions = {"freight": 4}
        assert process.said() == "店铺出。"
    # Whoever starts later has it from all the others.
    await asyncio.sleep(0)
    late = world.process()
    late.versions = {"freight": 4}
    await world.log.add([HEAD])
    await late.warming.warm(["demo"])
    assert late.said() == "店铺出。"


async def test_what_was_made_of_a_draft_that_was_not_published_so_is_never_said(world: World) -> None:
    process = world.process()
    await world.renew("店铺出。", replace(FREIGHT, answers={"zh": "店铺出"}))
    process.entries = {"freight": replace(FREIGHT, version=4, answers={"zh": "都不出"})}
    process.versions = {"freight": 4}
    await process.warming.adopt("demo")
    assert process.said() is None


@pytest.mark.parametrize(
    "other", [replace(STAMP, model="another"), replace(STAMP, prompt_version="2"), replace(STAMP, sampling=Sampling(0.7))]
)
async def test_what_another_model_or_another_prompt_made_is_not_said_under_this_ones_name(world: World, other: Stamp) -> None:
    process = world.process()
    await world.renew("您出。", FREIGHT, other.digest())
    await process.warming.adopt("demo")
    assert process.said() is None
    await world.renew("您出。", FREIGHT)
    await process.warming.adopt("demo")
    assert process.said() == "您出。"


async def test_a_record_that_is_away_stops_no_publication(world: World) -> None:
    class Away(MemoryJobs):
        async def list(self, *_arguments: object, **_more: object) -> list[Job]:  # type: ignore[override]
            raise StoreFailed("away")

    await Process(world.common, Away(), world.log).warming.adopt("demo")
