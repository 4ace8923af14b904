"""What a replica tells of itself, and what is made of it for the fleet."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

import pytest

from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.domain.errors import MalformedRequest
from serve_app.domain.generation import Finished, Generate, Sampling, Tokens
from serve_app.fleet_signals import SILENCE_S, FleetSignals, Told
from serve_app.replica_signals import TTFT_WINDOW_S, ReplicaSignals


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def a_request(name: str = "r", *, prompt_tokens: int = 8, uncached: int | None = None, asked: int = 1) -> Generate:
    return Generate(name, [1] * prompt_tokens, Sampling(max_tokens=3), "s", "demo", 30, uncached_tokens=uncached, asked=asked)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def engine() -> ScriptedEngine:
    engine = ScriptedEngine(lambda _: [7] * 3)
    await engine.start()
    return engine


@pytest.fixture
def signals(time: Time, engine: ScriptedEngine) -> ReplicaSignals:
    return ReplicaSignals(engine.signals, engine.generate, time)


async def begun(stream: AsyncGenerator[Tokens | Finished, None]) -> None:
    await anext(stream)


async def test_an_idle_replica_tells_numbers_only(signals: ReplicaSignals) -> None:
    told = signals.told()
    assert told == dict.fromkeys(("running", "waiting", "waiting_tokens", "kv_use", "asked", "generations", "first_tokens"), 0)
    assert all(isinstance(value, int | float) for value in told.values())


async def test_a_stream_waits_until_its_first_token_and_runs_until_it_ends(time: Time) -> None:
    telling: list[dict[str, float]] = []

    async def slow(_: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        telling.append(signals.told())
        time.now += 0.2
        yield Tokens((7,))
        telling.append(signals.told())
        yield Finished("stop", 8, 0, 1)

    engine = ScriptedEngine(lambda _: [])
    signals = ReplicaSignals(engine.signals, slow, time)
    async with aclosing(signals.generate(a_request(uncached=5))) as stream:
        async for _ in stream:
            pass
    shown = [(told["running"], told["waiting"], told["waiting_tokens"]) for told in (*telling, signals.told())]
    assert shown == [(0, 1, 5), (1, 0, 0), (0, 0, 0)]
    assert signals.told()["ttft_p99_ms"] == pytest.approx(200)


async def test_a_stream_that_is_closed_or_fails_leaves_nothing_behind(signals: ReplicaSignals, engine: ScriptedEngine) -> None:
    stream = signals.generate(a_request())
    await begun(stream)
    await stream.aclose()
    with pytest.raises(MalformedRequest):
        await begun(signals.generate(a_request(prompt_tokens=0, uncached=4)))
    told = signals.told()
    assert (told["running"], told["waiting"], told["waiting_tokens"]) == (0, 0, 0)


async def test_questions_and_generations_are_counted_apart(signals: ReplicaSignals) -> None:
    """Ten questions were asked since the last one: nine of them were hits. A follower was a hit, too."""
    leader, follower, moved = a_request(asked=10), a_request("f", asked=1), a_request("m", asked=0)
    for request in (leader, follower, moved):
        signals.took(request)
    for request in (leader, moved):
        async with aclosing(signals.generate(request)) as stream:
            await begun(stream)
    told = signals.told()
    assert (told["asked"], told["generations"]) == (11, 2)


async def test_the_time_to_the_first_token_is_forgotten_with_its_window(signals: ReplicaSignals, time: Time) -> None:
    async with aclosing(signals.generate(a_request())) as stream:
        await begun(stream)
    assert signals.told()["first_tokens"] == 1
    time.now += TTFT_WINDOW_S + 0.1
    assert signals.told()["first_tokens"] == 0
    assert "ttft_p99_ms" not in signals.told()


# The fleet


def told_of(*replicas: Mapping[str, float], at: float = 50.0, before: Sequence[Mapping[str, float]] = ()) -> Told:
    """Replica 0, 1, …; `before` is what each told 4 s earlier."""
    told: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for index, replica in enumerate(replicas):
        for name, value in replica.items():
            series = [(at - 4, before[index][name])] if before else []
            told.setdefault(name, {})[str(index)] = [*series, (at, value)]
    return told


def test_loads_are_added_up_and_keys_and_values_are_a_mean(time: Time) -> None:
    one = {"running": 3, "waiting": 1, "waiting_tokens": 700, "kv_use": 0.5}
    other = {"running": 1, "waiting": 0, "waiting_tokens": 0, "kv_use": 0.1}
    signals = FleetSignals(time).read(told_of(one, other), wanted=3)
    assert (signals.replicas, signals.wanted) == (2, 3)
    assert (signals.running, signals.waiting, signals.waiting_tokens) == (4, 1, 700)
    assert signals.kv_use == pytest.approx(0.3)
    assert signals.ttft_p99_ms is None
    assert (signals.asked_per_s, signals.hit_rate) == (0, None)


def test_rates_are_differences_over_the_points_that_were_kept(time: Time) -> None:
    now = {"running": 0, "asked": 140, "generations": 60}
    before = {"running": 0, "asked": 100, "generations": 40}
    signals = FleetSignals(time).read(told_of(now, now, before=[before, before]), wanted=2)
    assert signals.asked_per_s == pytest.approx(20)
    assert signals.hit_rate == pytest.approx(0.5)


def test_more_generations_than_questions_are_no_negative_hit_rate(time: Time) -> None:
    now, before = {"running": 0, "asked": 1, "generations": 9}, {"running": 0, "asked": 0, "generations": 0}
    signals = FleetSignals(time).read(told_of(now, before=[before]), wanted=1)
    assert (signals.asked_per_s, signals.hit_rate) == (9 / 4, 0)


def test_generations_that_no_question_is_told_with_count_all_the_same(time: Time) -> None:
    now, before = {"running": 0, "asked": 0, "generations": 9}, {"running": 0, "asked": 0, "generations": 0}
    signals = FleetSignals(time).read(told_of(now, before=[before]), wanted=1)
    assert (signals.asked_per_s, signals.hit_rate) == (9 / 4, 0)


def test_the_p99_is_weighted_by_answers(time: Time) -> None:
    busy, idle = {"running": 0, "ttft_p99_ms": 400, "first_tokens": 30}, {"running": 0, "ttft_p99_ms": 800, "first_tokens": 10}
    silent = {"running": 0, "first_tokens": 0}
    assert FleetSignals(time).read(told_of(busy, idle, silent), wanted=3).ttft_p99_ms == pytest.approx(500)


def test_a_few_slow_answers_are_no_p99(time: Time) -> None:
    few = {"running": 0, "ttft_p99_ms": 900, "first_tokens": 9}
    assert FleetSignals(time).read(told_of(few, few), wanted=2).ttft_p99_ms is None
    assert FleetSignals(time).read(told_of(few, few, few), wanted=3).ttft_p99_ms == pytest.approx(900)


def test_what_a_replica_does_not_tell_any_more_is_not_remembered(time: Time) -> None:
    told = {
        "running": {"0": [(46.0, 1.0), (50.0, 1.0)]},
        "ttft_p99_ms": {"0": [(46.0, 900.0)]},
        "first_tokens": {"0": [(50.0, 0.0)]},
    }
    assert FleetSignals(time).read(told, wanted=1).ttft_p99_ms is None


def test_a_replica_that_falls_silent_is_no_load_whatever_its_clock_says(time: Time) -> None:
    signals = FleetSignals(time)
    frozen, alive = {"running": 9}, {"running": 1}
    assert signals.read(told_of(frozen, alive, at=5.0), wanted=2).running == 10
    time.now += SILENCE_S + 0.1
    told = told_of(frozen, alive, at=5.0)
    told = {"running": {**told["running"], "1": [(6.0, 1.0)]}}
    seen = signals.read(told, wanted=2)
    assert (seen.replicas, seen.running) == (1, 1)


def test_before_anybody_told_anything_nobody_answers(time: Time) -> None:
    assert FleetSignals(time).read({}, wanted=2).replicas == 0
