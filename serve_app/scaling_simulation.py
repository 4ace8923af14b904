"""What a scaling policy would have done with a day's questions: replicas, waiting times, GPU-hours.

The model of a replica is one H100 with Qwen3-32B in FP8, prompts of 808 tokens of which 296 are new, answers of 128, as
measured with Poisson arrivals on the bare engine:

- it begins 36.1 answers/s and no more; what comes beyond waits, and waits on until there is room for it;
- its TTFT p99 is 26 ms for a single request, 95 ms at 25/s, 149 at 30/s, 270 at 35/s; at 36.1/s it is set to 500 ms. The wait
  of what is queued comes on top: 15 s of 40/s give 2.1 s (2.1 s were measured in a run of that kind, of unknown length);
- an answer runs for 1.8 s alone, 2.3 s at 13.9/s and 3.3 s from 30/s on; running streams follow by Little's law;
- the router's bound lets the busiest of several replicas carry 1.25 times the mean, and the fleet's p99 is taken to be the
  busiest's (2.1 s from 40/s on, until the bound sends the rest elsewhere): so a fleet keeps 500 ms up to 28.9 answers/s each;
- a replica costs from the decision to start it, answers `start_s` later with caches as warm as the others', and costs while it
  drains. A start that is no longer wanted is given up first.

A minute's TTFT p99 is that of its worst step, so it is never too good.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from serve_app.domain.scaling import Memory, Scaling, Signals, decide
from serve_app.domain.scaling_policy import ScalingPolicy

# What a rate is averaged over.
RATE_S = 5.0
# Waiting times are not told apart beyond this; nor are those while nothing answers.
TTFT_MAX_MS = 600_000.0


@dataclass(frozen=True, slots=True)
class ReplicaModel:
    """See the module. `ttft_ms` and `stream_s` are (answers/s, value), straight lines between."""

    answers_per_s: float = 36.1
    ttft_ms: tuple[tuple[float, float], ...] = (
        (0.0, 26.0),
        (25.0, 95.0),
        (30.0, 149.0),
        (35.0, 270.0),
        (36.1, 500.0),
        (40.0, 2123.0),
    )
    stream_s: tuple[tuple[float, float], ...] = ((0.0, 1.84), (13.9, 2.31), (30.0, 3.29), (36.1, 3.31))
    busiest_over_mean: float = 1.25
    uncached_tokens: float = 296.0  # of a prompt
    stream_kv_use: float = 360 / 145_000  # beside what all prompts share
    start_s: int = 150
    drain_s: int = 10


@dataclass(frozen=True, slots=True)
class Trace:
    """A value for each step, from `starts` on. A hit rate is a share of that step's questions."""

    starts: datetime
    questions_per_s: Sequence[float]
    hit_rate: Sequence[float]
    step_s: int = 1  # a divisor of 60


@dataclass(frozen=True, slots=True)
class Minute:
    replicas: float  # mean, of those that answer
    paid: float  # mean, starting and draining ones too
    wanted: int  # at its end
    questions_per_s: float
    answers_per_s: float  # asked of the model
    ttft_p99_ms: float
    reason: str  # of its last decision


@dataclass(frozen=True, slots=True)
class Run:
    minutes: Sequence[Minute]
    replica_hours: float

    def attainment(self, ttft_ms: float) -> float:
        """The share of minutes whose TTFT p99 is `ttft_ms` at most."""
        return sum(minute.ttft_p99_ms <= ttft_ms for minute in self.minutes) / len(self.minutes)


Scaler = Callable[[int, Signals], Scaling]
"""Decides once a step; its first argument is the second from the trace's start."""


def policy_scaler(policy: ScalingPolicy, starts: datetime, wanted: int) -> Scaler:
    """The very decision that runs in Serve's controller; `wanted` replicas run before the first."""
    memory = Memory(wanted)
    second = timedelta(seconds=1)

    def scale(at: int, signals: Signals) -> Scaling:
        nonlocal memory
        scaling, memory = decide(signals, memory, policy, starts + at * second)
        return scaling

    return scale


