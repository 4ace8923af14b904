"""What customers would be answered with if a draft, or what an earlier version held, were published now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from serve_app.domain.drafting import Unreadable
from serve_app.domain.errors import Conflict, NotFound
from serve_app.domain.expiry import earliest
from serve_app.domain.knowledge import Entry
from serve_app.domain.pregeneration import CannotMake
from serve_app.knowledge_editing import KnowledgeEditor


@dataclass(frozen=True, slots=True)
class Drafted:
    entries: Mapping[str, Entry]
    changed: frozenset[str]  # ids

    def changes_at(self, now: datetime) -> datetime | None:
        """When the first of the entries that the draft changes becomes valid: what is found may be another then."""
        return earliest(*(self._begins(key, now) for key in self.changed))

    def _begins(self, key: str, now: datetime) -> datetime | None:
        begins = self.entries[key].valid_from if key in self.entries else None
        return begins if begins is not None and begins > now else None


class Drafts:
    """Reading and checking ten thousand entries takes seconds, so the last one of a tenant is kept as it was read."""

    def __init__(self, editor: KnowledgeEditor) -> None:
        self._editor = editor
        self._read: dict[str, tuple[str, Drafted]] = {}
        self._reading = asyncio.Lock()

    async def of(self, tenant: str, revision: str) -> Drafted:
        """Raises CannotMake (it is not what would be published any more), StoreFailed."""
        async with self._reading:
            known = self._read.get(tenant)
            if known is None or known[0] != revision:
                known = self._read[tenant] = (revision, await self._make(tenant, revision))
            return known[1]

    async def _make(self, tenant: str, revision: str) -> Drafted:
        try:
            touched = await self._editor.touched(tenant, await self._editor.foreseen(tenant, revision))
        except (Conflict, NotFound) as error:
            raise CannotMake(error.message) from error
        except Unreadable as error:
            raise CannotMake(f"it cannot be published: {error}") from error
        return Drafted({entry.id: entry for entry in touched.served.entries}, touched.changed)
