"""A day of a shop, from 18:00 to 18:00: when each customer asks what. Drawn once, from a seed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate, count
from random import Random

from benchmarks.replay.publications import BEGINS, MIDNIGHT
from benchmarks.replay.questions import OWN, SHARES, Pools, Question, Sort
from benchmarks.scaling.fortnight import WORKDAY
from serve_app.domain.messages import Language

DAY_S = 86_400.0
TURNS = 4  # of a conversation, on average
THINKING_S = 40.0  # from an answer to the next question, on average
THINKING_MIN_S = 6.0
ANONYMOUS = 0.2  # of the conversations
# The first half hour of the campaign: so many times the usual questions, and so many of them about it.
RUSH_S, RUSH_TIMES, RUSH_SHARE = 1800.0, 4.0, 0.25
CAMPAIGN_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Conversation:
    """`customer` counts from 1; None: nobody knows who it is. `begins_s` and `pauses_s` are seconds, of the day and before each
    question but the first."""

    number: int
    begins_s: float
    customer: int | None
    language: Language
    questions: tuple[Question, ...]
    pauses_s: tuple[float, ...]


def conversations(pools: Pools, languages: Sequence[Language], questions: int, seed: int = 5) -> Iterator[Conversation]:
    """Conversations that come to `questions` questions, in no order. `languages`: of each customer."""
    rng = Random(seed)
    starts = _Starts(rng)
    left = questions
    for number in count():
        if left <= 0:
            return
        turns = min(left, _geometric(rng))
        left -= turns
        yield _conversation(number, turns, starts.draw(), pools, languages, rng)


def _conversation(
    number: int, turns: int, begins_s: float, pools: Pools, languages: Sequence[Language], rng: Random
) -> Conversation:
    at = rng.randrange(len(languages))
    customer = None if rng.random() < ANONYMOUS else at + 1
    pauses = tuple(THINKING_MIN_S + rng.expovariate(1 / (THINKING_S - THINKING_MIN_S)) for _ in range(turns - 1))
    asked: list[Question] = []
    now_s = begins_s
    for turn in range(turns):
        now_s += pauses[turn - 1] if turn else 0.0
        asked.append(_question(now_s, customer is None, turn == 0, languages[at], pools, rng))
    return Conversation(number, begins_s, customer, languages[at], tuple(asked), pauses)


def _question(now_s: float, anonymous: bool, is_first: bool, language: Language, pools: Pools, rng: Random) -> Question:
    midnight_s = (MIDNIGHT - BEGINS).total_seconds()
    rushes = midnight_s <= now_s < midnight_s + RUSH_S
    if rng.random() < (RUSH_SHARE if rushes else CAMPAIGN_SHARE):
        return pools.draw_campaign(language, rng)
    while True:
        sort: Sort = rng.choices(list(SHARES), list(SHARES.values()))[0]
        if not (is_first and sort == "follow") and not (anonymous and sort in OWN):
            return pools.draw(sort, language, rng)


def _geometric(rng: Random) -> int:
    turns = 1
    while rng.random() > 1 / TURNS:
        turns += 1
    return turns


class _Starts:
    """Instants of the day, as often as a workday's curve and the campaign's rush say; minute by minute."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        first_hour = BEGINS.hour
        midnight_s = (MIDNIGHT - BEGINS).total_seconds()
        weights: list[float] = []
        for minute in range(int(DAY_S) // 60):
            hour = first_hour + minute / 60
            low, share = int(hour), hour % 1
            usual = WORKDAY[low % 24] * (1 - share) + WORKDAY[(low + 1) % 24] * share
            rushes = midnight_s <= minute * 60 < midnight_s + RUSH_S
            weights.append(usual * (RUSH_TIMES if rushes else 1.0))
        self._sums = list(accumulate(weights))

    def draw(self) -> float:
        minute = bisect_left(self._sums, self._rng.random() * self._sums[-1])
        return (minute + self._rng.random()) * 60


def at(seconds: float) -> timedelta:
    """Microseconds are as fine as a clock of ours is."""
    return timedelta(microseconds=round(seconds * 1e6))
