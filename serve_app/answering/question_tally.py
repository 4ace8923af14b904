"""Counts what is asked, off the customer's path: the record hears of it in lots."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime

from serve_app.answering.work import Draft, Work
from serve_app.domain.errors import StoreFailed
from serve_app.domain.knowledge import SourceVersion
from serve_app.domain.messages import Tier
from serve_app.domain.question_log import Asked, asked_of, counted_as
from serve_app.ports import Clock, QuestionLog

logger = logging.getLogger(__name__)

# Different questions between two lots. Those beyond are not counted: the head is there anyway.
WAITING_MAX = 2000


@dataclass(slots=True)
class _Count:
    """`first`: the question as it was asked first since the last lot, None when it must not be kept."""

    first: Asked | None
    times: int
    tier: Tier
    sources: tuple[SourceVersion, ...]
    at: datetime

    def all(self) -> Asked | None:
        if self.first is None:
            return None
        ids = tuple(dict.fromkeys(source.id for source in self.sources))
        return replace(self.first, count=self.times, last_at=self.at, tier=self.tier, sources=ids)


class QuestionTally:
    """What is counted while the record is away is lost, and so is nothing but a count."""

    def __init__(self, log: QuestionLog, clock: Clock, every_s: float = 2.0) -> None:
        self._log = log
        self._clock = clock
        self._every_s = every_s
        self._waiting: dict[tuple[str, str, str], _Count] = {}

    def count(self, work: Work, draft: Draft) -> None:
        """Returns at once: a question that was asked since the last lot takes a microsecond or two."""
        understood = work.understood
        canonical = counted_as(work.ask, understood, from_client=work.session.from_client)
        if canonical is None or draft.source == "agent":
            return
        now = self._clock.now()
        key = (work.ask.caller.tenant, understood.language, canonical)
        known = self._waiting.get(key)
        if known is not None:
            known.times, known.tier, known.at = known.times + 1, draft.tier, now
            known.sources = draft.sources or known.sources
        elif len(self._waiting) < WAITING_MAX:
            asked = asked_of(work.ask, work.text, understood, canonical, draft.tier, draft.sources, now)
            self._waiting[key] = _Count(asked, 1, draft.tier, draft.sources, now)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            await self.flush()

    async def flush(self) -> None:
        """Returns when the record has what was counted, or cannot take it."""
        lot, self._waiting = self._waiting, {}
        try:
            await self._log.add([asked for counted in lot.values() if (asked := counted.all()) is not None])
        except StoreFailed as error:
            logger.warning("%d questions were not counted: %s", len(lot), error)
