"""The simulated fleet: its replicas carry what was measured, and cost from start to end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from serve_app.domain.scaling import Scaling, Signals
from serve_app.domain.scaling_policy import Replicas, ScalingPolicy, Target
from serve_app.scaling_simulation import ReplicaModel, Scaler, Trace, policy_scaler, simulate

STARTS = datetime(2026, 11, 2, tzinfo=UTC)


def steady(per_s: float, seconds: int, hit_rate: float = 0.0, step_s: int = 1) -> Trace:
    steps = seconds // step_s
    return Trace(STARTS, [per_s] * steps, [hit_rate] * steps, step_s)


def constant(replicas: int) -> Scaler:
    return lambda _, __: Scaling(replicas, "hold")


@pytest.mark.parametrize(("per_s", "ttft_ms"), [(25, 95), (30, 149), (35, 270)])
def test_one_replica_is_as_quick_as_measured(per_s: float, ttft_ms: float) -> None:
    run = simulate(steady(per_s, 300), constant(1), ReplicaModel(), 1)
    assert run.minutes[-1].ttft_p99_ms == pytest.approx(ttft_ms, rel=0.05)


def test_one_replica_falls_behind_as_measured_and_carries_its_queue_over() -> None:
    run = simulate(steady(40, 15), constant(1), ReplicaModel(), 1)
    assert run.minutes[0].ttft_p99_ms == pytest.approx(2123, rel=0.15)
    burst = Trace(STARTS, [40.0] * 120 + [30.0] * 240, [0.0] * 360)
    waits = [minute.ttft_p99_ms for minute in simulate(burst, constant(1), ReplicaModel(), 1).minutes]
    assert waits[2] > 5_000
    assert waits == sorted(waits[:2]) + sorted(waits[2:], reverse=True)
    assert waits[-1] < 500


def test_several_replicas_are_as_quick_as_the_busiest() -> None:
    assert simulate(steady(4 * 28.5, 300), constant(4), ReplicaModel(), 4).attainment(500.0) == 1.0
    assert simulate(steady(4 * 29.5, 300), constant(4), ReplicaModel(), 4).attainment(500.0) < 1.0


def test_hits_need_no_replica() -> None:
    with_hits = simulate(steady(100, 120, hit_rate=0.75), constant(1), ReplicaModel(), 1)
    assert with_hits.minutes[-1].answers_per_s == 25.0
    assert with_hits.minutes[-1].ttft_p99_ms == pytest.approx(95, rel=0.05)


def test_a_replica_answers_after_its_start_and_is_paid_for_from_the_decision_until_it_is_drained() -> None:
    def up_and_down(second: int, _: Signals) -> Scaling:
        return Scaling(2 if 60 <= second < 300 else 1, "load")

    run = simulate(steady(10, 360), up_and_down, ReplicaModel(start_s=120, drain_s=30), 1)
    assert [minute.replicas for minute in run.minutes] == pytest.approx([1, 1, 1, 2, 2, 1], abs=0.05)
    assert [minute.paid for minute in run.minutes] == pytest.approx([1, 2, 2, 2, 2, 1.5], abs=0.05)
    assert run.replica_hours == pytest.approx(sum(minute.paid for minute in run.minutes) / 60)


def test_a_start_that_is_not_wanted_any_more_is_given_up() -> None:
    def for_a_minute(second: int, _: Signals) -> Scaling:
        return Scaling(3 if second < 60 else 1, "load")

    run = simulate(steady(10, 300), for_a_minute, ReplicaModel(), 1)
    assert max(minute.replicas for minute in run.minutes) == 1
    assert run.minutes[-1].paid == 1


def test_while_nothing_answers_questions_wait() -> None:
    run = simulate(steady(5, 300), constant(1), ReplicaModel(start_s=120), 0)
    assert run.minutes[0].ttft_p99_ms == 600_000
    assert run.minutes[-1].ttft_p99_ms < 1000


@pytest.mark.parametrize("step_s", [1, 5, 10])
def test_a_coarser_step_tells_much_the_same(step_s: int) -> None:
    policy = ScalingPolicy(Replicas(1, 20), Target(streams=75, answers_per_s=25))
    steps = 7200 // step_s
    ramp = Trace(STARTS, [20 + 200 * step / steps for step in range(steps)], [0.0] * steps, step_s)
    run = simulate(ramp, policy_scaler(policy, STARTS, 1), ReplicaModel(), 1)
    assert run.minutes[-1].wanted == 9
    assert run.replica_hours == pytest.approx(10.7, rel=0.03)
    assert run.attainment(500.0) == 1.0


def test_progress_hears_of_every_hour() -> None:
    heard: list[int] = []
    simulate(steady(1, 7800, step_s=10), constant(1), ReplicaModel(), 1, heard.append)
    assert heard == [3600, 7200]
