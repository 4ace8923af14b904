"""How far do several processes exceed the bound that each of them keeps?

Processes that ask send Poisson arrivals of sessions to 8 replicas, each by its own `Fleet`, which knows of the others only what
the replicas' first, last and beating messages tell (1 ms on their way, two beats a second). One arrival in ten has the same
session: its home overflows. After each decision the chosen replica's true load is held against the bound of the true mean.

The last line is one JSON object: by the number of processes, `over_share` of the decisions that were above the bound, and
`excess_p99` and `excess_max` in streams, beside `mean_load`.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import numpy

from serve_app.domain.generation import Generate, LoadReport, Sampling
from serve_app.fleet import TOKENS_PER_STREAM, Fleet

REPLICAS = [f"replica-{number}" for number in range(8)]
MESSAGE_S, BEAT_S = 0.001, 0.5
PROMPT_S, ANSWER_S = 0.1, 6.0
PROMPT_TOKENS, UNCACHED_TOKENS = 800, 60
WARM_S, LAST_S = 20.0, 80.0


@dataclass
class World:
    """Events in order of time, and what each replica carries for each process: streams, and tokens that wait."""

    processes: int
    rate: float
    random: random.Random
    now: float = 0.0
    fleets: list[Fleet] = field(default_factory=list[Fleet])
    streams: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    tokens: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    excesses: list[float] = field(default_factory=list[float])
    means: list[float] = field(default_factory=list[float])
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list[tuple[float, int, Callable[[], None]]])
    _number: count[int] = field(default_factory=count)

    def run(self) -> None:
        self.fleets = [Fleet(lambda: self.now) for _ in range(self.processes)]
        for fleet in self.fleets:
            fleet.renew(REPLICAS)
        self.after(0, self.arrive)
        while self.now < LAST_S:
            self.now, _, event = heapq.heappop(self._events)
            event()

    def after(self, delay_s: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + delay_s, next(self._number), event))

    def arrive(self) -> None:
        self.after(self.random.expovariate(self.rate), self.arrive)
        process, name = self.random.randrange(self.processes), f"request-{next(self._number)}"
        session = "hot" if self.random.random() < 0.1 else f"session-{self.random.randrange(10_000)}"
        fleet = self.fleets[process]
        fleet.expect(name)
        request = Generate(name, [1] * PROMPT_TOKENS, Sampling(), session, "demo", 30, uncached_tokens=UNCACHED_TOKENS)
        decision = fleet.route(request)
        assert decision is not None
        replica, place = decision.replica_id, (decision.replica_id, process)
        self.streams[place] += 1
        self.tokens[place] += UNCACHED_TOKENS
        if self.now > WARM_S:
            self.measure(fleet, request, replica)
        begun_s = self.random.expovariate(1 / PROMPT_S)
        ends_s = begun_s + self.random.expovariate(1 / ANSWER_S)

        def begun() -> None:
            self.tokens[place] -= UNCACHED_TOKENS
            self.after(MESSAGE_S, lambda: fleet.has_begun(name))

        def ended() -> None:
            self.streams[place] -= 1
            self.tell(replica, process)
            self.after(MESSAGE_S, lambda: fleet.ended(name))

        self.after(MESSAGE_S, lambda: self.tell(replica, process))
        for beat in range(1, int(ends_s / BEAT_S) + 1):
            self.after(beat * BEAT_S, lambda: self.tell(replica, process))
        self.after(begun_s, begun)
        self.after(ends_s, ended)

    def tell(self, replica: str, process: int) -> None:
        """What a replica carries for the other processes, a message's time later."""
        others = [(replica, other) for other in range(self.processes) if other != process]
        streams, tokens = sum(self.streams[place] for place in others), sum(self.tokens[place] for place in others)
        report = LoadReport(replica, next(self._number), streams, tokens)
        self.after(MESSAGE_S, lambda: self.fleets[process].report(report))

    def measure(self, fleet: Fleet, request: Generate, chosen: str) -> None:
        loads = dict.fromkeys(REPLICAS, 0.0)
        for (replica, _), streams in self.streams.items():
            loads[replica] += streams
        for (replica, _), tokens in self.tokens.items():
            loads[replica] += tokens / TOKENS_PER_STREAM
        mean = sum(loads.values()) / len(loads)
        # As `decide` has it.
        gap = 1 + (request.waiting_tokens + request.cached_tokens) / TOKENS_PER_STREAM
        self.means.append(mean)
        self.excesses.append(max(0.0, loads[chosen] - fleet.bound.of(mean, gap)))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--streams", type=float, default=20, help="mean load of a replica")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    for processes in (1, 2, 4, 8):
        world = World(processes, options.streams * len(REPLICAS) / (PROMPT_S + ANSWER_S), random.Random(options.seed))
        world.run()
        excess = numpy.array(world.excesses)
        figures[str(processes)] = {
            "over_share": round(float((excess > 1e-6).mean()), 4),
            "excess_p99": round(float(numpy.percentile(excess, 99)), 2),
            "excess_max": round(float(excess.max()), 2),
            "mean_load": round(float(numpy.mean(world.means)), 1),
            "decisions": len(world.excesses),
        }
        print(f"{processes} processes: {figures[str(processes)]}")
    print(json.dumps({"benchmark": "bound", "at": datetime.now(UTC).isoformat(timespec="seconds"), **figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
