"""When requests come: a Poisson process, or a bursty one with gamma gaps."""

from __future__ import annotations

import random

# Below this variation gaps are taken for equal.
_CLOCK = 0.01


def arrivals(count: int, per_s: float, seed: int, cv: float = 1.0) -> list[float]:
    """Seconds from the start at which `count` requests come, `per_s` a second on average.

    `cv` is the gaps' coefficient of variation: 1 is Poisson, 2 comes in bursts, 0 is a clock. Gaps are gamma with a shape of
    cv**-2.
    """
    if count < 0 or per_s <= 0 or cv < 0:
        raise ValueError("arrivals need a count of at least 0, a rate above 0 and a variation of at least 0")
    dice, at, found = random.Random(seed), 0.0, list[float]()
    for _ in range(count):
        at += dice.gammavariate(cv**-2, cv**2 / per_s) if cv > _CLOCK else 1 / per_s
        found.append(at)
    return found
