"""A customer's facts, fetched when the chat opens: the question that follows finds them here."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass

from serve_app.domain.errors import InternalError
from serve_app.domain.facts import Facts
from serve_app.domain.sources import PARTS
from serve_app.ports import Clock, ContextRoom, FactsQuery

logger = logging.getLogger(__name__)

# Customers whose facts are held at a time, some kilobytes each; beyond it the first to have come are asked for again.
CUSTOMERS_MAX = 2000


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float  # monotonic
    facts: asyncio.Task[Facts]


class FactsAhead:
    """The port `ContextRoom` around another one. What it gives is up to `kept_s` old, and says so (`Facts.as_of`).

    Only a chat's opening fetches ahead. What is asked for by name, and what was missing then, is asked of the room.
    """

    def __init__(self, room: ContextRoom, clock: Clock, kept_s: float, within_s: float) -> None:
        """`within_s` is what a fetch may take; with `kept_s` 0 nothing is fetched ahead."""
        self._room = room
        self._clock = clock
        self._kept_s = kept_s
        self._within_s = within_s
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()

    def opened(self, tenant: str, customer_id: str | None) -> None:
        """A chat of the customer has opened. Returns at once."""
        if customer_id is None or not self._kept_s or self._current(tenant, customer_id) is not None:
            return
        self._forget()
        query = FactsQuery(tenant, customer_id, self._clock.now(), self._within_s)
        fetching = asyncio.ensure_future(self._fetched(query))
        self._kept[tenant, customer_id] = _Kept(self._clock.monotonic() + self._kept_s, fetching)

    async def facts(self, query: FactsQuery) -> Facts:
        """As the port says. A fetch under way is waited for."""
        kept = self._current(query.tenant, query.customer_id)
        if kept is not None and not (query.order_ids or query.order_tails or query.tracking_nos):
            facts = await asyncio.shield(kept.facts)
            if frozenset(query.parts or PARTS).isdisjoint(facts.missing):
                return facts
        return await self._room.facts(query)

    async def aclose(self) -> None:
        """Ends what is under way."""
        under_way = [kept.facts for kept in self._kept.values() if not kept.facts.done()]
        self._kept.clear()
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)

    async def _fetched(self, query: FactsQuery) -> Facts:
        try:
            async with asyncio.timeout(query.within_s * 1.2):
                return await self._room.facts(query)
        except (TimeoutError, InternalError) as error:
            logger.info("no facts were fetched ahead: %r", error)
            return Facts(as_of=query.now, missing=PARTS)

    def _forget(self) -> None:
        """Those that are too old, and the oldest where there are too many. They stand in the order in which they end."""
        now = self._clock.monotonic()
        while self._kept and (len(self._kept) >= CUSTOMERS_MAX or next(iter(self._kept.values())).until <= now):
            self._kept.popitem(last=False)

    def _current(self, tenant: str, customer_id: str) -> _Kept | None:
        kept = self._kept.get((tenant, customer_id))
        if kept is None or kept.until > self._clock.monotonic():
            return kept
        del self._kept[tenant, customer_id]
        return None
