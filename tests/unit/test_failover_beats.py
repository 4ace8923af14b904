"""A replica beats while its engine moves, and is unhealthy when the engine owes tokens and does not. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from serve_app.beats import Beats
from serve_app.domain.errors import DeadlineExceeded, ModelFailed, TooLong
from serve_app.domain.generation import Beat, Finished, Generate, Sampling, Tokens
from serve_app.ports import EngineSignals
from tests.virtual_time import run

STALL_S = 30.0


class SteppingEngine:
    """Takes a step each `step_s`, after `queue_s` with a token for each request, unless it is frozen."""

    def __init__(self, step_s: float = 0.1) -> None:
        self.step_s = step_s
        self.queue_s = 0.0
        self.frozen = False
        self.dead = False
        self.in_flight = 0
        self.requests: list[str] = []
        self._moved_at = 0.0

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def signals(self) -> EngineSignals:
        return EngineSignals(self.in_flight, 0, 0.0, self._moved_at if self.in_flight else self._now())

    async def check_health(self) -> None:
        if self.dead:
            raise ModelFailed("dead")

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        self.requests.append(request.request_id)
        if not request.prompt_token_ids:
            raise TooLong("No.")
        if not self.in_flight:
            self._moved_at = self._now()
        self.in_flight += 1
        deadline, waits_until, given = self._now() + request.timeout_s, self._now() + self.queue_s, 0
        try:
            while given < request.sampling.max_tokens:
                await asyncio.sleep(self.step_s)
                if self._now() > deadline:
                    raise DeadlineExceeded("Late.")
                if not self.frozen:
                    self._moved_at = self._now()
                    if self._now() > waits_until:
                        given += 1
                        yield Tokens((given,))
        finally:
            self.in_flight -= 1
        yield Finished("length", 1, 0, given)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class Replica:
    def __init__(self) -> None:
        self.engine = SteppingEngine()
        self.beats = Beats(self.engine, STALL_S, asyncio.get_running_loop().time)

    async def ask(self, name: str = "ask", *, tokens: int = 2, prompt: int = 1, heard: list[Any] | None = None) -> list[Any]:
        heard = [] if heard is None else heard
        request = Generate(name, [1] * prompt, Sampling(max_tokens=tokens), None, "demo", timeout_s=10_000)
        async with aclosing(self.beats.beating(self.engine.generate(request))) as pieces:
            async for piece in pieces:
                heard.append(piece)
        return heard

    async def leaves(self, after_s: float) -> list[Any]:
        heard: list[Any] = []
        task = asyncio.create_task(self.ask("leaves", heard=heard))
        await asyncio.sleep(after_s)
        task.cancel()
        await asyncio.wait([task])
        return heard

    async def check_for(self, seconds: int) -> None:
        """As Serve does, every five seconds."""
        for _ in range(seconds // 5):
            await self.beats.check()
            await asyncio.sleep(5)


def replica(play: Callable[[Replica], Coroutine[Any, Any, None]]) -> None:
    async def act() -> None:
        replica = Replica()
        try:
            await play(replica)
        finally:
            await replica.beats.aclose()

    run(act())


def test_a_stream_with_tokens_to_give_does_not_beat():
    async def play(replica: Replica) -> None:
        assert await replica.ask() == [Tokens((1,)), Tokens((2,)), Finished("length", 1, 0, 2)]

    replica(play)


def test_a_stream_that_waits_beats_twice_a_second_while_the_engine_moves():
    async def play(replica: Replica) -> None:
        replica.engine.queue_s = 10
        heard = await replica.ask()
        assert 18 <= heard.count(Beat()) <= 20

    replica(play)


def test_a_slow_engine_beats_once_a_step():
    async def play(replica: Replica) -> None:
        replica.engine.step_s, replica.engine.queue_s = 3, 30
        heard = await replica.ask()
        assert 9 <= heard.count(Beat()) <= 11

    replica(play)


def test_a_frozen_engine_does_not_beat():
    async def play(replica: Replica) -> None:
        replica.engine.queue_s = 1000
        heard: list[Any] = []
        task = asyncio.create_task(replica.ask(heard=heard))
        await asyncio.sleep(5)
        replica.engine.frozen = True
        await asyncio.sleep(0.6)
        beats = len(heard)
        await asyncio.sleep(60)
        assert len(heard) == beats >= 8
        task.cancel()
        await asyncio.wait([task])

    replica(play)


def test_what_the_engine_raises_is_raised():
    async def play(replica: Replica) -> None:
        with pytest.raises(TooLong):
            await replica.ask(prompt=0)

    replica(play)


def test_closing_a_stream_ends_the_generation():
    async def play(replica: Replica) -> None:
        await replica.leaves(after_s=1)
        await asyncio.sleep(0)
        assert replica.engine.in_flight == 0

    replica(play)


def test_an_engine_that_moves_is_healthy_however_long_the_queue():
    async def play(replica: Replica) -> None:
        replica.engine.queue_s = 300
        task = asyncio.create_task(replica.ask())
        await replica.check_for(290)
        await task
        await replica.check_for(100)
        assert replica.engine.requests == ["ask"], "nothing is asked of an engine that nobody doubts"

    replica(play)


def test_an_engine_that_owes_tokens_and_does_not_move_is_unhealthy():
    async def play(replica: Replica) -> None:
        replica.engine.frozen = True
        task = asyncio.create_task(replica.ask())
        await replica.check_for(30)
        with pytest.raises(ModelFailed):
            await replica.check_for(10)
        task.cancel()
        await asyncio.wait([task])

    replica(play)


def test_an_engine_whose_callers_have_all_left_is_asked_by_the_check_itself():
    async def play(replica: Replica) -> None:
        replica.engine.frozen = True
        for _ in range(3):
            await replica.leaves(after_s=2)
        with pytest.raises(ModelFailed):
            await replica.check_for(60)
        assert replica.engine.requests == ["leaves"] * 3 + ["health"]
        replica.engine.frozen = False
        await asyncio.sleep(1)
        await replica.check_for(60)

    replica(play)


def test_a_caller_that_leaves_a_healthy_engine_costs_one_token():
    async def play(replica: Replica) -> None:
        await replica.leaves(after_s=0.05)
        await replica.check_for(100)
        assert replica.engine.requests == ["leaves", "health"]

    replica(play)


def test_a_dead_engine_is_unhealthy():
    async def play(replica: Replica) -> None:
        replica.engine.dead = True
        with pytest.raises(ModelFailed):
            await replica.beats.check()

    replica(play)
