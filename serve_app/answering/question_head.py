"""The head of what is asked, as the question log told last: for the counts, so a minute late is early enough."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from serve_app.domain.errors import StoreFailed
from serve_app.domain.question import Understanding
from serve_app.domain.question_log import asked_id
from serve_app.ports import QuestionLog

logger = logging.getLogger(__name__)

# Of a tenant, both languages together.
HEAD_MAX = 1000
READ_EVERY_S = 60.0


class QuestionHead:
    """The public questions that are asked most. Empty until it is read; while the record is away it is as it was."""

    def __init__(self, log: QuestionLog, tenants: Iterable[str]) -> None:
        self._log = log
        self._tenants = tuple(tenants)
        self._ids: dict[str, frozenset[str]] = {}

    def has(self, tenant: str, understood: Understanding) -> bool:
        if not understood.canonical:
            return False
        return asked_id(understood.kind, understood.language, understood.canonical) in self._ids.get(tenant, frozenset())

    async def refresh(self) -> None:
        try:
            for tenant in self._tenants:
                self._ids[tenant] = frozenset(asked.id for asked in await self._log.head(tenant, HEAD_MAX))
        except StoreFailed as error:
            logger.warning("the head of the question log is as it was: %s", error)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(READ_EVERY_S)
