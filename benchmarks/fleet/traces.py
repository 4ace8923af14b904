"""The traces: shop sessions on measured arrivals, the same with a bursting tenant, and a measured conversation trace."""

from __future__ import annotations

import csv
import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path

from benchmarks.fleet.engine import EngineFigures
from benchmarks.fleet.requests import Chunk, Request, Trace

SYSTEM_TOKENS = 512  # the shop's policies: the same for all of a tenant's customers
FACTS_TOKENS = 256
MEAN_TURNS = 4
THINKING_MEDIAN_S = 20.0
THINKING_SIGMA = 1.0
SESSIONS_SINCE_S = 600.0  # before the warm-up: so that there are old sessions, too
HISTORY_S = 240.0  # of it, what fills the caches: at their knee, the largest are overwritten in less
WARM_UP_S = 12.0
# First messages repeat from customer to customer: 你好, 我的快递到哪了. Zipf's law over this many: the first is every seventh.
FIRST_MESSAGES = 1000
BURST_TENANT = "campaign"
BURST_SHARE = 0.3
BURST_PERIOD_S = 60.0
BURST_S = 15.0  # of each period, in which all of the tenant's sessions start
OTHER_TENANTS = 9
AROUND = 200
AZURE = "azure-llm-2023-conv.csv"
MOONCAKE = "mooncake-conversation.jsonl"
PROCESSES = 4


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Gaps between arrivals with a mean of 1, and how many tokens are asked and answered."""

    gaps: tuple[float, ...]
    asked: tuple[int, ...]
    answered: tuple[int, ...]


@lru_cache
def azure(data: Path | None) -> Arrivals:
    """Its prompts hold a conversation each, so one question with its passages is taken for a quarter of one: the mean turns."""
    if data is None:
        return _without_data()
    with (data / AZURE).open(encoding="utf-8") as file:
        rows = [
            (datetime.fromisoformat(row["TIMESTAMP"][:26]).timestamp(), int(row["ContextTokens"]), int(row["GeneratedTokens"]))
            for row in csv.DictReader(file)
        ]
    return Arrivals(
        _without_drift([later[0] - earlier[0] for earlier, later in pairwise(rows)]),
        tuple(max(16, math.ceil(row[1] / MEAN_TURNS)) for row in rows),
        tuple(max(1, row[2]) for row in rows),
    )


def _without_drift(gaps: list[float]) -> tuple[float, ...]:
    """Over the hour the rate drifts; each gap is taken relative to those around it: a run has the rate that it is named by."""
    sums = [0.0, *accumulate(gaps)]
    return tuple(
        gap
        * (min(len(gaps), place + AROUND) - max(0, place - AROUND))
        / (sums[min(len(gaps), place + AROUND)] - sums[max(0, place - AROUND)])
        for place, gap in enumerate(gaps)
    )


def _without_data() -> Arrivals:
    """Gamma gaps with the trace's coefficient of variation, 1.09, and lognormal lengths with its medians and means."""
    rng = random.Random(2023)
    shape = 1 / 1.09**2
    return Arrivals(
        tuple(rng.gammavariate(shape, 1 / shape) for _ in range(20_000)),
        tuple(max(16, min(1035, round(rng.lognormvariate(math.log(255), 0.5)))) for _ in range(20_000)),
        tuple(max(1, min(1000, round(rng.lognormvariate(math.log(129), 1.0)))) for _ in range(20_000)),
    )


def shop(data: Path | None, rate: float, seconds: float, *, bursting: bool, seed: int = 1) -> Trace:
    """`rate` in questions a second, of all tenants. Measured are a burst's period or several, if any burst."""
    arrivals = azure(data)
    rng = random.Random(seed)
    starts = _starts(arrivals, rate / MEAN_TURNS, seconds, rng)
    messages = list(accumulate(1 / rank for rank in range(1, FIRST_MESSAGES + 1)))
    requests: list[Request] = []
    chunk_ids = iter(range(1000, 1_000_000_000))
    for number, start in enumerate(starts):
        tenant = "shop"
        if bursting:
            tenant = BURST_TENANT if rng.random() < BURST_SHARE else f"shop-{rng.randrange(OTHER_TENANTS)}"
            if tenant == BURST_TENANT:
                start = _moved_into_burst(start)
        message = rng.choices(range(FIRST_MESSAGES), cum_weights=messages)[0]
        requests += _session(f"{tenant}/{number}", tenant, f"{tenant}/{message}", start, arrivals, chunk_ids, rng)
    requests = [request for request in requests if -HISTORY_S <= request.arrives_s < WARM_UP_S + seconds]
    requests.sort(key=lambda request: request.arrives_s)
    first = next((index for index, request in enumerate(requests) if request.arrives_s >= 0), len(requests))
    return Trace(requests[:first], requests[first:], WARM_UP_S)


