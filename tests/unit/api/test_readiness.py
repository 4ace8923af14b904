"""How often the parts are asked whether they can answer."""

from __future__ import annotations

import asyncio

import pytest

from serve_app.api.readiness import Readiness
from serve_app.domain.errors import StoreFailed


class Part:
    """A part that can be held and broken, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = None
        self.free = asyncio.Event()
        self.free.set()

    async def check(self) -> None:
        self.asked += 1
        await self.free.wait()
        if self.failure is not None:
            raise self.failure


class Watch:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_part_that_can_be_spared_is_degraded() -> None:
    spared, needed = Part(), Part()
    spared.failure = needed.failure = StoreFailed("away")
    readiness = Readiness({"spared": spared.check, "needed": needed.check}, Watch(), spared=frozenset({"spared"}))
    assert await readiness.parts() == {"spared": "degraded", "needed": "down"}


async def test_a_result_is_kept_for_a_moment() -> None:
    part, watch = Part(), Watch()
    readiness = Readiness({"store": part.check}, watch, keep_s=0.5)
    assert await readiness.parts() == {"store": "ok"}
    part.failure = StoreFailed("away")
    watch.now += 0.4
    assert await readiness.parts() == {"store": "ok"}
    assert part.asked == 1
    watch.now += 0.1
    assert await readiness.parts() == {"store": "down"}
    assert part.asked == 2
    part.failure = None
    watch.now += 0.5
    assert await readiness.parts() == {"store": "ok"}


async def test_who_asks_at_the_same_time_shares_one_look_also_when_the_first_goes_away() -> None:
    part = Part()
    part.free.clear()
    readiness = Readiness({"store": part.check}, Watch())
    asking = [asyncio.create_task(readiness.parts()) for _ in range(20)]
    while not part.asked:
        await asyncio.sleep(0)
    asking[0].cancel()
    part.free.set()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [{"store": "ok"}] * 19
    assert part.asked == 1


async def test_a_silent_part_is_late() -> None:
    part = Part()
    part.free.clear()
    assert await Readiness({"store": part.check}, Watch(), within_s=0.01).parts() == {"store": "late"}


async def test_an_unforeseen_failure_is_not_kept() -> None:
    part = Part()
    part.failure = RuntimeError("a bug")
    readiness = Readiness({"store": part.check}, Watch())
    with pytest.raises(RuntimeError):
        await readiness.parts()
    part.failure = None
    assert await readiness.parts() == {"store": "ok"}
