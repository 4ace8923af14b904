"""When which conversation asks what: made beforehand, so that every arm is asked the same at the same instants."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.gpu_run.visits import Turn
from benchmarks.load.arrivals import arrivals_within

TURNS_MEAN = 4.0
THINK_MEDIAN_S, THINK_SIGMA = 20.0, 0.8


@dataclass(frozen=True, slots=True)
class Conversation:
    """One that goes on: `turns` are those that were had."""

    name: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a conversation that stays as it is: two of them are two branches of it."""

    due_s: float
    conversation: int
    question: str


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation from its first question on. Each pause is the customer's, before the question of the same number + 1."""

    name: str
    begins_s: float
    questions: tuple[str, ...]
    thinks_s: tuple[float, ...]


def branches(rate: float, seconds: float, conversations: int, questions: Iterator[str], seed: int) -> list[Asked]:
    """Random conversations at random instants."""
    dice = random.Random(seed + 1)
    return [Asked(at, dice.randrange(conversations), next(questions)) for at in arrivals_within(seconds, rate, seed)]


def sessions(rate: float, seconds: float, think_scale: float, questions: Iterator[str], seed: int) -> list[Session]:
    """`rate` questions a second on average once sessions of every age are there: begin measuring after a few times to think."""
    dice, found = random.Random(seed + 1), list[Session]()
    for number, at in enumerate(arrivals_within(seconds, rate / TURNS_MEAN, seed)):
        turns = _geometric(dice, TURNS_MEAN)
        asked = tuple(next(questions) for _ in range(turns))
        thinks = tuple(dice.lognormvariate(math.log(THINK_MEDIAN_S), THINK_SIGMA) * think_scale for _ in range(turns - 1))
        found.append(Session(f"s{seed}-{number}", at, asked, thinks))
    return found


def _geometric(dice: random.Random, mean: float) -> int:
    """From 1."""
    return 1 + int(math.log(1 - dice.random()) / math.log(1 - 1 / mean))
