"""The rooms as one question asks them: each within its own time; what fails there is left out and said so."""

from __future__ import annotations

import asyncio
import logging

from serve_app import tracing
from serve_app.answering.work import Work
from serve_app.config import DeadlineSettings
from serve_app.domain.errors import InternalError
from serve_app.domain.facts import Facts
from serve_app.domain.knowledge import Found, Lookup
from serve_app.domain.question import Entities
from serve_app.domain.sources import PARTS
from serve_app.ports import CacheRoom, Clock, ContextRoom, FactsQuery

logger = logging.getLogger(__name__)


class Rooms:
    """Cache and Context, neither of which can stop an answer."""

    def __init__(self, cache: CacheRoom, context: ContextRoom, clock: Clock, deadlines: DeadlineSettings) -> None:
        self._cache = cache
        self._context = context
        self._clock = clock
        self._deadlines = deadlines

    async def look_up(self, work: Work, lookup: Lookup) -> Found:
        try:
            async with asyncio.timeout(min(self._deadlines.cache_ms / 1000, work.left_s)):
                return await self._cache.look_up(lookup)
        except (TimeoutError, InternalError) as error:
            logger.warning("the knowledge is passed by: %r", error)
            work.leave_out("knowledge")
            return Found()

    async def facts(self, work: Work, entities: Entities, parts: frozenset[str] | None = None) -> Facts:
        """`parts` are those that are wanted; None: all. What is missing of them degrades the answer."""
        caller = work.ask.caller
        within_s = min(self._deadlines.facts_ms / 1000, work.left_s)
        with work.step("context"):
            query = FactsQuery(
                tenant=caller.tenant,
                customer_id=str(caller.customer_id),
                now=self._clock.now(),
                within_s=within_s,
                order_ids=entities.order_ids,
                order_tails=entities.order_tails,
                tracking_nos=entities.tracking_nos,
                parts=parts,
                trace=tracing.outgoing(),
            )
            try:
                async with asyncio.timeout(within_s * 1.2):
                    facts = await self._context.facts(query)
            except (TimeoutError, InternalError) as error:
                logger.warning("the facts are left out: %r", error)
                facts = Facts(as_of=query.now, missing=PARTS)
        work.leave_out(*(part for part in facts.missing if parts is None or part in parts))
        return facts
