"""An open loop: each request is sent when it is due, whatever became of those before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from benchmarks.serving.asking import Answer

# What takes longer than this has failed.
ANSWER_MAX_S = 120.0


@dataclass(frozen=True, slots=True)
class Slice:
    """`wall_s`: from the first request's due instant to the last answer's end. `late_s`: the longest delay in sending."""

    answers: list[Answer]
    wall_s: float
    late_s: float

    @property
    def whole(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.failed is None]

    @property
    def answers_per_s(self) -> float:
        return len(self.whole) / self.wall_s

    @property
    def tokens_per_s(self) -> float:
        return sum(answer.tokens or 0 for answer in self.whole) / self.wall_s


@asynccontextmanager
async def client(url: str) -> AsyncGenerator[aiohttp.ClientSession]:
    """As many connections as there are requests under way; they are kept."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    async with aiohttp.ClientSession(url, connector=connector, timeout=aiohttp.ClientTimeout(total=ANSWER_MAX_S)) as session:
        yield session


async def at(instants_s: Sequence[float], send: Callable[[int, float], Awaitable[Answer]]) -> Slice:
    """`send(number, due)` is begun at each instant; `due` is that of `time.perf_counter`."""
    began = time.perf_counter()
    late_s, under_way = 0.0, list[asyncio.Future[Answer]]()
    for number, instant_s in enumerate(instants_s):
        due = began + instant_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        late_s = max(late_s, time.perf_counter() - due)
        under_way.append(asyncio.ensure_future(send(number, due)))
    answers = list(await asyncio.gather(*under_way))
    first = began + instants_s[0] if instants_s else began
    return Slice(answers, time.perf_counter() - first, late_s)
