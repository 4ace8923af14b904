"""Percentiles, always with how many values they are of."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypedDict


class Spread(TypedDict):
    n: int
    p50: float | None  # None: of no values
    p99: float | None


def quantile(values: Iterable[float], share: float) -> float:
    """By nearest rank. Infinity of none: what never came took forever."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf


def spread(values: Iterable[float], digits: int = 1) -> Spread:
    ordered = sorted(values)
    if not ordered:
        return Spread(n=0, p50=None, p99=None)
    return Spread(n=len(ordered), p50=round(quantile(ordered, 0.5), digits), p99=round(quantile(ordered, 0.99), digits))
