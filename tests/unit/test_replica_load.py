"""What a replica tells a router of what it carries for others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from serve_app.domain.errors import ModelFailed
from serve_app.domain.generation import Finished, Generate, LoadReport, Sampling, Tokens
from serve_app.fleet import REPORT_TTL_S, Fleet
from serve_app.replica_load import ReplicaLoad


class Engine:
    """Gives one token when it is told to, then its end; or fails."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.fails = False

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        await self.go.wait()
        if self.fails:
            raise ModelFailed("gone")
        yield Tokens((7,))
        yield Finished("stop", 1, 0, 1)


@pytest.fixture
def engine() -> Engine:
    return Engine()


class Time:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def load(engine: Engine, time: Time) -> ReplicaLoad:
    return ReplicaLoad("r1", engine.generate, time)


def a_request(name: str, origin: str, tokens: int = 50) -> Generate:
    return Generate(name, [1] * 100, Sampling(), "s", "demo", 30, uncached_tokens=tokens, origin=origin)


def told(load: ReplicaLoad, origin: str) -> tuple[int, int]:
    report = load.report(origin)
    assert report.replica_id == "r1"
    return report.streams, report.waiting_tokens


async def begun(pieces: AsyncGenerator[Tokens | Finished, None]) -> asyncio.Task[Tokens | Finished]:
    async def first() -> Tokens | Finished:
        return await anext(pieces)

    task = asyncio.create_task(first())
    await asyncio.sleep(0)
    return task


async def test_a_process_hears_of_what_others_asked_for(load: ReplicaLoad, engine: Engine) -> None:
    assert told(load, "a") == (0, 0)
    streams = [load.generate(a_request(f"{number}", origin)) for number, origin in enumerate("aab")]
    firsts = [await begun(stream) for stream in streams]
    assert told(load, "a") == (1, 50)
    assert told(load, "b") == (2, 100)
    assert told(load, "c") == (3, 150)
    engine.go.set()
    await asyncio.gather(*firsts)
    assert told(load, "c") == (3, 0), "nothing waits behind the first token"
    for stream in streams:
        await stream.aclose()
    assert told(load, "c") == (0, 0)


@pytest.mark.parametrize("how", ["whole", "closed", "failed", "cancelled"])
async def test_whatever_ends_a_stream_ends_its_load(load: ReplicaLoad, engine: Engine, how: str) -> None:
    stream = load.generate(a_request("x", "a"))
    first = await begun(stream)
    assert told(load, "b") == (1, 50)
    engine.fails = how == "failed"
    if how == "cancelled":
        first.cancel()
    else:
        engine.go.set()
    await asyncio.wait([first])
    if how == "whole":
        assert [piece async for piece in stream] == [Finished("stop", 1, 0, 1)]
    await stream.aclose()
    assert isinstance(first.exception() if not first.cancelled() else None, ModelFailed) == (how == "failed")
    assert told(load, "b") == (0, 0)


def test_reports_are_numbered_whoever_is_told(load: ReplicaLoad) -> None:
    numbers = [load.report(origin).seq for origin in "aabac"]
    assert numbers == sorted(set(numbers))


async def test_a_router_adds_its_own_and_nothing_counts_twice(load: ReplicaLoad) -> None:
    fleets = {origin: Fleet(lambda: 0.0) for origin in "ab"}
    for origin, count in (("a", 2), ("b", 3)):
        fleets[origin].renew(["r1"])
        for number in range(count):
            request = a_request(f"{origin}{number}", origin, tokens=0)
            fleets[origin].expect(request.request_id)
            fleets[origin].route(request)
            await begun(load.generate(request))
    for origin, fleet in fleets.items():
        fleet.report(load.report(origin))
        assert fleet.loads() == {"r1": 5.0}
    fleets["a"].report(LoadReport("r1", seq=0, streams=9, waiting_tokens=0))
    assert fleets["a"].loads() == {"r1": 5.0}


async def test_a_stream_that_was_never_begun_weighs_nothing(load: ReplicaLoad) -> None:
    async with aclosing(load.generate(a_request("x", "a"))):
        assert told(load, "b") == (0, 0)


async def test_news_is_told_once(load: ReplicaLoad, engine: Engine) -> None:
    mine, other = (load.generate(a_request(origin, origin)) for origin in "ab")
    await begun(mine)
    first = load.news("a")
    assert first is not None
    assert first.streams == 0
    assert load.news("a") is None, "its own are no news"
    waiting = await begun(other)
    news = load.news("a")
    assert news is not None
    assert (news.streams, news.waiting_tokens) == (1, 50)
    assert load.news("a") is None
    engine.go.set()
    await waiting
    news = load.news("a")
    assert news is not None
    assert (news.streams, news.waiting_tokens) == (1, 0)
    await other.aclose()
    assert load.news("a") is not None
    await mine.aclose()


async def test_what_stays_as_it_is_is_not_forgotten_by_a_process_that_goes_on_listening(
    load: ReplicaLoad, engine: Engine, time: Time
) -> None:
    mine, others = load.generate(a_request("mine", "a", tokens=0)), load.generate(a_request("others", "b", tokens=0))
    fleet = Fleet(time)
    fleet.renew(["r1"])
    firsts = [await begun(stream) for stream in (mine, others)]
    for _ in range(100):
        time.now_s += REPORT_TTL_S / 20
        # With each of its tokens.
        if (report := load.news("a")) is not None:
            fleet.report(report)
        assert fleet.loads() == {"r1": 1.0}
    engine.go.set()
    await asyncio.gather(*firsts)
    for stream in (mine, others):
        await stream.aclose()


def test_of_processes_that_came_and_went_not_all_are_remembered(load: ReplicaLoad) -> None:
    for number in range(1000):
        load.report(f"process-{number}")
    assert load.news("process-999") is None
    assert load.news("process-0") is not None, "it is told once more"
