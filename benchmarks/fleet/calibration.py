"""The model of a replica beside what was measured on one H100 (Qwen3-32B, per-tensor FP8, bf16 keys and values, vLLM 0.25.1).

`python -m benchmarks.fleet.calibration` prints the table. Prompts are 512 shared + 256 of a session + 40 new tokens, answers
128 tokens; in the last two rows 140 sessions of 2,048 tokens, more than fit, are asked at random for 64 tokens.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from benchmarks.fleet.engine import BF16, Job, ReplicaModel
from benchmarks.fleet.requests import Request

# 256 at a time waited as long as they ran: the measured engine took 128 at once.
MEASURED_ENGINE = replace(BF16, most_streams=128)
SECONDS = 90.0
WARM_UP_S = 20.0


@dataclass(frozen=True, slots=True)
class Row:
    """Milliseconds; None: not measured."""

    load: str
    answers_per_s: float | None
    ttft_p50: float
    ttft_p99: float
    whole_p50: float | None


MEASURED = (
    Row("1 at a time", 0.54, 23, 26, 1843),
    Row("32 at a time", 13.9, 171, 212, 2307),
    Row("Poisson 30/s", None, 70, 149, 3285),
    Row("Poisson 35/s", None, 74, 270, 3306),
    Row("Poisson 40/s", None, 967, 2123, 4616),
    Row("256 at a time", 36.1, 3639, 4297, 6884),
    Row("do not fit, Poisson 8/s", None, 196, 600, None),
    Row("do not fit, Poisson 14/s", 10.7, 1147, 2160, None),
)


def small(rng: random.Random, number: int) -> Request:
    session = rng.randrange(64)
    return Request(0.0, "", "", ((-1, 512), (-2 - session, 256), (2 * number, 40)), (2 * number + 1, 128), 40, 0)


def large(rng: random.Random, number: int) -> Request:
    session = rng.randrange(140)
    return Request(0.0, "", "", ((-1, 512), (-2 - session, 1536), (2 * number, 40)), (2 * number + 1, 64), 40, 0)


def modelled(load: str) -> Row:
    rng = random.Random(7)
    make = large if load.startswith("do not fit") else small
    numbers = count()
    if "at a time" in load:
        closed = int(load.split()[0])
        return _run(load, lambda: make(rng, next(numbers)), closed, iter(()))
    rate = float(load.split()[-1].removesuffix("/s"))
    return _run(load, lambda: make(rng, next(numbers)), 0, _poisson(rng, rate))


def _poisson(rng: random.Random, rate: float) -> Iterator[float]:
    now = 0.0
    while now < SECONDS:
        now += rng.expovariate(rate)
        yield now


def _run(load: str, make: Callable[[], Request], closed: int, arrivals: Iterator[float]) -> Row:
    replica = ReplicaModel(MEASURED_ENGINE)
    sent: dict[str, float] = {}
    first: list[float] = []
    whole: list[float] = []
    next_arrival = next(arrivals, math.inf)
    numbers = count()

    def send(now: float) -> None:
        job = Job(make(), str(next(numbers)), sent_s=now)
        sent[job.dispatch_id] = now
        replica.arrive(now, job)

    for _ in range(1000):  # every session was seen before
        chunks = make().prompt[:2]
        replica.cache.acquire(chunks)
        replica.cache.release(chunks)
    for _ in range(closed):
        send(0.0)
    now = 0.0
    while now < SECONDS:
        now = min(next_arrival, replica.wake_s)
        if now == math.inf:
            break
        if replica.wake_s == now:
            happened = replica.wake(now)
            if now > WARM_UP_S:
                first.extend(job.first_token_s - job.sent_s for job in happened.begun)
            for job in happened.ended:
                if now > WARM_UP_S:
                    whole.append(now + MEASURED_ENGINE.overhead_s - job.sent_s)
                if closed:
                    send(now)
        else:
            send(now)
            next_arrival = next(arrivals, math.inf)
    return Row(
        load,
        round(len(whole) / (SECONDS - WARM_UP_S), 2),
        round(1000 * percentile(first, 0.5)),
        round(1000 * percentile(first, 0.99)),
        round(1000 * percentile(whole, 0.5)),
    )


def percentile(values: list[float], share: float) -> float:
    """By nearest rank; infinity of none."""
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)] if values else math.inf


def main() -> None:
    print(f"{'load':26} {'':9} answers/s  TTFT p50  TTFT p99  whole p50")
    for row in MEASURED:
        for name, each in (("measured", row), ("model", modelled(row.load))):
            cells = (each.answers_per_s, each.ttft_p50, each.ttft_p99, each.whole_p50)
            print(f"{row.load:26} {name:9}", *(f"{'' if cell is None else cell:>9}" for cell in cells))


if __name__ == "__main__":
    main()
