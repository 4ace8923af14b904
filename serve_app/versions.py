"""What this process knows of the published versions and of what is set aside, and since when.

An ingress may serve a shared answer only while this view is fresh: a heartbeat asks the record for its versions, and reads
more only where one of them grew.

What a publication changed is hidden at once, and shown when this process has made its own of it (its index, its prompts): so
that an old answer is gone within a heartbeat, however long the rest takes, and nothing else is passed by meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from serve_app.domain.errors import InternalError, StoreFailed
from serve_app.domain.sharing import VersionView
from serve_app.ports import Clock, KnowledgeRecord, SetAsides

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A tenant's counters, as the record last told them."""

    knowledge: int
    set_aside: int


class Versions:
    """A view per tenant, kept fresh by `run`."""

    def __init__(
        self,
        record: KnowledgeRecord,
        set_asides: SetAsides,
        tenants: Iterable[str],
        clock: Clock,
        heartbeat_s: float,
        changed: Callable[[str], Awaitable[None]],
    ) -> None:
        """`changed` is told a tenant's name at the first look and whenever its version grew; the view shows what is new when
        it has returned. One that raises StoreFailed is told again at the next heartbeat."""
        self._record = record
        self._set_asides = set_asides
        self._tenants = tuple(tenants)
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._changed = changed
        self._views: dict[str, VersionView] = {}
        self._seen: dict[str, _Seen] = {}
        self._newest: dict[str, Mapping[str, int]] = {}
        self._looking = asyncio.Lock()
        # The newest versions, of which this process has not made its own yet.
        self._wanted: dict[str, Mapping[str, int]] = {}
        self._making: dict[str, asyncio.Task[None]] = {}

    def view(self, tenant: str) -> VersionView | None:
        return self._views.get(tenant)

    async def refresh(self) -> None:
        """One heartbeat. The first one waits until the view shows all. Raises StoreFailed when the record does not answer."""
        async with self._looking:
            for tenant in self._tenants:
                await self._look(tenant)

    async def caught_up(self) -> None:
        """Waits until the views show all that was seen. For whoever has just published."""
        while making := [task for task in self._making.values() if not task.done()]:
            await asyncio.wait(making)

    async def run(self) -> None:
        """Beats until cancelled. While the record is away the views grow old, and stop being served by themselves."""
        try:
            next_at = self._clock.monotonic()
            while True:
                # From beginning to beginning: what a beat takes does not make the view older.
                now = self._clock.monotonic()
                next_at = min(max(next_at, now - self._heartbeat_s) + self._heartbeat_s, now + self._heartbeat_s)
                await asyncio.sleep(next_at - now)
                try:
                    await self.refresh()
                except StoreFailed as error:
                    logger.warning("the record does not answer, shared answers will be passed by: %s", error)
        finally:
            for task in self._making.values():
                task.cancel()

    async def _look(self, tenant: str) -> None:
        # Dated before the questions are put: the view is at least as fresh as it says.
        now = self._clock.monotonic()
        # Side by side: on a busy loop each question to the record takes many turns, and a late beat costs every hit.
        asked = self._record.version(tenant), self._set_asides.version(tenant)
        seen = _Seen(*await asyncio.gather(*asked))
        view, before = self._views.get(tenant), self._seen.get(tenant)
        if view is None:
            versions = self._newest[tenant] = await self._record.versions(tenant)
            # What of it is new since an answer was made, a process that starts cannot know.
            grown_at = self._clock.now()
            await self._changed(tenant)
        elif before is None or before.knowledge != seen.knowledge:
            newest = await self._record.versions(tenant)
            versions = {source: version for source, version in view.versions.items() if newest.get(source) == version}
            is_grown = not newest.items() <= self._newest[tenant].items()
            grown_at = self._clock.now() if is_grown else view.grown_at
            self._wanted[tenant] = self._newest[tenant] = newest
        else:
            versions, grown_at = view.versions, view.grown_at
        if view is None or before is None or before.set_aside != seen.set_aside:
            set_aside = await self._set_asides.not_said(tenant)
        else:
            set_aside = view.set_aside
        self._seen[tenant] = seen
        self._views[tenant] = VersionView(versions, now, seen.knowledge, set_aside, grown_at)
        making = self._making.get(tenant)
        if tenant in self._wanted and (making is None or making.done()):
            self._making[tenant] = asyncio.create_task(self._make_own(tenant))

    async def _make_own(self, tenant: str) -> None:
        """Shows the newest versions when `changed` has returned. What is seen meanwhile is made next, before anything shows."""
        while (newest := self._wanted.get(tenant)) is not None:
            try:
                await self._changed(tenant)
            except InternalError as error:
                logger.warning("tenant %s: what was published cannot be read yet, it stays hidden: %s", tenant, error)
                self._seen.pop(tenant, None)
                return
            if self._wanted[tenant] is newest:
                del self._wanted[tenant]
                self._views[tenant] = replace(self._views[tenant], versions=newest)
