"""A customer's facts, fetched when the chat opens: its first questions find them here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from serve_app.domain.errors import InternalError, ZeroWaitError
from serve_app.domain.facts import Facts
from serve_app.domain.sources import PARTS
from serve_app.ports import Clock, ContextRoom, FactsQuery

logger = logging.getLogger(__name__)

# Beyond it a chat's opening fetches nothing: the shop's systems are for the questions first.
UNDER_WAY_MAX = 32


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    facts: Facts
    until: float  # monotonic


class FactsAhead:
    """The port `ContextRoom` around another one. What it gives is up to `kept_s` old.

    Only a chat's opening fetches ahead, and no question waits for that. What is asked for by name, what was missing then, and
    all that follows a question of the same customer that was asked of the room, is asked of the room: facts never go back.
    """

    def __init__(
        self, room: ContextRoom, clock: Clock, kept_s: float, within_s: float, declared: Mapping[str, frozenset[str]]
    ) -> None:
        """`within_s` is what a fetch may take; with `kept_s` 0 nothing is fetched ahead. `declared`: by tenant, the parts that
        have a source; the others are always missing."""
        self._room = room
        self._clock = clock
        self._kept_s = kept_s
        self._within_s = within_s
        self._declared = declared
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}

    def opened(self, tenant: str, customer_id: str | None) -> None:
        """A chat of the customer has opened. Returns at once."""
        if customer_id is None or not self._kept_s or len(self._under_way) >= UNDER_WAY_MAX:
            return
        who = (tenant, customer_id)
        if who not in self._under_way and who not in self._kept:
            self._under_way[who] = asyncio.ensure_future(self._fetch(*who))

    async def facts(self, query: FactsQuery) -> Facts:
        """As the port says."""
        who = (query.tenant, query.customer_id)
        kept = self._kept.get(who)
        if kept is not None and kept.until > self._clock.monotonic() and self._holds(kept.facts, query):
            return kept.facts
        try:
            return await self._room.facts(query)
        finally:
            self._forget(who)

    async def aclose(self) -> None:
        """Ends what is under way."""
        under_way = list(self._under_way.values())
        self._kept.clear()
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)

    async def _fetch(self, tenant: str, customer_id: str) -> None:
        who = (tenant, customer_id)
        try:
            async with asyncio.timeout(self._within_s * 1.2):
                facts = await self._room.facts(FactsQuery(tenant, customer_id, self._clock.now(), self._within_s))
        except (TimeoutError, InternalError, ZeroWaitError) as error:
            logger.info("no facts were fetched ahead: %r", error)
            return
        finally:
            wanted = self._under_way.pop(who, None) is not None
        if wanted:
            kept = self._kept[who] = _Kept(facts, self._clock.monotonic() + self._kept_s)
            asyncio.get_running_loop().call_later(self._kept_s, self._ended, who, kept)

    def _ended(self, who: tuple[str, str], kept: _Kept) -> None:
        if self._kept.get(who) is kept:
            del self._kept[who]

    def _forget(self, who: tuple[str, str]) -> None:
        """Also what is under way: it began before what the room has just said."""
        self._kept.pop(who, None)
        if (fetching := self._under_way.pop(who, None)) is not None:
            fetching.cancel()

    def _holds(self, facts: Facts, query: FactsQuery) -> bool:
        """Whether all that is asked for is there."""
        named = query.order_ids or query.order_tails or query.tracking_nos
        wanted = frozenset(query.parts or PARTS) & self._declared.get(query.tenant, frozenset(PARTS))
        return not named and wanted.isdisjoint(facts.missing)
