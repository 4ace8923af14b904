"""The fortnight and the rivals of `benchmarks.autoscale` are what they are said to be."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarks.scaling.fortnight import CAMPAIGNS, FLUSHED_AT, STARTS, calendar, fortnight
from benchmarks.scaling.rivals import RayDefault, floors, oracle
from serve_app.domain.scaling import Signals
from serve_app.scaling_simulation import ReplicaModel, Trace, simulate


@pytest.fixture(scope="module")
def trace() -> Trace:
    return fortnight(step_s=60)


def test_a_fortnight_is_the_same_every_time() -> None:
    assert fortnight(days=1, step_s=60) == fortnight(days=1, step_s=60)


def test_it_has_day_and_night(trace: Trace) -> None:
    hours = np.asarray(trace.questions_per_s[:1440]).reshape(-1, 60).mean(axis=1)
    assert 5 < hours.max() / hours.min() < 7.5


def test_the_cache_is_flushed_and_fills_again(trace: Trace) -> None:
    minute = int((FLUSHED_AT - STARTS).total_seconds()) // 60
    assert trace.hit_rate[minute - 1] == pytest.approx(0.65, abs=0.02)
    assert trace.hit_rate[minute] < 0.1
    assert trace.hit_rate[minute + 30] == pytest.approx(0.65, abs=0.02)


def test_the_calendar_knows_what_was_announced_and_not_what_came(trace: Trace) -> None:
    for campaign, occasion in zip(CAMPAIGNS, calendar(25.0), strict=True):
        minutes = [int((at - STARTS).total_seconds()) // 60 for at in (campaign.starts, campaign.ends)]
        came = max(trace.questions_per_s[minutes[0] : minutes[1]]) * 0.35 / 25.0
        assert came / occasion.min == pytest.approx(campaign.surprise, rel=0.25)


def ongoing(streams: float, replicas: int, wanted: int) -> Signals:
    return Signals(replicas, wanted, running=streams)


def test_rays_default_follows_up_after_30_s_and_down_after_600_s() -> None:
    scaler = RayDefault(10, 1, 20)
    wanted = [scaler(second, ongoing(100, 1, 1)).replicas for second in range(31)]
    assert wanted == [1] * 30 + [10]
    wanted = [scaler(second, ongoing(20, 10, 10)).replicas for second in range(31, 700)]
    # Its mean looks back for 30 s and is pushed every 10 s.
    assert 600 <= wanted.index(2) <= 620
    assert set(wanted[: wanted.index(2)]) == {10}


def test_rays_default_with_floors_set_by_hand_has_them_in_time(trace: Trace) -> None:
    changes = floors(calendar(25.0), trace, 150, 2)
    starts = int((CAMPAIGNS[0].starts - STARTS).total_seconds())
    scaler = RayDefault(10, 2, 64, changes)
    assert scaler(starts - 151, ongoing(0, 2, 2)).replicas == 2
    assert scaler(starts - 150, ongoing(0, 2, 2)).replicas == calendar(25.0)[0].min


def test_the_oracle_is_in_time_for_a_jump_and_keeps_what_it_will_need_again() -> None:
    load = [30.0] * 900 + [100.0] * 300 + [30.0] * 100 + [100.0] * 300 + [30.0] * 600
    trace = Trace(datetime(2026, 1, 1, tzinfo=UTC), load, [0.0] * len(load))
    run = simulate(trace, oracle(trace, ReplicaModel(), 500.0, 2), ReplicaModel(), 2)
    assert run.attainment(500.0) == 1.0
    assert [round(run.minutes[at].replicas) for at in (5, 16, 21, 24, 35)] == [2, 4, 4, 4, 2]
