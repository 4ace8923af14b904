"""How many replicas: a pure decision from what the fleet carries, what was seen before, and the operator's policy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from serve_app.domain.scaling_policy import ScalingPolicy


@dataclass(frozen=True, slots=True)
class Signals:
    """The whole fleet at one instant, as its replicas last told it (every second)."""

    replicas: int  # that answer
    wanted: int  # the last decision
    running: float = 0.0  # streams
    waiting: float = 0.0  # streams without a first token
    waiting_tokens: float = 0.0  # uncached
    kv_use: float = 0.0  # mean, 0 to 1
    ttft_p99_ms: float | None = None
    asked_per_s: float = 0.0  # questions that reached the shop, hits included
    hit_rate: float | None = None  # of the shared tiers: questions that needed no replica


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered from one decision to the next."""

    wanted: int = 1


@dataclass(frozen=True, slots=True)
class Scaling:
    replicas: int
    reason: str  # one word, for the log and the metric: load, panic, calendar, floor, ceiling, budget, hold


def decide(signals: Signals, memory: Memory, policy: ScalingPolicy, now: datetime) -> tuple[Scaling, Memory]:
    """The number of replicas that should run, within the policy's bounds, and what to remember."""
    needed = math.ceil((signals.running + signals.waiting) / policy.target.streams)
    wanted = max(policy.replicas.min, min(policy.replicas.max, needed))
    return Scaling(wanted, "load"), Memory(wanted)
