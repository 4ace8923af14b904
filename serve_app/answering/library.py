"""What the shop has published, as one question sees it: this process's index, then the Cache room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from serve_app import tracing
from serve_app.answering.rooms import Rooms
from serve_app.answering.work import Work
from serve_app.domain.errors import StoreFailed
from serve_app.domain.knowledge import Found, Lookup, is_current, only_current
from serve_app.domain.messages import Ask
from serve_app.domain.question import Understanding
from serve_app.domain.sharing import VersionView
from serve_app.ports import Clock
from serve_app.published import Published

logger = logging.getLogger(__name__)

# How long a question waits for what a publication has just changed, or for the record when its heartbeat is late.
CATCH_UP_S = 0.5


class Library:
    """Says nothing that is not of the versions that this process's view shows.

    While the record is away, its heartbeat with it, memory is passed by; the Cache room goes on with what it last read, and the
    answers say that they are degraded, so that none of them is shared.
    """

    def __init__(
        self,
        published: Published,
        rooms: Rooms,
        view: Callable[[str], VersionView | None],
        catch_up: Callable[[], Awaitable[None]],
        clock: Clock,
        serve_stale_s: float,
    ) -> None:
        """`catch_up` returns when the view shows all that is published, and raises StoreFailed."""
        self._published = published
        self._rooms = rooms
        self._view = view
        self._catch_up = catch_up
        self._clock = clock
        self._serve_stale_s = serve_stale_s
        self._catching_up: asyncio.Task[None] | None = None
        self._in_vain: VersionView | None = None  # the view that could not be made fresh: the heartbeat will do it

    def publishes(self, ask: Ask, understood: Understanding) -> bool:
        """Whether an entry has the question among its wordings."""
        found = self._published.exact(self._lookup(ask, understood))
        return found is not None and found.entry is not None and self._is_shown(ask.caller.tenant, found)

    def at_hand(self, ask: Ask, understood: Understanding) -> Found | None:
        """The entry that has the question among its wordings, where that is sure now."""
        tenant = ask.caller.tenant
        if not self._is_fresh(tenant):
            return None
        found = self._published.exact(self._lookup(ask, understood))
        return found if found is not None and found.entry is not None and self._is_shown(tenant, found) else None

    async def look_up(self, work: Work) -> Found:
        with work.step("cache"):
            return await self._look_up(work)

    async def _look_up(self, work: Work) -> Found:
        tenant = work.ask.caller.tenant
        if not self._is_fresh(tenant):
            await self._caught_up(tenant)
        lookup = self._lookup(work.ask, work.understood)
        if not self._is_fresh(tenant):
            work.leave_out("knowledge")
            return await self._asked(work, lookup)
        found = self._published.exact(lookup)
        if found is not None and not self._is_shown(tenant, found):
            await self._caught_up(tenant)
            found = self._published.exact(lookup)
        if found is not None and self._is_shown(tenant, found):
            return found
        found = await self._asked(work, lookup)
        if self._is_shown(tenant, found):
            return found
        await self._caught_up(tenant)
        return self._shown(work, found)

    async def _asked(self, work: Work, lookup: Lookup) -> Found:
        found = await self._rooms.look_up(work, replace(lookup, set_aside=work.set_aside, trace=tracing.outgoing()))
        work.gates = found.refused
        if found.partial:
            work.leave_out("knowledge")
        return found

    def _lookup(self, ask: Ask, understood: Understanding) -> Lookup:
        view = self._view(ask.caller.tenant)
        return Lookup(
            tenant=ask.caller.tenant,
            canonical=understood.canonical,
            text=understood.text,
            intent=understood.intent,
            kind=understood.kind,
            language=understood.language,
            now=self._clock.now(),
            settled=understood.settled,
            at_least=(view.knowledge_version or 0) if view is not None else 0,
        )

    def _is_shown(self, tenant: str, found: Found) -> bool:
        view = self._view(tenant)
        return view is not None and is_current(found, view.versions)

    def _shown(self, work: Work, found: Found) -> Found:
        """What of it the view shows."""
        if self._is_shown(work.ask.caller.tenant, found):
            return found
        work.leave_out("knowledge")
        view = self._view(work.ask.caller.tenant)
        return only_current(found, view.versions if view is not None else {})

    def _is_fresh(self, tenant: str) -> bool:
        view = self._view(tenant)
        return view is not None and view.is_fresh(self._clock.monotonic(), self._serve_stale_s)

    async def _caught_up(self, tenant: str) -> None:
        """Those who wait at the same time wait for one reading of the record; where it was in vain, nobody waits again."""
        view = self._view(tenant)
        if view is not None and view is self._in_vain:
            return
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.ensure_future(self._read())
        await asyncio.wait({self._catching_up}, timeout=CATCH_UP_S)
        if not self._is_fresh(tenant):
            self._in_vain = self._view(tenant)

    async def _read(self) -> None:
        try:
            await self._catch_up()
        except StoreFailed as error:
            logger.warning("the record does not say what is published: %s", error)
