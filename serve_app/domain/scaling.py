"""How many replicas: a pure decision from what the fleet carries, what was seen before, and the operator's policy.

Each second's load is put in replicas, the most that any signal asks for, and averaged over two windows as in Knative's
autoscaler (knative.dev/serving, pkg/autoscaler/scaling/autoscaler.go) and AIBrix's KPA (aibrix, pkg/controller/podautoscaler):
over the stable one, and over the short one while that asks for `panic_ratio` times the replicas that answer. What is needed is
met at once; fewer are kept only when fewer were enough for `down_after_s`, which is Knative's scale-down delay: the largest
need of that time.

Which bound wins: `replicas.max`, then `replicas.min`, then the budget's ceiling, then the calendar's floor, then the load.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from serve_app.domain.scaling_policy import Budget, Hysteresis, Occasion, Replicas, ScalingPolicy, Target, Windows

# A longer silence is a clock that jumped or a controller that was away: it counts as this much.
STEP_MAX_S = 60.0
# Of the short window: its average forgets a bucket at a time.
BUCKETS_PER_PANIC_WINDOW = 3
BUCKETS_MAX = 600
# A need of 3.0000001 replicas is one of 3.
TOLERANCE = 1e-6


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
class Bucket:
    """Some seconds' needs, in replicas."""

    number: int  # of the clock, in bucket widths
    total: float
    count: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered from one decision to the next: at most `BUCKETS_MAX` buckets, and a peak for each number of replicas.

    `clock_s` counts the seconds between decisions; it never runs back, whatever the machine's clock does.
    """

    wanted: int = 1
    decided_at: datetime | None = None
    clock_s: float = 0.0
    buckets: tuple[Bucket, ...] = ()
    panic_until_s: float | None = None
    peaks: tuple[tuple[float, int], ...] = ()  # when so many were needed last: later ones are smaller
    lowered_at_s: float | None = None
    gpu_hours: float = 0.0  # since midnight UTC


@dataclass(frozen=True, slots=True)
class Spent:
    day: date  # UTC
    gpu_hours: float


@dataclass(frozen=True, slots=True)
class Scaling:
    replicas: int
    reason: str  # one word, for the log and the metric: load, panic, calendar, floor, ceiling, budget, hold


def decide(signals: Signals, memory: Memory, policy: ScalingPolicy, now: datetime) -> tuple[Scaling, Memory]:
    """The number of replicas that should run, within the policy's bounds, and what to remember. `now` has an offset.

    While no replica answers, or none tells anything that makes sense, the load counts as unknown and the number is held.
    """
    step_s = _step_s(memory, now)
    clock_s = memory.clock_s + step_s
    gpu_hours = _gpu_hours(signals, memory, policy.budget, now, step_s)
    width_s = _bucket_s(policy.windows)
    need = need_of(signals, policy.target) if signals.replicas > 0 else None
    buckets = _with(memory.buckets, need, clock_s, width_s, policy.windows.stable_s)
    stable = _mean(buckets, 0)
    panic = _mean(buckets, int((clock_s - policy.windows.panic_s) // width_s) + 1)
    panic_until_s = _panic_until(panic, signals.replicas, memory.panic_until_s, clock_s, policy.windows)
    panics = panic_until_s is not None

    load = _whole(stable if stable is not None else memory.wanted)
    if panics and panic is not None:
        load = max(load, _whole(panic))
    peaks = _with_peak(memory.peaks, load, clock_s, policy.hysteresis, policy.replicas)
    held, lowered_at_s = max(load, peaks[0][1]), memory.lowered_at_s
    if held < memory.wanted:
        may_sink = need is not None and not panics
        held, lowered_at_s = _lowered(memory, clock_s, policy.hysteresis) if may_sink else (memory.wanted, lowered_at_s)
    reason = "hold" if held > load else "panic" if panics else "load"
    scaling = _bounded(Scaling(held, reason), policy, now, gpu_hours)
    return scaling, Memory(scaling.replicas, now, clock_s, buckets, panic_until_s, peaks, lowered_at_s, gpu_hours)


def need_of(signals: Signals, target: Target) -> float | None:
    """In replicas that carry what the target says, the most that any signal asks for. None when the signals make no sense.

    Streams and the questions' rate say how many are needed. Waiting tokens, the use of keys and values and the time to the
    first token only say that those that answer are too few, so they ask for more relative to those, and for twice as many at
    most.
    """
    replicas = signals.replicas
    need = (signals.running + signals.waiting) / target.streams
    if target.answers_per_s is not None and signals.hit_rate is not None:
        need = max(need, signals.asked_per_s * (1.0 - min(1.0, max(0.0, signals.hit_rate))) / target.answers_per_s)
    pressure = max(signals.waiting_tokens / (target.waiting_tokens * max(1, replicas)), signals.kv_use / target.kv_use)
    if signals.ttft_p99_ms is not None:
        pressure = max(pressure, signals.ttft_p99_ms / target.ttft_ms)
    if pressure > 1.0:
        need = max(need, replicas * min(2.0, pressure))
    return need if math.isfinite(need) and need >= 0.0 else None


def _step_s(memory: Memory, now: datetime) -> float:
    if memory.decided_at is None:
        return 0.0
    return min(STEP_MAX_S, max(0.0, (now - memory.decided_at).total_seconds()))


def _gpu_hours(signals: Signals, memory: Memory, budget: Budget, now: datetime, step_s: float) -> float:
    """Spent since midnight UTC. A replica costs from the decision to start it."""
    spent = max(signals.replicas, memory.wanted) * budget.gpus_per_replica * step_s / 3600
    began = memory.decided_at
    is_today = began is not None and began.astimezone(UTC).date() == now.astimezone(UTC).date()
    return memory.gpu_hours + spent if is_today else 0.0


def _bucket_s(windows: Windows) -> float:
    return max(1.0, windows.panic_s / BUCKETS_PER_PANIC_WINDOW, windows.stable_s / BUCKETS_MAX)


def _with(buckets: tuple[Bucket, ...], need: float | None, clock_s: float, width_s: float, kept_s: float) -> tuple[Bucket, ...]:
    number = int(clock_s // width_s)
    oldest = number - max(0, math.ceil(kept_s / width_s) - 1)
    if buckets and (buckets[0].number < oldest or buckets[-1].number > number):
        # Numbers above the clock's were counted in the widths of another policy.
        buckets = tuple(bucket for bucket in buckets if oldest <= bucket.number <= number)
    if need is None:
        return buckets
    if buckets and buckets[-1].number == number:
        last = buckets[-1]
        return (*buckets[:-1], Bucket(number, last.total + need, last.count + 1))
    return (*buckets, Bucket(number, need, 1))


def _mean(buckets: tuple[Bucket, ...], first: int) -> float | None:
    total, count = 0.0, 0
    for bucket in reversed(buckets):
        if bucket.number < first:
            break
        total += bucket.total
        count += bucket.count
    return total / count if count else None


def _panic_until(panic: float | None, replicas: int, until_s: float | None, clock_s: float, windows: Windows) -> float | None:
    """A panic lasts until the short window has asked for less for as long as the stable one is."""
    if panic is not None and replicas > 0 and panic >= windows.panic_ratio * replicas:
        return clock_s + windows.stable_s
    return until_s if until_s is not None and clock_s < until_s else None


def _whole(need: float) -> int:
    return math.ceil(need - TOLERANCE)


def _with_peak(
    peaks: tuple[tuple[float, int], ...], load: int, clock_s: float, hysteresis: Hysteresis, bounds: Replicas
) -> tuple[tuple[float, int], ...]:
    """The largest need is the first: smaller and older ones can never be it again."""
    load = min(bounds.max, load)
    since_s = clock_s - hysteresis.down_after_s
    return (*((at_s, peak) for at_s, peak in peaks if peak > load and at_s > since_s), (clock_s, load))


def _lowered(memory: Memory, clock_s: float, hysteresis: Hysteresis) -> tuple[int, float | None]:
    """A replica at a time, so many a minute."""
    if memory.lowered_at_s is not None and clock_s - memory.lowered_at_s < 60.0 / hysteresis.down_per_minute:
        return memory.wanted, memory.lowered_at_s
    return memory.wanted - 1, clock_s


def _bounded(scaling: Scaling, policy: ScalingPolicy, now: datetime, gpu_hours: float) -> Scaling:
    """Later bounds win over earlier ones."""
    lowest, highest = policy.replicas.min, policy.replicas.max
    announced = max((occasion.min for occasion in policy.calendar if _is_near(occasion, now, policy.start_s)), default=0)
    # What is held at just that number is held by the calendar.
    if announced > scaling.replicas or (announced == scaling.replicas and scaling.reason == "hold"):
        scaling = Scaling(announced, "calendar")
    affordable = _affordable(policy.budget, lowest, now, gpu_hours)
    if affordable is not None and affordable < min(scaling.replicas, highest):
        scaling = Scaling(affordable, "budget")
    if scaling.replicas < lowest:
        scaling = Scaling(lowest, "floor")
    return Scaling(highest, "ceiling") if scaling.replicas > highest else scaling


def _is_near(occasion: Occasion, now: datetime, start_s: float) -> bool:
    return occasion.starts - timedelta(seconds=start_s) <= now < occasion.ends


def _affordable(budget: Budget, lowest: int, now: datetime, gpu_hours: float) -> int | None:
    """How many the budget still pays for. See `Budget`."""
    if budget.gpu_hours_per_day is None:
        return None
    today = now.astimezone(UTC)
    left_h = 24.0 - (today.hour + today.minute / 60 + today.second / 3600)
    replica_hours = (budget.gpu_hours_per_day - gpu_hours) / budget.gpus_per_replica
    beyond = max(0.0, replica_hours - lowest * left_h)
    return lowest + math.floor(beyond / min(1.0, left_h) + TOLERANCE)
