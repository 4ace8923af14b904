"""The highest load under which an objective is met: up a staircase of rates, then halving the step between yes and no."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Knee:
    """`met`: the highest rate at which the objective was met; 0 where there was none. `missed`: the lowest rate above it at
    which it was not; None where none was tried. `crossing`: where the line between the two crosses the objective, in the
    logarithm of the figure: it tells two knees apart that lie within one step."""

    met: float
    missed: float | None
    crossing: float


def knee(rates: Sequence[float], halvings: int, objective: float, measure: Callable[[float], float]) -> Knee:
    """`measure` gives the figure that must not exceed the `objective` at a rate; infinity where answers failed.

    Ends at the first rate of the staircase that misses, then halves the step below it so often.
    """
    figures: dict[float, float] = {}
    met, missed = 0.0, None
    for rate in sorted(rates):
        figures[rate] = measure(rate)
        if figures[rate] > objective:
            missed = rate
            break
        met = rate
    if missed is not None and met:
        for _ in range(halvings):
            middle = (met + missed) / 2
            figures[middle] = measure(middle)
            met, missed = (met, middle) if figures[middle] > objective else (middle, missed)
    return Knee(met, missed, _crossing(figures, met, missed, objective))


def _crossing(figures: Mapping[float, float], met: float, missed: float | None, objective: float) -> float:
    if missed is None or not met or math.isinf(figures[missed]) or figures[met] <= 0:
        return met
    low, high, wanted = math.log(figures[met]), math.log(figures[missed]), math.log(objective)
    return met + (missed - met) * (wanted - low) / (high - low)
