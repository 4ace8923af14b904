"""What the shop has published, as one question sees it: this process's index, then the Cache room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from serve_app import tracing
from serve_app.answering.rooms import Rooms
from serve_app.answering.work import Work
from serve_app.domain.errors import StoreFailed
from serve_app.domain.knowledge import Found, Lookup, only_current
from serve_app.domain.messages import Ask
from serve_app.domain.question import Understanding
from serve_app.domain.sharing import VersionView
from serve_app.ports import Clock
from serve_app.published import Published

logger = logging.getLogger(__name__)

# How long a question waits for the record to say which versions hold, when the heartbeat is late.
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
        refresh: Callable[[], Awaitable[None]],
        clock: Clock,
        serve_stale_s: float,
    ) -> None:
        self._published = published
        self._rooms = rooms
        self._view = view
        self._refresh = refresh
        self._clock = clock
        self._serve_stale_s = serve_stale_s
        self._catching_up: asyncio.Task[None] | None = None
        self._in_vain: VersionView | None = None  # the view that could not be made fresh: the heartbeat will do it

    def publishes(self, ask: Ask, understood: Understanding) -> bool:
        """Whether an entry has the question among its wordings."""
        found = self._published.exact(self._lookup(ask, understood))
        return found is not None and found.entry is not None

    def at_hand(self, ask: Ask, understood: Understanding) -> Found | None:
        """The entry that has the question among its wordings, where that is sure now."""
        if not self._is_fresh(ask.caller.tenant):
            return None
        found = self._published.exact(self._lookup(ask, understood))
        return found if found is not None and found.entry is not None else None

    async def look_up(self, work: Work) -> Found:
        tenant = work.ask.caller.tenant
        lookup = self._lookup(work.ask, work.understood)
        with work.step("cache"):
            if not self._is_fresh(tenant) and not await self._catch_up(tenant):
                work.leave_out("knowledge")
                return await self._rooms.look_up(work, lookup)
            found = self._published.exact(lookup)
            if found is not None:
                return found
            found = await self._rooms.look_up(work, lookup)
            view = self._view(tenant)
            if view is None or only_current(found, view.versions) is found:
                return found
            # The room is a heartbeat ahead.
            await self._catch_up(tenant)
            view = self._view(tenant) or view
            current = only_current(found, view.versions)
            if current is not found:
                work.leave_out("knowledge")
            return current

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
            trace=tracing.outgoing(),
        )

    def _is_fresh(self, tenant: str) -> bool:
        view = self._view(tenant)
        return view is not None and view.is_fresh(self._clock.monotonic(), self._serve_stale_s)

    async def _catch_up(self, tenant: str) -> bool:
        """Whether the view is fresh now. Those who wait at the same time wait for one reading of the record."""
        view = self._view(tenant)
        if view is not None and view is self._in_vain:
            return False
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.ensure_future(self._read())
        await asyncio.wait({self._catching_up}, timeout=CATCH_UP_S)
        if self._is_fresh(tenant):
            return True
        self._in_vain = view
        return False

    async def _read(self) -> None:
        try:
            await self._refresh()
        except StoreFailed as error:
            logger.warning("the record does not say what is published: %s", error)
