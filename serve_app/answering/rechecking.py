"""Looks again whether a shared answer would still be built from what it was built from.

What an answer used is checked at every read. What it would have used, had it been published then, only a search by meaning
tells: so an answer that is given again after something new was published is looked up once more, behind the customer's back,
and forgotten where the search finds something else. One look-up at a time, and a pause after each, so that a publication does
not fill the Cache room with the whole head; what is asked often comes first by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from datetime import datetime, timedelta

from cachetools import LRUCache

from serve_app.answering.shared_tier import SharedTier
from serve_app.answering.work import Work
from serve_app.domain.knowledge import Found
from serve_app.domain.sharing import SharedAnswer, VersionView
from serve_app.ports import Clock

PAUSE_S = 0.1
# What is new is found by its meaning when it is embedded: until so long after a publication a look may have been too early.
SETTLES = timedelta(seconds=60)
AGAIN = timedelta(seconds=5)
# Of so many answers a process knows when it looked.
KNOWN_MAX = 16384


class Rechecking:
    """For one process. `look_up` asks the library, `view` gives a tenant's published versions, and since when something is new
    among them."""

    def __init__(
        self,
        look_up: Callable[[Work], Awaitable[Found]],
        shared: SharedTier,
        view: Callable[[str], VersionView | None],
        clock: Clock,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._look_up = look_up
        self._shared = shared
        self._view = view
        self._clock = clock
        self._pause_s = pause_s
        self._looked_at: LRUCache[str, datetime] = LRUCache(KNOWN_MAX)
        self._looking: asyncio.Task[None] | None = None

    def hit(self, work: Work, answer: SharedAnswer) -> None:
        """`answer` is about to be given again, under `work.share_key`. Returns at once."""
        key = work.share_key
        if key is None or not self._is_due(work.ask.caller.tenant, key, answer):
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(copy(work), key, answer))

    async def settled(self) -> None:
        """Returns when no look-up is under way."""
        if self._looking is not None:
            await asyncio.wait([self._looking])

    async def aclose(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    def _is_due(self, tenant: str, key: str, answer: SharedAnswer) -> bool:
        view = self._view(tenant)
        if view is None or view.grown_at is None:
            return False
        looked_at = max(answer.created_at, self._looked_at.get(key, answer.created_at))
        return looked_at < view.grown_at + SETTLES and self._clock.now() >= min(looked_at + AGAIN, view.grown_at + SETTLES)

    async def _look(self, work: Work, key: str, answer: SharedAnswer) -> None:
        # It goes on while the answer is given, which is not degraded by what happens here.
        work.timings_ms, work.degraded = {}, []
        self._looked_at[key] = self._clock.now()
        found = await self._look_up(work)
        if not work.degraded and is_outdated(answer, found):
            self._shared.forget(key)
        await asyncio.sleep(self._pause_s)


def is_outdated(answer: SharedAnswer, found: Found) -> bool:
    """Whether the question, asked for the first time now, would be answered from something else."""
    if found.entry is not None:
        return found.entry.source not in answer.sources
    if answer.source == "faq":
        return True
    return any(passage.source not in answer.sources for passage in found.passages)
