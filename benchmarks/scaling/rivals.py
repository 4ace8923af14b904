"""What the policy is compared with: Ray Serve's default, a constant number, and one who knows the future."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray.serve.autoscaling_policy import _apply_delay_logic, _apply_scaling_factors
from ray.serve.config import AutoscalingConfig
from scipy.ndimage import grey_closing, maximum_filter1d
from scipy.signal import lfilter

from serve_app.domain.scaling import Scaling, Signals
from serve_app.domain.scaling_policy import Occasion
from serve_app.scaling_simulation import RATE_S, ReplicaModel, Scaler, Trace

# ray.serve._private.constants: how often a handle records and pushes its number of requests (look back 30 s, factor 0.2).
RECORD_S = 6
PUSH_S = 10
# A rate that is averaged shows a jump late: the oracle's replicas answer that much earlier.
SETTLE_S = 15


def constant(replicas: int) -> Scaler:
    return lambda _, __: Scaling(replicas, "hold")


class RayDefault:
    """Ray Serve 2.60's default policy, by its own functions.

    A handle records the requests that run and wait every 6 s and pushes the last 30 s of them every 10 s; the controller takes
    their mean over time, the last value counting until now, divides it by `target_ongoing_requests`, and follows up after 30 s
    and down after 600 s. The controller decides ten times a second, here once a step.
    """

    def __init__(self, target_ongoing_requests: float, least: int, most: int, floors: dict[int, int] | None = None) -> None:
        """`floors`: from which second on which `min_replicas` holds."""
        self._config = AutoscalingConfig(min_replicas=least, max_replicas=most, target_ongoing_requests=target_ongoing_requests)
        self._target = target_ongoing_requests
        self._floors = floors or {}
        self._floor = least
        self._recorded: deque[tuple[int, float]] = deque()
        self._next_push = 0
        self._pushed: tuple[tuple[int, float], ...] = ()
        self._state: dict[str, Any] = {}

    def __call__(self, second: int, signals: Signals) -> Scaling:
        self._floor = self._floors.get(second, self._floor)
        self._record(second, signals.running + signals.waiting)
        desired = self._mean(second) / self._target if signals.replicas else signals.wanted
        scaled = _apply_scaling_factors(desired, signals.replicas, self._config)
        wanted, self._state = _apply_delay_logic(max(0, scaled), signals.wanted, self._config, self._state, _now=float(second))
        return Scaling(int(max(self._floor, min(self._config.max_replicas, wanted))), "load")

    def _record(self, second: int, ongoing: float) -> None:
        if not self._recorded or second - self._recorded[-1][0] >= RECORD_S:
            self._recorded.append((second, ongoing))
        while self._recorded and self._recorded[0][0] < second - self._config.look_back_period_s:
            self._recorded.popleft()
        if second >= self._next_push:
            self._pushed, self._next_push = tuple(self._recorded), second + PUSH_S

    def _mean(self, second: int) -> float:
        ends = (*(at for at, _ in self._pushed[1:]), second)
        total = sum(ongoing * (end - at) for (at, ongoing), end in zip(self._pushed, ends, strict=True))
        length_s = second - self._pushed[0][0]
        return total / length_s if length_s > 0 else self._pushed[-1][1]


def floors(calendar: tuple[Occasion, ...], trace: Trace, start_s: int, least: int) -> dict[int, int]:
    """`min_replicas` set by hand, at the calendar's instants: for whoever runs Ray's default through a campaign."""
    changes: dict[int, int] = {}
    for occasion in sorted(calendar, key=lambda occasion: occasion.starts):
        begins = int((occasion.starts - trace.starts).total_seconds()) - start_s
        before = max((floor for at, floor in changes.items() if at == begins + start_s), default=0)
        changes[begins] = max(occasion.min, before)
        changes[int((occasion.ends - trace.starts).total_seconds())] = least
    return changes


def oracle(trace: Trace, model: ReplicaModel, ttft_ms: float, least: int) -> Scaler:
    """The least replicas that keep every second within `ttft_ms`, started in time.

    One that would be away for less than it takes to start and drain is kept, which is cheaper.
    """
    each = most_per_replica(model, ttft_ms)
    needed = np.maximum(least, np.ceil(_rates(trace) / each)).astype(int)
    kept = grey_closing(needed, size=(model.start_s + model.drain_s) // trace.step_s)
    ahead = (model.start_s + SETTLE_S) // trace.step_s
    wanted: list[int] = np.asarray(maximum_filter1d(kept, size=ahead, origin=-(ahead // 2)), dtype=int).tolist()
    return lambda second, _: Scaling(wanted[second // trace.step_s], "load")


def most_per_replica(model: ReplicaModel, ttft_ms: float) -> float:
    """Answers/s that each of several replicas may get on average."""
    for (x0, y0), (x1, y1) in pairwise(model.ttft_ms):
        if y0 <= ttft_ms <= y1:
            busiest = min(model.answers_per_s, x0 + (x1 - x0) * (ttft_ms - y0) / (y1 - y0))
            # The model's table has steps of a twentieth.
            return (busiest - 0.05) / model.busiest_over_mean
    raise ValueError(f"the model says nothing of {ttft_ms} ms")


def _rates(trace: Trace) -> NDArray[np.float64]:
    """Arrivals at the model, as the simulation averages them."""
    arrivals = np.asarray(trace.questions_per_s) * (1.0 - np.asarray(trace.hit_rate))
    share = min(1.0, trace.step_s / RATE_S)
    return np.asarray(lfilter([share], [1.0, share - 1.0], arrivals), dtype=np.float64)
