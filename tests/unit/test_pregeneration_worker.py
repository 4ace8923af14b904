"""How a process takes jobs, and what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from serve_app.adapters.memory_jobs import MemoryJobs
from serve_app.domain.errors import DeadlineExceeded, InternalError, ModelFailed, NotReady, StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry
from serve_app.domain.pregeneration import ATTEMPTS_MAX, CannotMake, Job
from serve_app.pregeneration.watching import watched
from serve_app.pregeneration.worker import Done, Worker

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ENTRY = Entry("asked-1", 0, Intent.OTHER, {"zh": ("a",)}, {"zh": "b"})


@dataclass
class Time:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@dataclass
class Hands:
    """Makes what it is let; `errors` are raised first."""

    errors: list[Exception] = field(default_factory=list[Exception])
    held: asyncio.Event | None = None
    began: list[str] = field(default_factory=list[str])

    async def make(self, job: Job) -> Done:
        self.began.append(job.canonical)
        if self.held is not None:
            await self.held.wait()
        if self.errors:
            raise self.errors.pop(0)
        return Done(ENTRY, "a note")


class Bench:
    def __init__(self, at_once: int = 2, has_room: Callable[[], bool] = lambda: True) -> None:
        self.time, self.jobs, self.hands = Time(), MemoryJobs(), Hands()
        self.worker = Worker(
            self.jobs, self.hands, "capable", ["demo"], self.time, at_once=at_once, has_room=has_room, pause_s=0.001
        )

    async def put(self, *canonicals: str) -> list[str]:
        jobs = [Job("demo", "answer", "zh", name, name, Intent.OTHER, 1, NOW) for name in canonicals]
        await self.jobs.put(jobs)
        return [job.id for job in jobs]

    async def kept(self, job_id: str) -> Job:
        job = await self.jobs.find("demo", job_id)
        assert job is not None
        return job

    async def one_round(self) -> None:
        await self.worker.take()
        while self.worker._running:  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0)


async def test_what_is_made_is_kept_with_its_model_and_a_note() -> None:
    bench = Bench()
    (job_id,) = await bench.put("a")
    await bench.one_round()
    job = await bench.kept(job_id)
    assert (job.state, job.made, job.model, job.reason, job.made_at) == ("made", ENTRY, "capable", "a note", NOW)


async def test_no_more_than_its_share_runs_at_a_time_and_the_rest_follows() -> None:
    bench = Bench(at_once=2)
    bench.hands.held = asyncio.Event()
    ids = await bench.put(*"abcdef")
    running = asyncio.create_task(bench.worker.run())
    try:
        while len(bench.hands.began) < 2:
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(bench.hands.began) == 2
        bench.hands.held.set()
        done = await watched(bench.jobs, "demo", ids, lambda _: None)
        assert (done.made, done.total, str(done)) == (6, 6, "6 of 6 made")
    finally:
        running.cancel()


async def test_nothing_is_begun_while_customers_wait() -> None:
    room = False
    bench = Bench(has_room=lambda: room)
    await bench.put("a")
    assert await bench.worker.take() == 0
    room = True
    assert await bench.worker.take() == 1
    await bench.worker.aclose()


async def test_what_runs_when_the_process_ends_is_anothers_at_once_and_no_attempt() -> None:
    bench = Bench()
    bench.hands.held = asyncio.Event()
    (job_id,) = await bench.put("a")
    await bench.worker.take()
    await asyncio.sleep(0)
    await bench.worker.aclose()
    assert (await bench.kept(job_id)).attempts == 0
    (taken,) = await bench.jobs.take(["demo"], NOW, 60, 9)
    assert taken.id == job_id


@pytest.mark.parametrize("error", [CannotMake("why"), InternalError("why")])
async def test_what_cannot_be_made_fails_with_its_reason(error: Exception) -> None:
    bench = Bench()
    bench.hands.errors = [error]
    (job_id,) = await bench.put("a")
    await bench.one_round()
    job = await bench.kept(job_id)
    assert (job.state, job.reason) == ("failed", "why")


@pytest.mark.parametrize(
    "error",
    [NotReady("busy"), DeadlineExceeded("busy"), ModelFailed("busy"), StoreFailed("busy"), TimeoutError(), RuntimeError("odd")],
)
async def test_what_may_go_well_another_time_is_tried_again_a_few_times(error: Exception) -> None:
    bench = Bench()
    bench.hands.errors = [error] * ATTEMPTS_MAX
    (job_id,) = await bench.put("a")
    for attempt in range(1, ATTEMPTS_MAX + 1):
        await bench.one_round()
        job = await bench.kept(job_id)
        assert job.attempts == attempt
        assert job.state == ("failed" if attempt == ATTEMPTS_MAX else "waiting")
        assert await bench.worker.take() == 0, "not at once"
        bench.time.at += timedelta(minutes=1)


async def test_a_job_that_ends_its_makers_is_given_up() -> None:
    bench = Bench()
    (job_id,) = await bench.put("a")
    for _ in range(ATTEMPTS_MAX):
        await bench.jobs.take(["demo"], bench.time.now(), 1, 9)
        bench.time.at += timedelta(minutes=10)
    await bench.one_round()
    assert bench.hands.began == []
    assert "given up" in (await bench.kept(job_id)).reason


async def test_a_record_that_is_away_is_asked_again() -> None:
    class Away(MemoryJobs):
        away = True
        asked = 0

        async def take(self, *arguments: object, **more: object) -> list[Job]:  # type: ignore[override]
            self.asked += 1
            if self.away:
                raise StoreFailed("away")
            return list(await super().take(*arguments, **more))  # type: ignore[arg-type]

    bench, jobs = Bench(), Away()
    worker = Worker(jobs, bench.hands, "capable", ["demo"], bench.time, at_once=1, has_room=lambda: True, pause_s=0.001)
    job = Job("demo", "answer", "zh", "a", "a", Intent.OTHER, 1, NOW)
    await jobs.put([job])
    running = asyncio.create_task(worker.run())
    try:
        while jobs.asked < 2:
            await asyncio.sleep(0)
        jobs.away = False
        assert (await watched(jobs, "demo", [job.id], lambda _: None)).made == 1
    finally:
        running.cancel()


async def test_whoever_waits_is_told_when_nobody_takes_the_work() -> None:
    bench = Bench()
    ids = await bench.put("a", "b")
    said: list[str] = []
    alone = await watched(bench.jobs, "demo", ids, said.append, nobody_s=0)
    assert (alone.nobody, alone.is_over, said) == (True, False, [])
    late = await watched(bench.jobs, "demo", ids, said.append, within_s=0, nobody_s=9)
    assert (late.nobody, late.is_over, said) == (False, False, ["0 of 2 made"])
    (job, _) = await bench.jobs.take(["demo"], NOW, 60, 9)
    await bench.jobs.fail(job, "why", None)
    taken = await watched(bench.jobs, "demo", ids, said.append, within_s=0, nobody_s=0)
    assert (taken.nobody, str(taken)) == (False, "0 of 2 made, 1 failed")
    assert replace(taken, failed=2).is_over
