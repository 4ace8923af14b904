"""Figures of samples, each with how many there were."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

# A quantile is told from so many samples on: fewer hold none beyond it.
SAMPLES_OF = {0.5: 1, 0.9: 10, 0.99: 100}


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that a `share` of them does not exceed; None where they are too few to tell."""
    if len(values) < SAMPLES_OF.get(share, 1) or not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread_ms(seconds: Sequence[float]) -> dict[str, float | int | None]:
    """n, and quantiles in milliseconds."""
    found: dict[str, float | int | None] = {"n": len(seconds)}
    for share in SAMPLES_OF:
        value = quantile(seconds, share)
        found[f"p{share * 100:g}"] = None if value is None else round(value * 1000, 1)
    return found


def ratio_of_slices(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Median, least and largest ratio of slices that ran one after the other: what else the machine did fell on both."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)


def difference(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else round(one - other, 1)
