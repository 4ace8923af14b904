"""How often what is asked, in this process's memory: a fake for tests, under the same contract tests as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from serve_app.domain.messages import Kind, Language
from serve_app.domain.question_log import LOGGED_MAX, Asked, counted_again, headed

_SLACK = 1.1


class MemoryQuestionLog:
    """The port `QuestionLog`."""

    def __init__(self, most: int = LOGGED_MAX) -> None:
        self._most = most
        self._kept: dict[str, dict[str, Asked]] = {}

    async def add(self, asked: Sequence[Asked]) -> None:
        for one in asked:
            kept = self._kept.setdefault(one.tenant, {})
            known = kept.get(one.id)
            kept[one.id] = counted_again(known, one) if known else one
        for tenant in {one.tenant for one in asked}:
            kept = self._kept[tenant]
            if len(kept) > self._most * _SLACK:
                self._kept[tenant] = {
                    one.id: replace(one, count=(one.count + 1) // 2) for one in headed(kept.values())[: self._most]
                }

    async def head(
        self, tenant: str, limit: int, kind: Kind = Kind.PUBLIC, language: Language | None = None
    ) -> Sequence[Asked]:
        kept = self._kept.get(tenant, {}).values()
        return headed(one for one in kept if one.kind is kind and language in (None, one.language))[:limit]
