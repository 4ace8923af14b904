"""What each tenant has published, in this process: its exact wordings and its templates, without vectors and without a hop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from serve_app.domain.knowledge import Entry, Found, Lookup
from serve_app.knowledge import KnowledgeIndex
from serve_app.ports import KnowledgeRecord


class Published:
    """An index per tenant. `renew` is called at the start and whenever something was published, before the view of the
    versions shows it: so what is published is warm before a process is ready."""

    def __init__(self, record: KnowledgeRecord) -> None:
        self._record = record
        self._indices: dict[str, KnowledgeIndex] = {}
        self._entries: dict[str, Mapping[str, Entry]] = {}

    def entries(self, tenant: str) -> Mapping[str, Entry]:
        """By id, as they were read last."""
        return self._entries.get(tenant, {})

    async def renew(self, tenant: str) -> None:
        """Raises StoreFailed."""
        entries, templates = await self._record.published(tenant)
        # Ten thousand entries take a while, and customers are answered meanwhile.
        self._indices[tenant] = await asyncio.to_thread(KnowledgeIndex, entries, templates, {}, 0.0, self._indices.get(tenant))
        self._entries[tenant] = {entry.id: entry for entry in entries}

    def exact(self, lookup: Lookup) -> Found | None:
        """The entry that has the question among its wordings, else a templated question's template, in microseconds."""
        index = self._indices.get(lookup.tenant)
        found = index.exact(lookup) if index is not None else None
        return replace(found, tier="memory") if found is not None else None
