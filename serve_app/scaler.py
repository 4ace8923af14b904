"""Decides about the number of replicas, once a second: the policy in force, applied to what the fleet tells."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from serve_app.domain.scaling import Memory, Scaling, Spent, decide
from serve_app.domain.scaling_policy import Replicas, ScalingPolicy
from serve_app.fleet_signals import FleetSignals, Told
from serve_app.policy_watch import InForce
from serve_app.spending import Spending

logger = logging.getLogger(__name__)

EVERY_S = 1.0


class Scaler:
    """Remembers what was seen. One that is new begins with the replicas that are wanted already, and lets none of them go
    before the policy's `down_after_s`."""

    def __init__(
        self,
        in_force: Callable[[], InForce | None],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        tell: Callable[[Scaling, int], None],
        spending: Spending,
    ) -> None:
        """`tell` gets every decision, and the version of the policy that it follows; `spending` what the day has cost."""
        self._in_force = in_force
        self._now = now
        self._monotonic = monotonic
        self._tell = tell
        self._spending = spending
        self._signals = FleetSignals(monotonic)
        self._memory: Memory | None = None
        self._decided: tuple[float, int, int] | None = None  # when, by which version, how many

    def wanted(self, told: Callable[[], Told], running_towards: int, most: int) -> int:
        """How many replicas should run. `running_towards` is how many are wanted now, `most` what no policy goes beyond.

        Decides when a second has passed or the policy has changed, and asks `told` only then. Until a policy is known the
        number stays.
        """
        in_force, at = self._in_force(), self._monotonic()
        if in_force is None:
            return running_towards
        if self._decided is None or self._decided[1] != in_force.version:
            _warn_of_less(in_force, most)
        if self._decided is not None:
            decided_at, version, wanted = self._decided
            if version == in_force.version and at - decided_at < EVERY_S:
                return wanted
            if version != in_force.version:
                logger.info("scaling follows policy %d now, not %d", in_force.version, version)
        wanted = self._decide(in_force, told(), running_towards, most)
        self._decided = (at, in_force.version, wanted)
        return wanted

    def _decide(self, in_force: InForce, told: Told, running_towards: int, most: int) -> int:
        signals, now = self._signals.read(told, running_towards), self._now()
        memory = self._memory or self._first_memory(running_towards, now)
        scaling, self._memory = decide(signals, memory, _at_most(in_force.policy, most), now)
        self._spending.tell(Spent(now.astimezone(UTC).date(), self._memory.gpu_hours))
        self._tell(scaling, in_force.version)
        if scaling.replicas != running_towards:
            logger.info(
                "replicas %d -> %d (%s, policy %d): %s",
                running_towards,
                scaling.replicas,
                scaling.reason,
                in_force.version,
                signals,
            )
        return scaling.replicas

    def _first_memory(self, running_towards: int, now: datetime) -> Memory:
        """What was needed before is not known, so it was what there is: none is let go of before `down_after_s`."""
        spent = self._spending.on_day_of(now)
        return Memory(wanted=running_towards, decided_at=now, peaks=((0.0, running_towards),), gpu_hours=spent)


def _warn_of_less(in_force: InForce, most: int) -> None:
    if in_force.policy.replicas.max > most:
        logger.warning(
            "scaling policy %d allows for %d replicas, the deployment for %d (`rooms.inference.replicas_max`)",
            in_force.version,
            in_force.policy.replicas.max,
            most,
        )


def _at_most(policy: ScalingPolicy, most: int) -> ScalingPolicy:
    bounds = policy.replicas
    if bounds.max <= most:
        return policy
    return replace(policy, replicas=Replicas(min(bounds.min, most), most))
