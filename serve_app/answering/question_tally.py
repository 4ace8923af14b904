"""Counts what is asked, off the customer's path: the record hears of it in lots."""

from __future__ import annotations

import asyncio
import logging

from serve_app.answering.work import Draft, Work
from serve_app.domain.errors import StoreFailed
from serve_app.domain.question_log import Asked, asked_of, counted_again
from serve_app.ports import Clock, QuestionLog

logger = logging.getLogger(__name__)

# Different questions between two lots. Those beyond are not counted: the head is there anyway.
WAITING_MAX = 2000


class QuestionTally:
    """What is counted while the record is away is lost, and so is nothing but a count."""

    def __init__(self, log: QuestionLog, clock: Clock, every_s: float = 2.0) -> None:
        self._log = log
        self._clock = clock
        self._every_s = every_s
        self._waiting: dict[tuple[str, str], Asked] = {}

    def count(self, work: Work, draft: Draft) -> None:
        """Returns at once."""
        if draft.source == "agent":
            return
        asked = asked_of(
            work.ask,
            work.text,
            work.understood,
            from_client=work.session.from_client,
            tier=draft.tier,
            sources=draft.sources,
            at=self._clock.now(),
        )
        if asked is None:
            return
        key = (asked.tenant, asked.id)
        known = self._waiting.get(key)
        if known is not None or len(self._waiting) < WAITING_MAX:
            self._waiting[key] = counted_again(known, asked) if known else asked

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            await self.flush()

    async def flush(self) -> None:
        """Returns when the record has what was counted, or cannot take it."""
        lot, self._waiting = self._waiting, {}
        try:
            await self._log.add(list(lot.values()))
        except StoreFailed as error:
            logger.warning("%d questions were not counted: %s", len(lot), error)
