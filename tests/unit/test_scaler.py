"""Once a second, by the policy in force, within what the deployment may have."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from serve_app import scaler
from serve_app.adapters.memory_scaling import MemoryScaling
from serve_app.domain.scaling import Scaling
from serve_app.domain.scaling_policy import Budget, Replicas, ScalingPolicy, Target
from serve_app.fleet_signals import Told
from serve_app.policy_watch import InForce
from serve_app.scaler import Scaler
from serve_app.spending import Spending


class Situation:
    """Two replicas, each with `running` streams. Time stands until it is moved."""

    def __init__(self) -> None:
        self.s = 0.0
        self.running = 0.0
        self.in_force: InForce | None = InForce(ScalingPolicy(Replicas(1, 9), Target(streams=10)), 4)
        self.decisions: list[tuple[Scaling, int]] = []
        self.asked = 0
        self.spending = Spending()
        self.scaler = self.one_more()

    def one_more(self) -> Scaler:
        return Scaler(
            lambda: self.in_force,
            lambda: datetime(2026, 11, 11, tzinfo=UTC) + timedelta(seconds=self.s),
            lambda: self.s,
            lambda scaling, version: self.decisions.append((scaling, version)),
            self.spending,
        )

    def told(self) -> Told:
        self.asked += 1
        return {"running": {"a": [(self.s, self.running)], "b": [(self.s, self.running)]}}

    def wanted(self, now: int = 2, most: int = 9) -> int:
        return self.scaler.wanted(self.told, now, most)


@pytest.fixture
def at() -> Situation:
    return Situation()


def test_until_a_policy_is_known_the_number_stays(at: Situation) -> None:
    at.in_force = None
    assert at.wanted(now=5) == 5
    assert at.decisions == []


def test_load_asks_for_more_and_says_why(at: Situation, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    at.running = 20
    assert at.wanted() == 4
    scaling, version = at.decisions[-1]
    assert (scaling.replicas, version) == (4, 4)
    assert "replicas 2 -> 4" in caplog.text


def test_it_decides_once_a_second(at: Situation) -> None:
    for at.s in (0.0, 0.1, 0.9):
        assert at.wanted() == 2
    assert (len(at.decisions), at.asked) == (1, 1)
    at.s = 1.0
    at.wanted()
    assert len(at.decisions) == 2


def test_a_new_policy_is_followed_at_once(at: Situation) -> None:
    at.wanted()
    at.in_force = InForce(ScalingPolicy(Replicas(3, 9)), 5)
    assert at.wanted() == 3
    assert at.decisions[-1][1] == 5


def test_no_policy_goes_beyond_what_the_deployment_may_have(at: Situation) -> None:
    at.in_force = InForce(ScalingPolicy(Replicas(20, 30)), 5)
    assert at.wanted(most=3) == 3


def test_a_policy_that_allows_for_more_than_the_deployment_is_warned_of_once(
    at: Situation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another test's policy may have had it log where Serve does, too.
    monkeypatch.setattr(scaler.logger, "handlers", [])
    at.in_force = InForce(ScalingPolicy(Replicas(1, 30)), 5)
    for at.s in (0.0, 1.0, 2.0):
        at.wanted(most=3)
    assert (
        caplog.text.count("scaling policy 5 allows for 30 replicas, the deployment for 3 (`rooms.inference.replicas_max`)") == 1
    )
    at.in_force = InForce(ScalingPolicy(Replicas(1, 3)), 6)
    at.wanted(most=3)
    assert "scaling policy 6 allows" not in caplog.text


async def test_one_that_is_new_knows_what_the_day_has_cost(at: Situation) -> None:
    record, at.running = MemoryScaling(), 90
    at.in_force = InForce(ScalingPolicy(Replicas(1, 9), Target(streams=10), budget=Budget(300.0)), 4)
    await at.spending.keep(record)
    for at.s in range(0, 3600, 60):
        at.wanted(now=9)
    await at.spending.keep(record)
    spent = await record.spent()
    assert spent is not None
    assert spent.gpu_hours == pytest.approx(9 * 59 / 60, abs=0.1)
    at.spending = Spending()
    await at.spending.keep(record)
    at.one_more().wanted(at.told, 9, 9)
    assert at.spending.on_day_of(datetime(2026, 11, 11, 23, tzinfo=UTC)) == spent.gpu_hours
    assert at.spending.on_day_of(datetime(2026, 11, 12, tzinfo=UTC)) == 0.0


def test_one_that_is_new_lets_no_replica_go_at_once(at: Situation) -> None:
    assert at.wanted(now=6) == 6
    at.s += 60
    assert at.wanted(now=6) == 6


def test_without_a_word_from_the_replicas_the_number_stays(at: Situation) -> None:
    assert at.scaler.wanted(dict, 6, 9) == 6
    at.s += 3600
    assert at.scaler.wanted(dict, 6, 9) == 6
