"""Slices of two servers that ran one after the other."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def ratio_of_slices(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Median, least and largest ratio of slices that ran one after the other: what else the machine did fell on both."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)
