"""The knee: the highest rate at which the 99th percentile of the times to the first token is within the objective."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from benchmarks.fleet import rivals, traces
from benchmarks.fleet.engine import KV_KINDS
from benchmarks.fleet.kv import Lru
from benchmarks.fleet.requests import Trace
from benchmarks.fleet.routers import FleetRouter, Router, World
from benchmarks.fleet.simulation import Simulation
from serve_app.domain.routing import Bound

OURS = "zerowait"
# Rates are steps of 3 % above 0.5 questions a second for each replica.
STEP = 1.03
FIRST_RATE = 0.5
FIRST_STEP = 70  # about 4 questions a second for each replica


def _each(make: Callable[[World, int], Router]) -> Callable[[World], list[Router]]:
    return lambda world: [make(world, process) for process in range(world.processes)]


def _with_tree(imbalanced_threshold: float) -> Callable[[World], list[Router]]:
    def make(world: World) -> list[Router]:
        tree = rivals.PrefixTree(world.replicas)
        return [rivals.PrefixAffinity(world, process, tree, imbalanced_threshold) for process in range(world.processes)]

    return make


ROUTERS: dict[str, Callable[[World], list[Router]]] = {
    OURS: _each(lambda world, _: FleetRouter(world, Bound())),
    "strict_hash": _each(rivals.StrictHash),
    "first_message_bounded": _each(rivals.FirstMessageBounded),
    "power_of_two": _each(rivals.PowerOfTwo),
    "prefix_affinity": _with_tree(math.inf),
    "prefix_affinity_10": _with_tree(10),
    "round_robin": _each(rivals.RoundRobin),
    "random": _each(rivals.RandomChoice),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A fleet under a trace. `seconds` are simulated after the warm-up; the conversation trace is run as a whole."""

    trace: str  # shop, skewed or mooncake
    replicas: int
    kv: str
    seconds: float
    data: Path | None
    seed: int = 1
    objective_s: float = 0.5  # of the shop traces

    def __str__(self) -> str:
        return f"{self.trace}, {self.replicas} replicas, {self.kv}"


@dataclass(frozen=True, slots=True)
class Point:
    """Rates are in questions a second, of the whole fleet."""

    rate: float
    met: bool
    ttft_p50_s: float
    ttft_p99_s: float
    hit: float  # of the prompts' tokens
    max_over_mean: float  # of the replicas' loads, the median of samples
    excess: float  # over the bound, the largest at a decision; below 0: none
    routes: dict[str, int] = field(default_factory=dict[str, int])


@lru_cache(maxsize=2)
def trace_of(case: Case, rate: float) -> Trace:
    if case.trace == "mooncake":
        if case.data is None:
            raise ValueError("the conversation trace has to be given with --data")
        return traces.mooncake(case.data, rate, KV_KINDS[case.kv], case.seed)
    trace = traces.shop(case.data, rate, case.seconds, bursting=case.trace == "skewed", seed=case.seed)
    return replace(trace, objective_s=case.objective_s)


def rate_of(case: Case, step: int) -> float:
    return case.replicas * FIRST_RATE * STEP**step


def point(case: Case, router: str, step: int, give_up_s: float | None = None) -> Point:
    """Percentiles are infinite where TTFT p99 is above `give_up_s`, by default the objective."""
    rate = rate_of(case, step)
    trace = trace_of(case, rate)
    simulation = Simulation(KV_KINDS[case.kv], case.replicas, ROUTERS[router], processes=traces.PROCESSES, bound=Bound())
    outcome = simulation.run(trace, give_up_s=give_up_s or trace.objective_s)
    p99_s = outcome.ttft(0.99)
    return Point(
        rate,
        p99_s <= trace.objective_s,
        outcome.ttft(0.5),
        p99_s,
        outcome.cached_tokens / max(1, outcome.prompt_tokens),
        _median(outcome.max_over_mean),
        max(outcome.excess, default=0.0),
        outcome.routes,
    )


def knee(case: Case, router: str) -> Point | None:
    """By bisection, as if there were one knee. None: the objective is missed at the lowest rate already."""
    found: dict[int, Point] = {}

    def met(step: int) -> bool:
        found[step] = point(case, router, step)
        return found[step].met

    # Ever longer steps away from where it is thought to be, until it lies between two rates; then halves.
    low, high, width = -1, FIRST_STEP, 6
    if met(high):
        while found[high].met:
            low, high, width = high, high + width, 2 * width
            met(high)
    else:
        while low < 0 and high > 0:
            lower = max(0, high - width)
            if met(lower):
                low = lower
            else:
                high, width = lower, 2 * width
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if met(middle) else (low, middle)
    return found.get(low)


def ideal_hit(case: Case, rate: float) -> float:
    """Of one pooled least-recently-used cache as large as all replicas' together.

    Where there is a host tier, that is its size: it holds a copy of what is on the GPU.
    """
    figures = KV_KINDS[case.kv]
    trace = trace_of(case, rate)
    pool = Lru(case.replicas * max(figures.kv_tokens, figures.host_tokens))
    hit = prompt = 0
    for request in (*trace.history, *trace.requests):
        if request.arrives_s >= trace.warm_up_s:
            prompt += request.prompt_tokens
            hit += min(pool.prefix_tokens(request.prompt), request.prompt_tokens - 16)
        pool.touch((*request.prompt, request.answer))
    return hit / prompt


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0
