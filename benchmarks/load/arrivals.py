"""When requests are sent: at random instants, whatever becomes of the replies."""

from __future__ import annotations

import random
from itertools import accumulate

# Below this variation gaps are taken for equal.
_CLOCK = 0.01


def arrivals_within(seconds: float, per_s: float, seed: int) -> list[float]:
    """A Poisson process that happens to have its mean number in `seconds`, so that a short stretch has the rate it is named by:
    given their number, its instants are uniform (Kingman, Poisson Processes, 1993, section 2.4)."""
    dice = random.Random(seed)
    return sorted(dice.uniform(0.0, seconds) for _ in range(round(per_s * seconds)))


def arrivals(count: int, per_s: float, seed: int, cv: float = 1.0) -> list[float]:
    """Seconds from the start at which `count` requests come, ascending, `per_s` a second on average.

    `cv` is the gaps' coefficient of variation: 1 is Poisson, 2 comes in bursts, 0 is a clock. Gaps are gamma with a shape of
    cv**-2.
    """
    if count < 0 or per_s <= 0 or cv < 0:
        raise ValueError("arrivals need a count of at least 0, a rate above 0 and a variation of at least 0")
    dice = random.Random(seed)
    return list(accumulate(dice.gammavariate(cv**-2, cv**2 / per_s) if cv > _CLOCK else 1 / per_s for _ in range(count)))
