"""Percentiles, always with how many values they are of."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypedDict

# A quantile is told from so many values on: fewer hold none beyond it.
_VALUES_OF = {"p50": 1, "p90": 10, "p99": 100}


class Spread(TypedDict):
    n: int
    p50: float | None  # None: of too few values
    p90: float | None
    p99: float | None


def quantile(values: Iterable[float], share: float) -> float:
    """The smallest value that a `share` of them does not exceed. Infinity of none: what never came took forever."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf


def spread(values: Iterable[float], digits: int = 1) -> Spread:
    ordered = sorted(values)

    def told(name: str) -> float | None:
        return round(quantile(ordered, int(name[1:]) / 100), digits) if len(ordered) >= _VALUES_OF[name] else None

    return Spread(n=len(ordered), p50=told("p50"), p90=told("p90"), p99=told("p99"))


def spread_ms(seconds: Iterable[float]) -> Spread:
    """Of seconds, in milliseconds."""
    return spread(value * 1000 for value in seconds)


def difference(one: float | None, other: float | None) -> float | None:
    """None where either is."""
    return None if one is None or other is None else round(one - other, 1)
