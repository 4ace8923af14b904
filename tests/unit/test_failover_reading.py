"""A stream that is read with a limit to the wait, and left without waiting. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import pytest

from serve_app.domain.errors import ModelFailed, Overloaded
from serve_app.reading import Reading
from tests.virtual_time import run


def reads(play: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run(play())


async def numbers(count: int, every_s: float, end: BaseException | None = None) -> AsyncGenerator[int, None]:
    for number in range(count):
        await asyncio.sleep(every_s)
        yield number
    if end is not None:
        raise end


def test_what_comes_is_given_in_order_and_then_the_end():
    async def play() -> None:
        reading = Reading(numbers(3, 1.0))
        assert [await reading.next(5) for _ in range(5)] == [0, 1, 2, "ended", "ended"]
        reading.leave()

    reads(play)


def test_silence_does_not_end_the_stream():
    async def play() -> None:
        reading = Reading(numbers(1, 3.0))
        begun = asyncio.get_running_loop().time()
        assert [await reading.next(2.1), await reading.next(2.1)] == ["silent", 0]
        assert reading.arrived_at - begun == pytest.approx(3.0)
        reading.leave()

    reads(play)


def test_what_came_while_nobody_asked_is_not_late():
    async def play() -> None:
        reading = Reading(numbers(2, 0.5))
        await asyncio.sleep(100)
        assert [await reading.next(0) for _ in range(3)] == [0, 1, "ended"]
        reading.leave()

    reads(play)


@pytest.mark.parametrize(
    ("end", "told"),
    [(Overloaded("Full."), Overloaded), (ModelFailed("dead"), ModelFailed), (asyncio.CancelledError(), ModelFailed)],
)
def test_what_ends_the_stream_is_raised_after_what_came_before(end: BaseException, told: type[Exception]):
    async def play() -> None:
        reading = Reading(numbers(1, 0.5, end))
        await asyncio.sleep(1)
        assert await reading.next(0) == 0
        with pytest.raises(told):
            await reading.next(5)
        reading.leave()

    reads(play)


def test_leaving_does_not_wait_for_a_stream_that_ends_slowly():
    ended: list[float] = []

    async def slow_to_end() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(60)
            ended.append(asyncio.get_running_loop().time())

    async def play() -> None:
        reading = Reading(slow_to_end())
        assert await reading.next(1) == 1
        begun = asyncio.get_running_loop().time()
        reading.leave()
        assert asyncio.get_running_loop().time() == begun
        await asyncio.sleep(61)
        assert ended == [begun + 60]

    reads(play)
