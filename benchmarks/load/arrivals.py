"""When requests are sent: at random instants, whatever becomes of the replies."""

from __future__ import annotations

import random
from collections.abc import Callable

Draw = Callable[[random.Random], float]


def poisson(rate: float) -> Draw:
    """Seconds until the next request, at `rate` requests a second on average."""
    return lambda dice: dice.expovariate(rate)


def bursty(rate: float, shape: float = 0.25) -> Draw:
    """The same on average, in bursts: gamma-distributed, with a variance of 1 / `shape` times that of `poisson`."""
    return lambda dice: dice.gammavariate(shape, 1 / (rate * shape))


def instants(draw: Draw, seconds: float, seed: int) -> list[float]:
    """Seconds from the start, ascending, before `seconds`."""
    dice, at, found = random.Random(seed), 0.0, list[float]()
    while (at := at + draw(dice)) < seconds:
        found.append(at)
    return found
