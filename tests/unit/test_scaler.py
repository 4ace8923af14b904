"""Once a second, by the policy in force, within what the deployment may have."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from serve_app.domain.scaling import Scaling
from serve_app.domain.scaling_policy import Replicas, ScalingPolicy, Target
from serve_app.fleet_signals import Told
from serve_app.policy_watch import InForce
from serve_app.scaler import Scaler


class Situation:
    """Two replicas, each with `running` streams. Time stands until it is moved."""

    def __init__(self) -> None:
        self.s = 0.0
        self.running = 0.0
        self.in_force: InForce | None = InForce(ScalingPolicy(Replicas(1, 9), Target(streams=10)), 4)
        self.decisions: list[tuple[Scaling, int]] = []
        self.asked = 0
        self.scaler = Scaler(
            lambda: self.in_force,
            lambda: datetime(2026, 11, 11, tzinfo=UTC) + timedelta(seconds=self.s),
            lambda: self.s,
            lambda scaling, version: self.decisions.append((scaling, version)),
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


def test_one_that_is_new_lets_no_replica_go_at_once(at: Situation) -> None:
    assert at.wanted(now=6) == 6
    at.s += 60
    assert at.wanted(now=6) == 6


def test_without_a_word_from_the_replicas_the_number_stays(at: Situation) -> None:
    assert at.scaler.wanted(dict, 6, 9) == 6
    at.s += 3600
    assert at.scaler.wanted(dict, 6, 9) == 6
