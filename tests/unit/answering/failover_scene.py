"""Replicas that fail, a failover before them, and what a caller is told. In virtual time: nothing here waits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from serve_app.answering.failover import Event, Failover
from serve_app.config import FailoverSettings
from serve_app.domain.generation import Finished, Piece, Started, Tokens
from tests.unit.answering.failing_replicas import ANSWER, FIRST, SECOND, THIRD, FailingReplicas, Replica
from tests.virtual_time import run


@dataclass
class Scene:
    replicas: FailingReplicas
    failover: Failover
    events: Counter[Event] = field(default_factory=Counter)

    def of(self, name: str) -> Replica:
        return self.replicas.of[name]

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class Told:
    """What the caller of one request was given."""

    started: list[str] = field(default_factory=list)
    token_ids: list[int] = field(default_factory=list)
    finished: Finished | None = None
    longest_gap_s: float = 0.0


async def told(pieces: AsyncGenerator[Piece, None], heard: Told | None = None) -> Told:
    heard = heard or Told()
    last = asyncio.get_running_loop().time()
    async with aclosing(pieces):
        async for piece in pieces:
            now = asyncio.get_running_loop().time()
            heard.longest_gap_s, last = max(heard.longest_gap_s, now - last), now
            if isinstance(piece, Started):
                assert not heard.token_ids, "who began is told before what was said"
                heard.started.append(piece.replica_id)
            elif isinstance(piece, Tokens):
                heard.token_ids += piece.token_ids
            else:
                assert heard.finished is None
                heard.finished = piece
    return heard


def scene(
    play: Callable[[Scene], Coroutine[Any, Any, None]], names: tuple[str, ...] = (FIRST, SECOND, THIRD), **settings: Any
) -> None:
    async def act() -> None:
        monotonic = asyncio.get_running_loop().time
        replicas, events = FailingReplicas(monotonic, names), Counter[Event]()
        failover = Failover(replicas, FailoverSettings(**settings), monotonic, lambda event: events.update([event]))
        try:
            await play(Scene(replicas, failover, events))
        finally:
            await failover.aclose()

    run(act())


def complete(heard: Told) -> None:
    assert heard.token_ids == ANSWER
    assert heard.finished == Finished("stop", 8, 0, len(ANSWER))
