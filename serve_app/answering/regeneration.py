"""What a flush may ask of the model: a bound on the questions that are generated anew at a time.

A publication hides every answer that used what it changed, and the most asked questions come again at once. Each of them is
one generation, whoever asks (the router joins them); of those, this process has so many under way at most. The others wait a
little for their turn, and by then the answer may be there; those for which there is no time are not put to the model.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from cachetools import LRUCache

# Of questions that were answered from a shared tier, so many are remembered; each takes about 100 bytes.
KNOWN_MAX = 100_000
# A customer waits so long for a turn, then gets what there is without the model.
WAIT_S = 3.0


class Regenerations:
    """The places of one process. `count` is told of each: `began`, `waited` (and got a place), `shed`.

    Only questions that a shared tier answered before need a place: new ones are what the model is there for.
    """

    def __init__(self, limit: int, count: Callable[[str], None], wait_s: float = WAIT_S) -> None:
        self._limit = limit
        self._count = count
        self._wait_s = wait_s
        self._known: LRUCache[str, None] = LRUCache(KNOWN_MAX)
        self._under_way: Counter[str] = Counter()
        self._freed = asyncio.Event()  # set when a place comes free, and then another one stands here

    def hit(self, question: str) -> None:
        """A shared tier answered it, here or, as the head of the question log tells a process that starts, elsewhere.
        `question`: its id (`domain.sharing.question_id`)."""
        self._known[question] = None

    async def enter(self, question: str | None, within_s: float) -> Place | None:
        """A place, which must be left; None when none came free in time. One question has one place, however many ask it."""
        if question is None or question not in self._known:
            return Place(self, None)
        if self._is_free(question):
            return self._take(question, "began")
        try:
            async with asyncio.timeout(min(within_s, self._wait_s)):
                while not self._is_free(question):
                    await self._freed.wait()
        except TimeoutError:
            self._count("shed")
            return None
        return self._take(question, "waited")

    def _is_free(self, question: str) -> bool:
        return question in self._under_way or len(self._under_way) < self._limit

    def _take(self, question: str, how: str) -> Place:
        self._under_way[question] += 1
        self._count(how)
        return Place(self, question, has_waited=how == "waited")

    def leave(self, question: str) -> None:
        """For `Place`."""
        self._under_way[question] -= 1
        if not self._under_way[question]:
            del self._under_way[question]
            self._freed.set()
            self._freed = asyncio.Event()


class Place:
    """One that asks. `has_waited`: what it waited for may have brought the answer."""

    def __init__(self, regenerations: Regenerations, question: str | None, *, has_waited: bool = False) -> None:
        self.has_waited = has_waited
        self._regenerations = regenerations
        self._question = question

    def leave(self) -> None:
        """Idempotent."""
        question, self._question = self._question, None
        if question is not None:
            self._regenerations.leave(question)
