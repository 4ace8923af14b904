"""How long an answer waits for Redis: the store's time counts, not this process's own."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from redis.exceptions import ReadOnlyError

from serve_app.adapters.redis_link import Command, RedisLink
from serve_app.adapters.resilient_link import STRETCH, ResilientLink, within
from serve_app.domain.errors import StoreFailed
from tests import virtual_time

BUDGET_S = 0.02


def the_loop() -> virtual_time.VirtualLoop:
    return cast(virtual_time.VirtualLoop, asyncio.get_running_loop())


async def reply_after(delay_s: float) -> str:
    await asyncio.sleep(delay_s)
    return "reply"


def test_a_reply_within_the_budget_is_returned():
    async def check() -> None:
        started = the_loop().time()
        assert await within(asyncio.ensure_future(reply_after(BUDGET_S * 0.9)), BUDGET_S) == "reply"
        assert the_loop().time() - started < BUDGET_S

    virtual_time.run(check())


def test_a_reply_that_comes_later_is_not_waited_for_and_the_call_goes_on():
    async def check() -> None:
        call, started = asyncio.ensure_future(reply_after(10)), the_loop().time()
        with pytest.raises(StoreFailed, match="20 ms"):
            await within(call, BUDGET_S)
        assert the_loop().time() - started == pytest.approx(BUDGET_S)
        assert await call == "reply"

    virtual_time.run(check())


def test_what_the_call_raises_is_raised():
    async def fails() -> None:
        raise StoreFailed("away")

    async def check() -> None:
        with pytest.raises(StoreFailed, match="away"):
            await within(asyncio.ensure_future(fails()), BUDGET_S)

    virtual_time.run(check())


@pytest.mark.parametrize("busy_s", [0.03, 0.15])
def test_a_loop_that_was_busy_looks_again(busy_s: float):
    """The reply has come while nothing ran, and takes some turns of the loop."""

    async def reply() -> str:
        await asyncio.sleep(BUDGET_S / 10)
        for _ in range(6):
            await asyncio.sleep(0)
        return "reply"

    async def check() -> None:
        the_loop().call_soon(the_loop().sleep_through, busy_s)
        assert await within(asyncio.ensure_future(reply()), BUDGET_S) == "reply"

    virtual_time.run(check())


def test_a_loop_that_is_always_busy_ends_the_wait_all_the_same():
    async def check() -> None:
        loop = the_loop()

        def busy() -> None:
            loop.sleep_through(BUDGET_S)
            loop.call_later(0.001, busy)

        loop.call_soon(busy)
        started = loop.time()
        with pytest.raises(StoreFailed):
            await within(asyncio.ensure_future(reply_after(10)), BUDGET_S)
        assert BUDGET_S < loop.time() - started < (STRETCH + 3) * BUDGET_S

    virtual_time.run(check())


class Servers:
    """Replies with the command's name; `away` are the commands whose server is silent, `refused` those that fail alone."""

    def __init__(self, *, is_one_server: bool, away: str = "", refused: str = "") -> None:
        self.is_one_server = is_one_server
        self._away, self._refused = away, refused

    async def together(self, *commands: Command) -> list[Any]:
        if any(command[0] == self._away for command in commands):
            await asyncio.sleep(10)
        return [ReadOnlyError("a replica") if command[0] == self._refused else command[0] for command in commands]


def calls_of(servers: Servers, states: list[bool] | None = None) -> ResilientLink:
    watch = (states if states is not None else []).append
    return ResilientLink(cast(RedisLink, servers), budget_s=BUDGET_S, failures=1, reset_s=60, watch=watch)


def test_of_a_cluster_one_server_that_is_away_takes_nothing_from_the_others():
    async def check() -> None:
        calls = calls_of(Servers(is_one_server=False, away="B"))
        found = await calls.together(("A",), ("B",))
        assert found[0] == "A"
        assert isinstance(found[1], StoreFailed)

    virtual_time.run(check())


def test_a_cluster_of_which_no_server_replies_fails():
    async def check() -> None:
        with pytest.raises(StoreFailed):
            await calls_of(Servers(is_one_server=False, away="A")).together(("A",), ("A",))

    virtual_time.run(check())


def test_a_server_that_cannot_write_is_left_alone_though_it_reads():
    """What was gathered with a read says so, too."""

    async def check() -> None:
        states: list[bool] = []
        assert (await calls_of(Servers(is_one_server=True, refused="SET"), states).together(("GET",), ("SET",)))[0] == "GET"
        assert states == [False, True]

    virtual_time.run(check())