def _starts(arrivals: Arrivals, rate: float, seconds: float, rng: random.Random) -> list[float]:
    """As many as the rate says: a part of the trace may be busier than the whole."""
    sessions = round((SESSIONS_SINCE_S + WARM_UP_S + seconds) * rate)
    place = rng.randrange(len(arrivals.gaps))
    times = list(accumulate(arrivals.gaps[(place + index) % len(arrivals.gaps)] for index in range(sessions)))
    scale = (SESSIONS_SINCE_S + WARM_UP_S + seconds) / times[-1]
    return [time * scale - SESSIONS_SINCE_S for time in times]


def _moved_into_burst(start: float) -> float:
    """The same number in every period, pressed into its first part."""
    period, within = divmod(start, BURST_PERIOD_S)
    return period * BURST_PERIOD_S + within * BURST_S / BURST_PERIOD_S


def _session(
    session: str,
    tenant: str,
    first_message: str,
    start: float,
    arrivals: Arrivals,
    chunk_ids: Iterator[int],
    rng: random.Random,
) -> Iterator[Request]:
    """Each turn's prompt begins with the turn's before it and its answer."""
    prompt: list[Chunk] = [(_tenant_chunk(tenant), SYSTEM_TOKENS), (next(chunk_ids), FACTS_TOKENS)]
    new_tokens = FACTS_TOKENS
    now = start
    while True:
        row = rng.randrange(len(arrivals.asked))
        question, answer = (next(chunk_ids), arrivals.asked[row]), (next(chunk_ids), arrivals.answered[row])
        prompt.append(question)
        new_tokens += question[1]
        yield Request(now, session, first_message, tuple(prompt), answer, new_tokens, rng.randrange(PROCESSES))
        if rng.random() < 1 / MEAN_TURNS:
            return
        prompt.append(answer)
        new_tokens = 0
        now += 0.2 + 0.025 * answer[1] + rng.lognormvariate(math.log(THINKING_MEDIAN_S), THINKING_SIGMA)


def _tenant_chunk(tenant: str) -> int:
    """Below all others."""
    if tenant == "shop":
        return 1
    return 2 if tenant == BURST_TENANT else 3 + int(tenant.removeprefix("shop-"))


@lru_cache
def _mooncake_rows(data: Path) -> tuple[tuple[float, int, int, tuple[int, ...]], ...]:
    with (data / MOONCAKE).open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return tuple(
        (row["timestamp"] / 1000, row["input_length"], row["output_length"], tuple(map(int, row["hash_ids"]))) for row in rows
    )


def mooncake(data: Path, rate: float, figures: EngineFigures, seed: int = 1) -> Trace:
    """The whole trace, at another speed: thinking times shrink with the gaps between arrivals.

    It names no sessions. All prompts share their first block of 512 tokens, so the second one stands for the session, and for
    the first message. Its prompts are long: half of them take longer than 0.5 s to compute, whoever routes them. So the
    objective is half as much again as the 99th percentile of computing a prompt alone on an idle replica.
    """
    rows = _mooncake_rows(data)
    rng = random.Random(seed)
    stretch = len(rows) / rate / rows[-1][0]
    computing = sorted(row[1] / figures.prefill_tokens_per_s for row in rows)
    requests: list[Request] = []
    last_blocks: dict[str, set[int]] = {}
    for number, (timestamp, input_tokens, output_tokens, hashes) in enumerate(rows):
        session = str(hashes[min(1, len(hashes) - 1)])
        sizes = [512] * (len(hashes) - 1)
        chunks = [*zip(hashes, sizes, strict=False), (hashes[-1], max(1, input_tokens - sum(sizes)))]
        known = last_blocks.get(session, {hashes[0]})
        new_tokens = max(16, sum(tokens for chunk_id, tokens in chunks if chunk_id not in known))
        last_blocks[session] = set(hashes)
        # The trace's clock ticks every 3 s.
        arrives_s = (timestamp + 3.0 * rng.random()) * stretch
        answer = (-number - 1, max(1, output_tokens))
        requests.append(Request(arrives_s, session, session, tuple(chunks), answer, new_tokens, rng.randrange(PROCESSES)))
    requests.sort(key=lambda request: request.arrives_s)
    cut = len(requests) // 5
    begins = requests[cut].arrives_s
    for request in requests:
        request.arrives_s -= begins
    history, rest = requests[:cut], requests[cut:]
    warm_up_s = rest[len(rest) // 10].arrives_s
    return Trace(history, rest, warm_up_s, 1.5 * computing[math.ceil(0.99 * len(computing)) - 1])
