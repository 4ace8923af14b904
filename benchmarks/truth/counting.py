"""Shares with their intervals."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def interval(wrong: int, of: int) -> tuple[float, float]:
    """The 95 % interval of Clopper and Pearson (1934) for a share that was found `wrong` times `of` so many; (0, 1) of none."""
    if of == 0:
        return 0.0, 1.0
    beta: Any = import_module("scipy.stats").beta  # heavy, and without types of its own
    low = 0.0 if wrong == 0 else float(beta.ppf(0.025, wrong, of - wrong + 1))
    high = 1.0 if wrong == of else float(beta.ppf(0.975, wrong + 1, of - wrong))
    return low, high


def share(count: int, of: int) -> float:
    return round(count / of, 4) if of else 0.0


def hits(right: int, wrong: int, asked: int) -> dict[str, Any]:
    """Of `asked` questions."""
    low, high = interval(wrong, right + wrong)
    return {
        "hits": right + wrong,
        "hit_rate": share(right + wrong, asked),
        "wrong": wrong,
        "wrong_share": share(wrong, right + wrong),
        "wrong_interval": [round(low, 5), round(high, 5)],
    }
