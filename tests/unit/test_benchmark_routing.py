"""The fleet model: caches, one replica, and the routers on it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from benchmarks.fleet.engine import BF16, KV_KINDS, Job, ReplicaModel
from benchmarks.fleet.knee import OURS, ROUTERS, Case, knee
from benchmarks.fleet.kv import KvCache, Lru
from benchmarks.fleet.requests import Request
from benchmarks.fleet.simulation import Simulation
from benchmarks.fleet.traces import SYSTEM_TOKENS, WARM_UP_S, shop
from benchmarks.routing import figures


def a_request(prompt: int = 1000, answer: int = 10, number: int = 0) -> Request:
    return Request(0.0, "s", "hello", ((number, prompt),), (-1 - number, answer), prompt, 0)


def played(replica: ReplicaModel, jobs: list[Job]) -> dict[str, float]:
    """When each ended. All arrive at once."""
    for job in jobs:
        replica.arrive(0.0, job)
    ends: dict[str, float] = {}
    while replica.wake_s < math.inf:
        now = replica.wake_s
        ends |= {job.dispatch_id: now for job in replica.wake(now).ended}
    return ends


def test_the_end_of_a_prefix_leaves_before_its_beginning() -> None:
    cache = Lru(30)
    cache.touch(((1, 10), (2, 10)))
    cache.touch(((1, 10), (3, 10), (4, 10)))
    assert cache.prefix_tokens(((1, 10), (2, 10))) == 10
    assert cache.prefix_tokens(((1, 10), (3, 10), (4, 10))) == 30


def test_what_is_in_use_stays_and_is_shared() -> None:
    cache = KvCache(100)
    assert cache.acquire(((1, 60), (2, 30))) == (0, 0)
    assert cache.acquire(((3, 20),)) is None, "no room until a stream ends"
    assert cache.acquire(((1, 60), (4, 10))) == (60, 0)
    cache.release(((1, 60), (2, 30)))
    assert cache.acquire(((3, 20),)) == (0, 0)
    assert cache.acquire(((1, 60),)) == (60, 0)


def test_what_the_card_has_no_room_for_comes_from_the_host() -> None:
    cache = KvCache(100, host_tokens=1000)
    for chunks in (((1, 50), (2, 40)), ((3, 90),)):
        cache.acquire(chunks)
        cache.release(chunks)
    assert cache.acquire(((1, 50), (2, 40))) == (0, 90)


def test_one_stream_takes_a_step_a_token() -> None:
    replica, job = ReplicaModel(BF16), Job(a_request(), "a")
    ends = played(replica, [job])
    assert job.first_token_s == pytest.approx(BF16.step_s + 1000 / BF16.prefill_tokens_per_s + BF16.overhead_s)
    assert ends["a"] == pytest.approx(job.first_token_s - BF16.overhead_s + 9 * BF16.step_s, rel=0.02)


def test_long_prompts_are_computed_in_turn() -> None:
    jobs = [Job(a_request(prompt=8000, number=number), str(number)) for number in range(3)]
    played(ReplicaModel(BF16), jobs)
    firsts = [job.first_token_s for job in jobs]
    assert firsts == sorted(firsts)
    assert firsts[2] > 2.5 * 8000 / BF16.prefill_tokens_per_s


def test_no_more_streams_run_than_may() -> None:
    ends = played(ReplicaModel(replace(BF16, most_streams=2)), [Job(a_request(16, 100, n), str(n)) for n in range(6)])
    in_turn = sorted(ends.values())
    alone_s = 100 * BF16.step_s
    assert in_turn[1] < 1.5 * alone_s < in_turn[2]
    assert in_turn[3] < 2.5 * alone_s < in_turn[4]


def test_a_turns_prompt_begins_with_the_turn_before_and_its_answer() -> None:
    trace = shop(None, 20, 20, bursting=True)
    last: dict[str, Request] = {}
    for request in (*trace.history, *trace.requests):
        assert request.prompt[0][1] == SYSTEM_TOKENS
        before = last.get(request.session)
        if before is not None:
            assert request.prompt[:-1] == (*before.prompt, before.answer)
            assert request.new_tokens == request.prompt[-1][1]
        last[request.session] = request
    rate = sum(request.arrives_s >= WARM_UP_S for request in trace.requests) / 20
    assert rate == pytest.approx(20, rel=0.25)


@pytest.mark.parametrize("router", ROUTERS)
def test_every_router_answers_every_request(router: str) -> None:
    trace = shop(None, 12, 5, bursting=True)
    outcome = Simulation(KV_KINDS["fp8+host"], 4, ROUTERS[router]).run(trace)
    assert len(outcome.ttft_s) == outcome.requests == sum(outcome.routes.values())
    assert outcome.requests > 30


def test_affinity_finds_what_chance_does_not() -> None:
    trace = shop(None, 12, 5, bursting=False)
    hits = {}
    for router in (OURS, "random"):
        outcome = Simulation(KV_KINDS["fp8+host"], 4, ROUTERS[router]).run(trace)
        hits[router] = outcome.cached_tokens / outcome.prompt_tokens
    assert hits[OURS] > hits["random"] + 0.2


def test_the_knee_is_the_highest_rate_that_meets_the_objective() -> None:
    case = Case("shop", 1, "fp8+host", 5.0, None, objective_s=2.0)
    found = knee(case, OURS)
    assert found is not None
    assert found.met
    assert found.ttft_p99_s <= 2.0
    assert knee(replace(case, objective_s=0.001), OURS) is None


def test_a_rival_without_a_knee_is_compared_at_the_lowest_rate() -> None:
    case = Case("shop", 1, "fp8+host", 5.0, None, objective_s=2.0)
    ours = knee(case, OURS)
    assert ours is not None
    told = figures({case: {OURS: ours, "random": None}})
    assert told["knees"][str(case)]["random"] is None
    assert told["worst_ratio_on_any_trace"] == pytest.approx(ours.rate / 0.5, rel=0.01)
