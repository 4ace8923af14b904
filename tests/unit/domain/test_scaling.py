"""How many replicas: bounds, windows, hysteresis, calendar, budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve_app.domain.scaling import BUCKETS_MAX, Memory, Scaling, Signals, decide, need_of
from serve_app.domain.scaling_policy import (
    Budget,
    Hysteresis,
    Occasion,
    Replicas,
    ScalingPolicy,
    Target,
    Windows,
)

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
# One replica carries 10 streams or 5 answers/s.
TARGET = Target(streams=10.0, waiting_tokens=1000.0, kv_use=0.8, ttft_ms=400.0, answers_per_s=5.0)
POLICY = ScalingPolicy(
    replicas=Replicas(1, 20),
    target=TARGET,
    windows=Windows(stable_s=60.0, panic_s=6.0, panic_ratio=1.5),
    hysteresis=Hysteresis(down_after_s=120.0, down_per_minute=2),
)


def load(streams: float, replicas: int = 1) -> Signals:
    return Signals(replicas=replicas, wanted=replicas, running=streams)


class Shop:
    """Decides second by second; what is wanted answers `start_s` later."""

    def __init__(self, policy: ScalingPolicy = POLICY, replicas: int = 1, now: datetime = NOON, start_s: int = 0) -> None:
        self.policy, self.now, self.start_s = policy, now, start_s
        self.memory = Memory(replicas)
        self.replicas = replicas
        self.due: list[tuple[datetime, int]] = []

    def pass_s(self, seconds: int, signals: Callable[[int], Signals]) -> list[Scaling]:
        return [self.second(signals(self.replicas)) for _ in range(seconds)]

    def second(self, signals: Signals) -> Scaling:
        scaling, self.memory = decide(signals, self.memory, self.policy, self.now)
        self.due.append((self.now + timedelta(seconds=self.start_s), scaling.replicas))
        self.now += timedelta(seconds=1)
        while self.due and self.due[0][0] <= self.now:
            self.replicas = min(self.due.pop(0)[1], scaling.replicas)
        return scaling


def numbers(scalings: Iterable[Scaling]) -> list[int]:
    return [scaling.replicas for scaling in scalings]


def test_a_steady_load_gets_what_carries_it() -> None:
    decided = Shop().pass_s(300, lambda replicas: load(42, replicas))
    assert decided[-1] == Scaling(5, "load")


@pytest.mark.parametrize(
    ("signals", "needed"),
    [
        (Signals(4, 4, running=20, waiting=5), 2.5),
        (Signals(4, 4, asked_per_s=100, hit_rate=0.6), 8.0),
        (Signals(4, 4, asked_per_s=100, hit_rate=0.0), 20.0),
        (Signals(4, 4, asked_per_s=100, hit_rate=None), 0.0),
        (Signals(4, 4, waiting_tokens=6000), 6.0),
        (Signals(4, 4, waiting_tokens=600_000), 8.0),
        (Signals(4, 4, kv_use=1.0), 5.0),
        (Signals(4, 4, ttft_p99_ms=500), 5.0),
        (Signals(4, 4, ttft_p99_ms=60_000), 8.0),
        (Signals(4, 4, ttft_p99_ms=100, kv_use=0.1, waiting_tokens=10), 0.0),
        (Signals(4, 4, running=float("nan")), None),
    ],
)
def test_the_most_that_any_signal_asks_for_is_needed(signals: Signals, needed: float | None) -> None:
    assert need_of(signals, TARGET) == pytest.approx(needed)


def test_without_a_rate_that_a_replica_carries_the_hit_rate_decides_nothing() -> None:
    assert need_of(Signals(4, 4, asked_per_s=100, hit_rate=0.0), replace(TARGET, answers_per_s=None)) == 0.0


def test_a_flushed_cache_is_met_at_once_though_no_stream_waits_yet() -> None:
    shop = Shop(replicas=4)
    shop.pass_s(120, lambda _: Signals(4, 4, running=18, asked_per_s=50, hit_rate=0.7))
    decided = shop.pass_s(6, lambda _: Signals(4, 4, running=18, asked_per_s=50, hit_rate=0.0))
    assert decided[-1] == Scaling(10, "panic")


def test_a_burst_is_a_panic_that_takes_nothing_back_and_ends() -> None:
    shop = Shop(start_s=30)
    shop.pass_s(60, lambda replicas: load(8, replicas))
    burst = shop.pass_s(10, lambda replicas: load(80, replicas))
    assert burst[-1] == Scaling(8, "panic")
    after = shop.pass_s(50, lambda replicas: load(8, replicas))
    assert set(numbers(after)) == {8}
    later = shop.pass_s(900, lambda replicas: load(8, replicas))
    assert "panic" not in {scaling.reason for scaling in later[60:]}
    assert later[-1] == Scaling(1, "load")


def test_fewer_are_kept_only_when_fewer_were_enough_for_long_and_one_at_a_time() -> None:
    shop = Shop(replicas=6)
    shop.pass_s(200, lambda replicas: load(60, replicas))
    decided = numbers(shop.pass_s(400, lambda replicas: load(20, replicas)))
    # The stable window forgets the old load a little later.
    assert set(decided[:120]) == {6}
    assert decided[-1] == 2
    steps = [at for at, (before, after) in enumerate(pairwise(decided)) if after != before]
    assert all(later - earlier >= 30 for earlier, later in pairwise(steps))
    assert all(before - after in (0, 1) for before, after in pairwise(decided))


def test_a_load_that_comes_back_within_the_time_costs_no_replica() -> None:
    shop = Shop(replicas=6)
    for _ in range(5):
        shop.pass_s(70, lambda replicas: load(60, replicas))
        assert set(numbers(shop.pass_s(70, lambda replicas: load(20, replicas)))) == {6}


def test_while_no_replica_answers_the_number_is_held() -> None:
    shop = Shop(replicas=3)
    shop.pass_s(5, lambda _: load(30, 3))
    assert set(numbers(shop.pass_s(1000, lambda _: Signals(0, 3)))) == {3}


def test_signals_without_sense_hold_the_number() -> None:
    shop = Shop(replicas=3)
    assert set(numbers(shop.pass_s(1000, lambda _: load(float("nan"), 3)))) == {3}


def announced(policy: ScalingPolicy = POLICY, least: int = 9) -> ScalingPolicy:
    occasion = Occasion(NOON + timedelta(hours=1), NOON + timedelta(hours=2), least, "大促")
    return replace(policy, calendar=(occasion,), start_s=150.0)


@pytest.mark.parametrize(("after_s", "expected"), [(3449, 1), (3450, 9), (7199, 9), (7200, 1)])
def test_an_occasions_replicas_are_started_before_it(after_s: int, expected: int) -> None:
    scaling, _ = decide(load(1), Memory(1), announced(), NOON + timedelta(seconds=after_s))
    assert scaling == Scaling(expected, "calendar" if expected > 1 else "load")


def test_an_occasion_in_the_shops_own_offset_is_the_same_instant() -> None:
    starts = datetime(2026, 11, 11, 0, 0, tzinfo=timezone(timedelta(hours=8)))
    policy = replace(POLICY, calendar=(Occasion(starts, starts + timedelta(hours=1), 7),), start_s=0.0)
    assert decide(load(1), Memory(1), policy, datetime(2026, 11, 10, 16, tzinfo=UTC))[0].replicas == 7


def test_after_an_occasion_replicas_leave_one_at_a_time() -> None:
    shop = Shop(announced(), replicas=9, now=NOON + timedelta(hours=1, minutes=59))
    shop.pass_s(60, lambda replicas: load(5, replicas))
    decided = numbers(shop.pass_s(600, lambda replicas: load(5, replicas)))
    assert decided[0] in (8, 9)
    assert decided[-1] == 1
    assert all(before - after in (0, 1) for before, after in pairwise(decided))


def test_the_ceiling_wins_over_the_calendar() -> None:
    during = NOON + timedelta(hours=1)
    assert decide(load(1), Memory(1), announced(least=50), during)[0] == Scaling(20, "ceiling")


def test_a_load_beyond_the_ceiling_says_so() -> None:
    assert decide(load(500), Memory(1), POLICY, NOON)[0] == Scaling(20, "ceiling")


def test_fewer_than_the_floor_are_never_kept() -> None:
    assert decide(load(0), Memory(1), replace(POLICY, replicas=Replicas(3, 20)), NOON)[0] == Scaling(3, "floor")


def paid(gpu_hours: float, gpus: int = 1, least: int = 1) -> ScalingPolicy:
    return replace(POLICY, replicas=Replicas(least, 20), budget=Budget(gpu_hours, gpus))


def test_a_budget_that_lasts_binds_nothing() -> None:
    assert decide(load(100, 10), Memory(10), paid(100), NOON)[0] == Scaling(10, "load")


@pytest.mark.parametrize(
    ("spent", "gpus", "expected"),
    [
        (80.0, 1, 9),  # 12 hours at 1 are kept paid for: 8 more for the next hour
        (85.0, 1, 4),
        (88.0, 1, 1),
        (99.0, 1, 1),
        (60.0, 4, 1),
    ],
)
def test_what_is_left_beyond_the_floor_may_be_spent_within_an_hour(spent: float, gpus: int, expected: int) -> None:
    memory = Memory(10, decided_at=NOON, gpu_hours=spent)
    assert decide(load(100), memory, paid(100, gpus), NOON)[0] == Scaling(expected, "budget")


def test_the_budget_wins_over_the_calendar_but_not_over_the_floor() -> None:
    policy = replace(announced(paid(10, least=2)), calendar=(Occasion(NOON, NOON + timedelta(hours=1), 9),))
    assert decide(load(1), Memory(2, decided_at=NOON, gpu_hours=50.0), policy, NOON)[0] == Scaling(2, "budget")


def test_a_day_costs_no_more_than_its_budget() -> None:
    policy = paid(60)
    shop = Shop(policy, now=NOON.replace(hour=0), start_s=0)
    gpu_s = 0
    for _ in range(24 * 60 * 6):
        scaling, shop.memory = decide(load(100, shop.replicas), shop.memory, policy, shop.now)
        shop.replicas = scaling.replicas
        gpu_s += shop.replicas * 10
        shop.now += timedelta(seconds=10)
    assert 59 <= gpu_s / 3600 <= 60.1


def test_the_budget_is_new_at_midnight_utc() -> None:
    late = datetime(2026, 11, 10, 23, 59, 59, tzinfo=UTC)
    _, memory = decide(load(100), Memory(10, decided_at=late, gpu_hours=99.0), paid(100), late + timedelta(seconds=1))
    assert memory.gpu_hours == 0.0


@pytest.mark.parametrize("jump", [timedelta(hours=-5), timedelta(hours=5), timedelta(days=400)])
def test_a_clock_that_jumps_takes_no_replica_away(jump: timedelta) -> None:
    shop = Shop(replicas=6)
    shop.pass_s(100, lambda replicas: load(60, replicas))
    shop.now += jump
    assert set(numbers(shop.pass_s(60, lambda replicas: load(5, replicas)))) == {6}
    assert numbers(shop.pass_s(900, lambda replicas: load(5, replicas)))[-1] == 1


def test_a_policy_edited_while_it_runs_holds_at_once() -> None:
    shop = Shop(replicas=6)
    shop.pass_s(200, lambda replicas: load(60, replicas))
    shop.policy = replace(POLICY, replicas=Replicas(1, 4), windows=Windows(600.0, 90.0, 2.0))
    assert set(numbers(shop.pass_s(100, lambda replicas: load(60, replicas)))) == {4}
    shop.policy = POLICY
    assert numbers(shop.pass_s(100, lambda replicas: load(60, replicas)))[-1] == 6


# What always holds.

policies = st.builds(
    ScalingPolicy,
    replicas=st.integers(0, 5).flatmap(lambda least: st.builds(Replicas, st.just(least), st.integers(max(1, least), 30))),
    target=st.builds(Target, streams=st.floats(1, 100), answers_per_s=st.none() | st.floats(0.5, 50)),
    windows=st.builds(Windows, st.floats(20, 300), st.floats(1, 20), st.floats(1, 3)),
    hysteresis=st.builds(Hysteresis, st.floats(0, 400), st.integers(1, 10)),
    calendar=st.lists(
        st.builds(
            lambda after, lasts, least: Occasion(
                NOON + timedelta(seconds=after), NOON + timedelta(seconds=after + lasts), least
            ),
            st.integers(-100, 400),
            st.integers(1, 400),
            st.integers(0, 40),
        ),
        max_size=3,
    ).map(tuple),
    budget=st.builds(Budget, st.none() | st.floats(0, 200), st.integers(1, 8)),
    start_s=st.floats(0, 200),
)
signals_ = st.builds(
    Signals,
    replicas=st.integers(0, 30),
    wanted=st.integers(0, 30),
    running=st.floats(0, 5000) | st.just(float("nan")),
    waiting=st.floats(0, 5000),
    waiting_tokens=st.floats(0, 1e7) | st.just(float("inf")),
    kv_use=st.floats(0, 1),
    ttft_p99_ms=st.none() | st.floats(0, 1e6),
    asked_per_s=st.floats(0, 5000),
    hit_rate=st.none() | st.floats(-0.5, 1.5),
)
# Each holds for some seconds, after a step of the clock that may be anything.
stretches = st.lists(st.tuples(signals_, st.integers(1, 40), st.integers(-1000, 1000) | st.just(0)), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(policies, stretches)
def test_always_within_bounds_and_bounded_in_memory(policy: ScalingPolicy, stretches: list[tuple[Signals, int, int]]) -> None:
    memory, now = Memory(policy.replicas.min), NOON
    for signals, seconds, jump_s in stretches:
        now += timedelta(seconds=jump_s)
        for _ in range(seconds):
            now += timedelta(seconds=1)
            scaling, memory = decide(signals, memory, policy, now)
            assert policy.replicas.min <= scaling.replicas <= policy.replicas.max
            assert memory.wanted == scaling.replicas
            assert len(memory.buckets) <= min(BUCKETS_MAX, policy.windows.stable_s) + 1
            assert len(memory.peaks) <= policy.replicas.max + 1


@settings(max_examples=60, deadline=None)
@given(policies, stretches)
def test_never_below_the_calendars_floor_while_the_ceilings_allow(
    policy: ScalingPolicy, stretches: list[tuple[Signals, int, int]]
) -> None:
    policy = replace(policy, budget=Budget())
    memory, now = Memory(policy.replicas.min), NOON
    for signals, seconds, jump_s in stretches:
        now += timedelta(seconds=jump_s)
        for _ in range(seconds):
            now += timedelta(seconds=1)
            scaling, memory = decide(signals, memory, policy, now)
            ahead = now + timedelta(seconds=policy.start_s)
            floor = max((each.min for each in policy.calendar if each.starts <= ahead and now < each.ends), default=0)
            assert scaling.replicas >= min(floor, policy.replicas.max)


@settings(max_examples=60, deadline=None)
@given(policies, st.lists(st.tuples(st.floats(0, 400), st.floats(0, 100), st.integers(1, 40)), min_size=1, max_size=12))
def test_more_load_never_gets_fewer(policy: ScalingPolicy, stretches: list[tuple[float, float, int]]) -> None:
    """Of two shops with the same past, the one with more load now. With another past it may: what had to panic holds longer."""
    policy = replace(policy, budget=Budget())
    memory, now = Memory(1), NOON
    for streams, extra, seconds in stretches:
        for _ in range(seconds):
            now += timedelta(seconds=1)
            higher, _later = decide(load(streams + extra, 5), memory, policy, now)
            lower, memory = decide(load(streams, 5), memory, policy, now)
            assert higher.replicas >= lower.replicas


@settings(max_examples=60, deadline=None)
@given(policies, signals_)
def test_a_constant_load_makes_nothing_flap(policy: ScalingPolicy, signals: Signals) -> None:
    policy = replace(policy, budget=Budget(), calendar=())
    shop = Shop(policy, replicas=policy.replicas.max)
    seconds = int(policy.hysteresis.down_after_s + policy.windows.stable_s) + 60 * policy.replicas.max + 120
    decided = numbers(shop.pass_s(seconds, lambda _: signals))
    assert decided == sorted(decided, reverse=True)


@settings(max_examples=30, deadline=None)
@given(policies, st.floats(1, 2000), st.floats(0, 10))
def test_a_panic_is_left_again(policy: ScalingPolicy, burst: float, calm: float) -> None:
    shop = Shop(replace(policy, budget=Budget(), calendar=()), start_s=30)
    shop.pass_s(20, lambda _: load(burst, 1))
    calm_streams = calm * policy.target.streams / 20
    after = shop.pass_s(int(2 * policy.windows.stable_s) + 40, lambda _: load(calm_streams, 30))
    assert after[-1].reason != "panic"
