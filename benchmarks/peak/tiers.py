"""Callers of each tier, and what their questions take of the server, by process."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import statistics
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from benchmarks.cache_hit import CUSTOMERS, EXACT, TEMPLATE_QUESTIONS, TEMPLATED, Bench, exact_wordings
from benchmarks.gpu_run.texts import small_talk
from benchmarks.hits.cost import between
from benchmarks.hits.customers import Customer, endlessly
from benchmarks.hits.load import Caller, Slice, for_s
from benchmarks.local_run import LocalRun
from benchmarks.peak.sizing import Shares

WANTED = {"memory": EXACT, "template": TEMPLATED, "suggestion": frozenset({"none"}), "model": frozenset({"model"})}
IDLE_S = 5.0


class Alone(Customer):
    """Begins a conversation with every question."""

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        super().reply(status, head, body)
        self._session = None


@dataclass
class Spent:
    """Slices of one load, and the CPU seconds by process that they took."""

    slices: list[Slice] = field(default_factory=list[Slice])
    cpu_s: Counter[str] = field(default_factory=Counter[str])

    @property
    def wall_s(self) -> float:
        return sum(one.wall_s for one in self.slices)

    @property
    def rate(self) -> float:
        return statistics.median(one.rate for one in self.slices)

    def per_question_ms(self, idle: Mapping[str, float]) -> dict[str, float]:
        """CPU milliseconds by process, less what it does by itself."""
        count = sum(len(one.times_s) for one in self.slices)
        return {name: max(0.0, s - idle.get(name, 0.0) * self.wall_s) / count * 1000 for name, s in self.cpu_s.items()}


class Tiers:
    """Callers of each tier, on one running application."""

    def __init__(self, run: LocalRun, options: argparse.Namespace) -> None:
        self.options = options
        self.bench = Bench(run, run.pid, options)
        self._numbers = itertools.count(1)
        self._talk = small_talk(seed=1)
        self._callers: dict[str, list[Caller]] = {}

    async def prepare(self, tiers: tuple[str, ...]) -> None:
        makers: dict[str, Callable[[], deque[Caller]]] = {}
        if "memory" in tiers:
            wordings = await exact_wordings(self.bench)
            drawn = partial(endlessly, wordings, self.options.zipf)
            makers["memory"] = lambda: self.bench.customers(drawn, "h", EXACT, signed_in=False)
        makers["template"] = lambda: self.bench.customers(
            partial(endlessly, TEMPLATE_QUESTIONS, 0.0), "t", TEMPLATED, signed_in=True
        )
        makers["suggestion"] = lambda: self._alone("s", self._unheard_of, WANTED["suggestion"])
        makers["model"] = lambda: self._alone("m", self._small_talk, WANTED["model"])
        for tier in tiers:
            self._callers[tier] = list(makers[tier]())

    def _alone(self, name: str, questions: Callable[[int], Iterator[str]], wanted: frozenset[str]) -> deque[Caller]:
        return deque(
            Alone(questions(number), self.bench.run.key, None, f"{name}{number}", wanted, self.bench.seen)
            for number in range(CUSTOMERS)
        )

    def _unheard_of(self, _customer: int) -> Iterator[str]:
        while True:
            yield f"Does the lamp of series {next(self._numbers)} come in a colour that cats like?"

    def _small_talk(self, _customer: int) -> Iterator[str]:
        return self._talk

    async def asked(self, *loads: tuple[Shares, int]) -> list[Spent]:
        """Slices of a closed loop of each mix, so many at a time, in turns. The first ones warm up."""
        found = [Spent() for _ in loads]
        callers = [self._mixed(shares) for shares, _ in loads]
        for number in range(self.options.slices + 1):
            for (_, concurrency), own, into in zip(loads, callers, found, strict=True):
                before = self.bench.usage()
                got = await self.bench.load.closed(own, concurrency, for_s(self.options.slice_s))
                if number:
                    into.slices.append(got)
                    into.cpu_s.update(between(before, self.bench.usage()))
        return found

    def _mixed(self, shares: Shares) -> deque[Caller]:
        mixed = [caller for tier, share in shares.items() for caller in self._callers[tier][: round(share * CUSTOMERS)]]
        random.Random(1).shuffle(mixed)
        return deque(mixed)

    async def idle(self) -> dict[str, float]:
        """Cores that each process takes while nobody asks."""
        before, began = self.bench.usage(), time.perf_counter()
        await asyncio.sleep(IDLE_S)
        wall_s = time.perf_counter() - began
        return {name: s / wall_s for name, s in between(before, self.bench.usage()).items()}
