"""Keeps the head of what is asked in a process's memory: over a publication, and over a start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from serve_app.answering.shared_tier import SharedTier
from serve_app.domain.errors import StoreFailed
from serve_app.domain.knowledge import Entry
from serve_app.domain.pregeneration import shared_answer
from serve_app.domain.question_log import Asked
from serve_app.domain.sharing import question_of
from serve_app.ports import Jobs, QuestionLog

logger = logging.getLogger(__name__)

# Of a tenant. What is asked more seldom may come from Redis.
HEAD_MAX = 1000
RENEWALS_MAX = 500
# A start waits no longer for its head.
WARM_MAX_S = 5.0
AT_ONCE = 32


class Warming:
    """`published` gives a tenant's entries by id as this process has just read them, `stamp` the digest under which its answers
    are shared; `known` is told the ids of the head's questions."""

    def __init__(
        self,
        jobs: Jobs,
        log: QuestionLog,
        shared: SharedTier,
        published: Callable[[str], Mapping[str, Entry]],
        stamp: Callable[[str], str],
        known: Callable[[str], None],
    ) -> None:
        self._jobs = jobs
        self._log = log
        self._shared = shared
        self._published = published
        self._stamp = stamp
        self._known = known

    async def adopt(self, tenant: str) -> None:
        """Takes what was made for a publication into memory, in the moment that this process hears of it. A renewal says by
        itself whether it is of what is published, so any may be offered at any time."""
        try:
            made = await self._jobs.list(tenant, ["renewal"], ["made"], RENEWALS_MAX)
        except StoreFailed as error:
            logger.warning("no renewed answers can be read: %s", error)
            return
        entries, stamp = self._published(tenant), self._stamp(tenant)
        adopted = 0
        for job in made:
            answer = shared_answer(job, entries, stamp)
            if answer is not None:
                self._shared.adopt(self._shared.key_of(tenant, job.language, job.canonical), answer)
                adopted += 1
        if adopted:
            logger.info("tenant %s: %d renewed answers", tenant, adopted)

    async def warm(self, tenants: Sequence[str]) -> None:
        """Reads the head's answers back from Redis. Returns when they are in memory, or after `WARM_MAX_S`; raises nothing."""
        try:
            async with asyncio.timeout(WARM_MAX_S):
                for tenant in tenants:
                    await self._warm(tenant, await self._log.head(tenant, HEAD_MAX))
        except (StoreFailed, TimeoutError) as error:
            logger.warning("the head's answers are not in memory yet: %r", error)

    async def _warm(self, tenant: str, head: Sequence[Asked]) -> None:
        keys = [self._shared.key_of(tenant, asked.language, asked.canonical) for asked in head]
        for key, asked in zip(keys, head, strict=True):
            if asked.tier != "none":
                self._known(question_of(key))
        for start in range(0, len(keys), AT_ONCE):
            await asyncio.gather(*(self._shared.anywhere(tenant, key) for key in keys[start : start + AT_ONCE]))
