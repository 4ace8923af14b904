"""The model of a replica beside what was measured on one H100 (Qwen3-32B, per-tensor FP8, vLLM 0.25.1).

`python -m benchmarks.fleet.calibration` prints the table. With keys and values in bf16, to which the model was fitted, prompts
are 512 shared + 256 of a session + 40 new tokens, answers 128 tokens; in the last two of these rows 140 sessions of 2,048
tokens (more than fit) are asked at random for 64 tokens. With FP8 the time of a step was fitted to the whole times of the first
three rows; TTFT and the knee were not fitted to. The last line is a JSON object with the knees (rates at which TTFT p99 is 300
ms) and `simulator_error`: their distance, relative.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from benchmarks.fleet.engine import BF16, FP8, EngineFigures, Job, ReplicaModel
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

# Through the whole graph, benchmarks.gpu, 2026-11-23: 512 shared + 288 + 36 tokens, 96 % of them cached.
MEASURED_FP8 = (
    Row("FP8, Poisson 25.5/s", None, 86, 165, 3133),
    Row("FP8, Poisson 32.4/s", None, 113, 231, 4028),
    Row("FP8, Poisson 35.4/s", None, 121, 214, 4491),
    Row("FP8, Poisson 46/s", None, 1978, 5998, 9397),
)
KNEE_FP8_PER_S = 36.5
KNEE_TTFT_MS = 300.0
KNEE_WITHIN_PER_S = 0.25


def small(rng: random.Random, number: int) -> Request:
    session = rng.randrange(64)
    return Request(0.0, "", "", ((-1, 512), (-2 - session, 256), (2 * number, 40)), (2 * number + 1, 128), 40, 0)


def large(rng: random.Random, number: int) -> Request:
    session = rng.randrange(140)
    return Request(0.0, "", "", ((-1, 512), (-2 - session, 1536), (2 * number, 40)), (2 * number + 1, 64), 40, 0)


def check(rng: random.Random, number: int) -> Request:
    session = rng.randrange(64)
    return Request(0.0, "", "", ((-1, 512), (-2 - session, 288), (2 * number, 36)), (2 * number + 1, 128), 36, 0)


def modelled_fp8(load: str, rate: float) -> Row:
    rng, numbers = random.Random(7), count()
    return _run(load, lambda: check(rng, next(numbers)), 0, _poisson(rng, rate), FP8)


def modelled_knee() -> float:
    """The highest rate with TTFT p99 up to `KNEE_TTFT_MS`, by halving."""
    low, high = 1.0, 200.0
    while high - low > KNEE_WITHIN_PER_S:
        middle = (low + high) / 2
        low, high = (middle, high) if modelled_fp8("", middle).ttft_p99 <= KNEE_TTFT_MS else (low, middle)
    return low


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


def _run(
    load: str, make: Callable[[], Request], closed: int, arrivals: Iterator[float], engine: EngineFigures = MEASURED_ENGINE
) -> Row:
    replica = ReplicaModel(engine)
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
                    whole.append(now + engine.overhead_s - job.sent_s)
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
        _print(row, modelled(row.load))
    for row in MEASURED_FP8:
        _print(row, modelled_fp8(row.load, float(row.load.split()[-1].removesuffix("/s"))))
    knee = modelled_knee()
    error = abs(knee - KNEE_FP8_PER_S) / KNEE_FP8_PER_S
    print(json.dumps({"knee_per_s": KNEE_FP8_PER_S, "modelled_knee_per_s": round(knee, 1), "simulator_error": round(error, 3)}))


def _print(measured: Row, model: Row) -> None:
    for name, each in (("measured", measured), ("model", model)):
        cells = (each.answers_per_s, each.ttft_p50, each.ttft_p99, each.whole_p50)
        print(f"{measured.load:26} {name:9}", *(f"{'' if cell is None else cell:>9}" for cell in cells))


if __name__ == "__main__":
    main()
