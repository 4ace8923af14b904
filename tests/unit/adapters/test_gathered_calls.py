"""Calls that come in the same moment are one round trip, and each caller gets its own replies."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from serve_app.adapters.gathered_calls import COMMANDS_MAX, GatheredCalls
from serve_app.adapters.redis_link import Command
from serve_app.domain.errors import StoreFailed


class Echo:
    """Replies with the commands themselves; `trips` are those of each call."""

    def __init__(self) -> None:
        self.trips: list[tuple[Command, ...]] = []
        self.fails = False
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def together(self, *commands: Command) -> list[Any]:
        self.trips.append(commands)
        await self.goes_on.wait()
        if self.fails:
            raise StoreFailed("away")
        return [ValueError("refused") if command[0] == "BAD" else command for command in commands]

    async def call(self, *command: str | bytes | int) -> Any:
        return (await self.together(command))[0]


async def test_what_is_called_in_one_moment_goes_in_one_trip_and_each_gets_its_own():
    echo = Echo()
    calls = GatheredCalls(echo)
    found = await asyncio.gather(calls.together(("A",), ("B",)), calls.call("C"), calls.together(("D",)))
    assert found == [[("A",), ("B",)], ("C",), [("D",)]]
    assert echo.trips == [(("A",), ("B",), ("C",), ("D",))]


async def test_a_later_call_does_not_wait_for_an_earlier_trip():
    echo = Echo()
    echo.goes_on.clear()
    calls = GatheredCalls(echo)
    first = asyncio.create_task(calls.call("A"))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(calls.call("B"))
    await asyncio.sleep(0.01)
    assert echo.trips == [(("A",),), (("B",),)]
    echo.goes_on.set()
    assert await asyncio.gather(first, second) == [("A",), ("B",)]


async def test_a_command_that_fails_alone_fails_for_its_caller_alone():
    calls = GatheredCalls(Echo())
    good, bad = await asyncio.gather(calls.together(("A",)), calls.together(("BAD",)))
    assert good == [("A",)]
    assert isinstance(bad[0], ValueError)


async def test_a_trip_that_fails_fails_for_all_of_it():
    echo = Echo()
    echo.fails = True
    calls = GatheredCalls(echo)
    found = await asyncio.gather(calls.call("A"), calls.call("B"), return_exceptions=True)
    assert [str(error) for error in found] == ["away", "away"]
    echo.fails = False
    assert await calls.call("C") == ("C",)


async def test_a_caller_that_goes_away_disturbs_nobody():
    echo = Echo()
    echo.goes_on.clear()
    calls = GatheredCalls(echo)
    leaves, stays = asyncio.create_task(calls.call("A")), asyncio.create_task(calls.call("B"))
    await asyncio.sleep(0.01)
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    echo.goes_on.set()
    assert await stays == ("B",)


async def test_a_trip_has_its_limit():
    echo = Echo()
    calls = GatheredCalls(echo)
    found = await asyncio.gather(*(calls.call("N", number) for number in range(COMMANDS_MAX * 2 + 1)))
    assert [command[1] for command in found] == list(range(COMMANDS_MAX * 2 + 1))
    assert [len(trip) for trip in echo.trips] == [COMMANDS_MAX, COMMANDS_MAX, 1]