def simulate(
    trace: Trace,
    scaler: Scaler,
    model: ReplicaModel,
    wanted: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Run:
    """Replays the trace step by step, `wanted` replicas answering at first. `progress` hears of every hour, in seconds."""
    fleet = _Fleet(model, wanted, trace.step_s)
    minutes: list[Minute] = []
    steps, each = len(trace.questions_per_s), 60 // trace.step_s
    for begins in range(0, steps, each):
        minutes.append(_minute(trace, scaler, fleet, range(begins, min(begins + each, steps))))
        if len(minutes) % 60 == 0:
            progress(len(minutes) * 60)
    return Run(minutes, fleet.paid_s / 3600)


def _minute(trace: Trace, scaler: Scaler, fleet: _Fleet, steps: range) -> Minute:
    worst_ms = replicas = asked = arrived = 0.0
    paid_s = fleet.paid_s
    scaling = Scaling(fleet.wanted, "hold")
    for step in steps:
        second, questions, hit_rate = step * trace.step_s, trace.questions_per_s[step], trace.hit_rate[step]
        ttft_ms = fleet.serve(second, questions * (1.0 - hit_rate))
        scaling = scaler(second, fleet.signals(questions, hit_rate, ttft_ms))
        fleet.scale(second, scaling.replicas)
        worst_ms = max(worst_ms, ttft_ms)
        replicas += fleet.replicas
        asked += questions
        arrived += questions * (1.0 - hit_rate)
    paid = (fleet.paid_s - paid_s) / (len(steps) * trace.step_s)
    return Minute(
        replicas / len(steps), paid, scaling.replicas, asked / len(steps), arrived / len(steps), worst_ms, scaling.reason
    )


class _Fleet:
    def __init__(self, model: ReplicaModel, replicas: int, step_s: int) -> None:
        self.replicas = replicas
        self.wanted = replicas
        self.paid_s = 0.0
        self._model = model
        self._step_s = step_s
        self._share = min(1.0, step_s / RATE_S)
        self._ttft_ms = _Line(model.ttft_ms)
        self._stream_s = _Line(model.stream_s)
        self._starting: deque[int] = deque()  # when each answers
        self._draining: deque[int] = deque()  # when each is gone
        self._per_s = 0.0  # that begin
        self._queued = 0.0
        self._running = 0.0

    def serve(self, second: int, arrivals_per_s: float) -> float:
        """One step's arrivals. Returns the TTFT's p99 in ms."""
        model = self._model
        while self._starting and self._starting[0] <= second:
            self._starting.popleft()
            self.replicas += 1
        while self._draining and self._draining[0] <= second:
            self._draining.popleft()
        self.paid_s += (self.replicas + len(self._starting) + len(self._draining)) * self._step_s
        work = self._queued + arrivals_per_s * self._step_s
        capacity_per_s = self.replicas * model.answers_per_s
        begun = min(work, capacity_per_s * self._step_s)
        self._queued = work - begun
        self._per_s += (begun / self._step_s - self._per_s) * self._share
        if self.replicas == 0:
            self._running = 0.0
            return TTFT_MAX_MS if work else 0.0
        per_replica = min(model.answers_per_s, self._per_s / self.replicas)
        self._running = per_replica * self.replicas * self._stream_s.at(per_replica)
        busiest = per_replica * (model.busiest_over_mean if self.replicas > 1 else 1.0)
        return min(TTFT_MAX_MS, self._ttft_ms.at(busiest) + 1000.0 * self._queued / capacity_per_s)

    def signals(self, questions: float, hit_rate: float, ttft_ms: float) -> Signals:
        model = self._model
        waiting = self._queued + self._per_s * min(ttft_ms, 1000.0) / 2000.0
        kv_use = min(1.0, self._running * model.stream_kv_use / self.replicas) if self.replicas else 0.0
        return Signals(
            self.replicas,
            self.wanted,
            self._running,
            waiting,
            waiting * model.uncached_tokens,
            kv_use,
            ttft_ms,
            questions,
            hit_rate,
        )

    def scale(self, second: int, wanted: int) -> None:
        self.wanted = wanted
        for _ in range(wanted - self.replicas - len(self._starting)):
            self._starting.append(second + self._model.start_s)
        while self._starting and self.replicas + len(self._starting) > wanted:
            self._starting.pop()
        for _ in range(self.replicas - wanted):
            self.replicas -= 1
            self._draining.append(second + self._model.drain_s)


class _Line:
    """Straight lines between points, from a table that is fine enough."""

    STEPS_PER_UNIT = 20

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        steps = range(int(points[-1][0] * self.STEPS_PER_UNIT) + 2)
        self._values = [_between(points, step / self.STEPS_PER_UNIT) for step in steps]

    def at(self, x: float) -> float:
        return self._values[min(len(self._values) - 1, round(x * self.STEPS_PER_UNIT))]


def _between(points: Sequence[tuple[float, float]], x: float) -> float:
    right = bisect_right(points, x, key=lambda point: point[0])
    if right == len(points):
        return points[-1][1]
    (x0, y0), (x1, y1) = points[right - 1], points[right]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
