"""What an operator may say about the number of replicas. Read from YAML, kept in the record, read again while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Replicas:
    """`min` and `max` bound every decision, the calendar's too."""

    min: int = 1
    max: int = 1


@dataclass(frozen=True, slots=True)
class Target:
    """What one replica carries when it is as busy as it should be. Measure it: `benchmarks.gpu`, a little below the knee."""

    streams: float = 60.0  # running and waiting
    waiting_tokens: float = 4000.0  # uncached, of prompts without a first token
    kv_use: float = 0.8  # of its keys and values
    ttft_ms: float = 400.0  # p99
    answers_per_s: float | None = 20.0  # that it begins; None: neither the questions' rate nor the hit rate counts


@dataclass(frozen=True, slots=True)
class Windows:
    """The load is averaged over `stable_s`; over `panic_s` while that asks for `panic_ratio` times as many replicas as answer
    (Knative's autoscaler; AIBrix's KPA)."""

    stable_s: float = 180.0
    panic_s: float = 15.0
    panic_ratio: float = 1.15


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """Up at once; down only when fewer were enough for `down_after_s`, and so many a minute at most."""

    down_after_s: float = 600.0
    down_per_minute: int = 1


@dataclass(frozen=True, slots=True)
class Occasion:
    """大促: at least `min` replicas between two instants, with their offset. They are started `start_s` earlier."""

    starts: datetime
    ends: datetime
    min: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """GPU-hours from midnight to midnight UTC. `replicas.min` for the rest of the day is always kept paid for; what is left
    beyond that may be spent within an hour, so that towards its end the ceiling sinks step by step instead of falling. It binds
    the calendar too, never `replicas.min`."""

    gpu_hours_per_day: float | None = None
    gpus_per_replica: int = 1


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    replicas: Replicas = Replicas()
    target: Target = Target()
    windows: Windows = Windows()
    hysteresis: Hysteresis = Hysteresis()
    calendar: tuple[Occasion, ...] = ()
    budget: Budget = Budget()
    start_s: float = 150.0  # until a new replica answers
    notes: str = field(default="")
