"""What this process knows of the published versions, and since when.

An ingress may serve a shared answer only while this view is fresh: a heartbeat asks the record for its version, and reads
the versions of the sources again when it grew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from serve_app.domain.errors import StoreFailed
from serve_app.domain.sharing import VersionView
from serve_app.ports import Clock, KnowledgeRecord

logger = logging.getLogger(__name__)


class Versions:
    """A view per tenant, kept fresh by `run`."""

    def __init__(
        self,
        record: KnowledgeRecord,
        tenants: Iterable[str],
        clock: Clock,
        heartbeat_s: float,
        changed: Callable[[str], Awaitable[None]],
    ) -> None:
        """`changed` is told a tenant's name at the first look and whenever its version grew, before the view shows it."""
        self._record = record
        self._tenants = tuple(tenants)
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._changed = changed
        self._views: dict[str, VersionView] = {}
        self._seen: dict[str, int] = {}

    def view(self, tenant: str) -> VersionView | None:
        return self._views.get(tenant)

    async def refresh(self) -> None:
        """One heartbeat. Raises StoreFailed when the record does not answer."""
        for tenant in self._tenants:
            now = self._clock.monotonic()
            version = await self._record.version(tenant)
            view = self._views.get(tenant)
            if view is None or self._seen.get(tenant) != version:
                versions = await self._record.versions(tenant)
                await self._changed(tenant)
            else:
                versions = view.versions
            self._seen[tenant] = version
            # Dated before the question was put: the view is at least as fresh as it says.
            self._views[tenant] = VersionView(versions=versions, seen_at=now, knowledge_version=version)

    async def run(self) -> None:
        """Beats until cancelled. While the record is away the views grow old, and stop being served by themselves."""
        while True:
            await asyncio.sleep(self._heartbeat_s)
            try:
                await self.refresh()
            except StoreFailed as error:
                logger.warning("the record does not answer, shared answers will be passed by: %s", error)
