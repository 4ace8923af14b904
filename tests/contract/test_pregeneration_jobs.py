"""Jobs of pre-generation and the question log, in every keeper of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import update

from serve_app.adapters.memory_jobs import MemoryJobs
from serve_app.adapters.memory_question_log import MemoryQuestionLog
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_jobs import SqlJobs, jobs
from serve_app.adapters.sql_question_log import SqlQuestionLog
from serve_app.domain.errors import StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, SourceVersion, Template, TemplateCase
from serve_app.domain.messages import Kind
from serve_app.domain.pregeneration import Job, MadeOf, Renewal
from serve_app.domain.question_log import Asked
from serve_app.ports import Jobs, QuestionLog

NOW = datetime(2026, 11, 22, 4, 0, 0, 123456, tzinfo=UTC)
ENTRY = Entry("asked-1", 0, Intent.OTHER, {"zh": ("谁出运费",)}, {"zh": "您出。"}, derived_from=(SourceVersion("freight", 2),))
TEMPLATE = Template("tier", 0, Intent.TIER, (TemplateCase("", {"zh": "好", "en": "ok"}),))
RENEWAL = Renewal("7 days", "abcd", (MadeOf("returns", "Can I return it?", "ff"),))


@dataclass
class Stores:
    tenant: str
    jobs: Jobs
    log: QuestionLog  # keeps 10 of a tenant

    def job(self, canonical: str, **changes: object) -> Job:
        plain = Job(self.tenant, "answer", "zh", canonical, canonical, Intent.OTHER, 1, NOW)
        return replace(plain, **changes)  # pyright: ignore[reportArgumentType]

    def asked(self, canonical: str, **changes: object) -> Asked:
        plain = Asked(self.tenant, Kind.PUBLIC, "zh", canonical, f"{canonical}?", Intent.OTHER, "model", ("freight",), NOW, NOW)
        return replace(plain, **changes)  # pyright: ignore[reportArgumentType]

    async def take(self, now: datetime = NOW, limit: int = 9) -> list[str]:
        return [job.canonical for job in await self.jobs.take([self.tenant], now, 60, limit)]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    tenant = uuid4().hex
    if request.param == "memory":
        yield Stores(tenant, MemoryJobs(), MemoryQuestionLog(10))
        return
    sqlite = f"sqlite+aiosqlite:///{tmp_path / 'record.db'}"
    engine = connect(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    await create_tables(engine)
    yield Stores(tenant, SqlJobs(engine), SqlQuestionLog(engine, 10))
    await engine.dispose()


async def test_a_job_is_taken_by_one_renewals_and_the_most_asked_first(stores: Stores) -> None:
    renewal = stores.job("renewed", kind="renewal", revision="r")
    await stores.jobs.put([stores.job("rare"), stores.job("often", count=9), renewal])
    assert await stores.take(limit=2) == ["renewed", "often"]
    assert await stores.take() == ["rare"]
    assert await stores.take() == []
    assert await stores.jobs.take(["another"], NOW, 60, 9) == []


async def test_two_that_take_at_once_share_the_jobs(stores: Stores) -> None:
    await stores.jobs.put([stores.job(str(number)) for number in range(8)])
    taken = await asyncio.gather(*(stores.take(limit=3) for _ in range(4)))
    assert sorted(name for some in taken for name in some) == sorted({name for some in taken for name in some})
    rest = await stores.take()
    assert sorted([*(name for some in taken for name in some), *rest]) == [str(number) for number in range(8)]


async def test_a_lease_ends_and_what_was_given_back_is_no_attempt(stores: Stores) -> None:
    await stores.jobs.put([stores.job("a")])
    (job,) = await stores.jobs.take([stores.tenant], NOW, 60, 9)
    assert job.attempts == 1
    await stores.jobs.give_back([job], NOW)
    assert await stores.take() == ["a"]
    assert await stores.take(NOW + timedelta(seconds=59)) == []
    (again,) = await stores.jobs.take([stores.tenant], NOW + timedelta(seconds=61), 60, 9)
    assert again.attempts == 2


@pytest.mark.parametrize(
    ("kind", "made"), [("answer", ENTRY), ("template", TEMPLATE), ("renewal", RENEWAL)], ids=["entry", "template", "renewal"]
)
async def test_what_is_made_is_kept_as_it_was_made(stores: Stores, kind: str, made: Entry | Template | Renewal) -> None:
    await stores.jobs.put([stores.job("a", kind=kind)])
    (job,) = await stores.jobs.take([stores.tenant], NOW, 60, 9)
    await stores.jobs.make(job, made, "capable", "look", NOW)
    kept = await stores.jobs.find(stores.tenant, job.id)
    assert kept == replace(job, state="made", made=made, model="capable", made_at=NOW, reason="look")
    assert await stores.take(NOW + timedelta(days=1)) == []
    # Whoever was too slow changes nothing.
    await stores.jobs.fail(job, "late", None)
    await stores.jobs.give_back([job], NOW)
    assert await stores.jobs.read(stores.tenant, [job.id, "pre_none"]) == {job.id: kept}
    assert await stores.take() == []


async def test_what_another_version_of_the_program_made_is_as_if_it_was_not_made(tmp_path: Path) -> None:
    engine = connect(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}")
    await create_tables(engine)
    stores = Stores("demo", SqlJobs(engine), SqlQuestionLog(engine))
    await stores.jobs.put([stores.job("a", kind="renewal", revision="r")])
    (job,) = await stores.jobs.take([stores.tenant], NOW, 60, 9)
    await stores.jobs.make(job, RENEWAL, "capable", "", NOW)
    async with engine.begin() as connection:
        await connection.execute(update(jobs).values(made='{"words": "7 days"}'))
    (read,) = await stores.jobs.list("demo", ["renewal"], ["made"], 9)
    assert read.made is None
    await engine.dispose()


async def test_a_failure_is_tried_again_or_kept(stores: Stores) -> None:
    await stores.jobs.put([stores.job("a"), stores.job("b")])
    a, b = sorted(await stores.jobs.take([stores.tenant], NOW, 60, 9), key=lambda job: job.canonical)
    await stores.jobs.fail(a, "busy", NOW + timedelta(seconds=5))
    await stores.jobs.fail(b, "a figure that stands in no source", None)
    assert await stores.take(NOW + timedelta(seconds=5)) == ["a"]
    (failed,) = await stores.jobs.list(stores.tenant, ["answer"], ["failed"], 9)
    assert (failed.canonical, failed.reason) == ("b", "a figure that stands in no source")
    await stores.jobs.put([stores.job("b")])
    assert await stores.take() == ["b"]


async def test_what_a_person_edits_and_decides_is_kept(stores: Stores) -> None:
    await stores.jobs.put([stores.job("a", count=2), stores.job("b", count=3)])
    for job in await stores.jobs.take([stores.tenant], NOW, 60, 9):
        await stores.jobs.make(job, ENTRY, "capable", "en is missing", NOW)
    b, a = await stores.jobs.list(stores.tenant, ["answer"], ["made"], 9)
    assert [b.canonical, a.canonical] == ["b", "a"]
    edited = replace(ENTRY, answers={"zh": "店铺出。"})
    await stores.jobs.edit(stores.tenant, a.id, edited)
    await stores.jobs.decide(stores.tenant, b.id, "rejected", "ann")
    kept = await stores.jobs.find(stores.tenant, a.id)
    assert kept is not None
    assert (kept.made, kept.reason, kept.state) == (edited, "", "made")
    (rejected,) = await stores.jobs.list(stores.tenant, ["answer"], ["rejected"], 9)
    assert (rejected.canonical, rejected.decided_by) == ("b", "ann")


async def test_old_renewals_go_and_those_of_a_draft_that_is_published(stores: Stores) -> None:
    def renewal(canonical: str, revision: str, age_s: float) -> Job:
        return stores.job(canonical, kind="renewal", revision=revision, created_at=NOW - timedelta(seconds=age_s))

    await stores.jobs.put([renewal("old", "r1", 100), renewal("its", "r2", 0), renewal("other", "r3", 0), stores.job("a")])
    await stores.jobs.drop_renewals(stores.tenant, NOW - timedelta(seconds=50), "r2")
    assert await stores.take() == ["other", "a"]


async def test_questions_are_counted_and_the_head_comes_first(stores: Stores) -> None:
    later = NOW + timedelta(seconds=9)
    await stores.log.add([stores.asked("a"), stores.asked("b", count=2)])
    await stores.log.add([stores.asked("a", count=3, text="a!", tier="memory", sources=("freight", "late"), last_at=later)])
    await stores.log.add([stores.asked("@tier", kind=Kind.TEMPLATED, text=""), stores.asked("a", language="en")])
    first, second, third = await stores.log.head(stores.tenant, 9)
    assert first == stores.asked("a", count=4, tier="memory", sources=("freight", "late"), last_at=later)
    assert (second.canonical, third.language) == ("b", "en")
    assert [one.canonical for one in await stores.log.head(stores.tenant, 9, language="zh")] == ["a", "b"]
    assert [one.canonical for one in await stores.log.head(stores.tenant, 1)] == ["a"]
    assert [one.canonical for one in await stores.log.head(stores.tenant, 9, Kind.TEMPLATED)] == ["@tier"]
    assert await stores.log.head("another", 9) == []


async def test_the_rarest_questions_go_and_old_counts_weigh_less(stores: Stores) -> None:
    await stores.log.add([stores.asked(str(number), count=number + 1) for number in range(12)])
    head = await stores.log.head(stores.tenant, 99)
    assert (head[0].count, head[-1].count) == (6, 2)
    assert sorted(int(one.canonical) for one in head) == list(range(2, 12))


async def test_a_record_that_is_away_is_named() -> None:
    engine = connect("postgresql+asyncpg://nobody:secret@127.0.0.1:1/none")
    try:
        with pytest.raises(StoreFailed):
            await SqlJobs(engine).take(["demo"], NOW, 60, 1)
        with pytest.raises(StoreFailed):
            await SqlQuestionLog(engine).head("demo", 1)
    finally:
        await engine.dispose()
