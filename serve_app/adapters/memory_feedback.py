"""Feedback in this process's memory: a fake for tests, under the same contract tests as SQL."""

from __future__ import annotations

from collections.abc import Sequence

from serve_app.domain.feedback import Feedback


class MemoryRatings:
    """The port `Ratings`."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], Feedback] = {}

    async def keep(self, tenant: str, feedback: Feedback) -> None:
        self._kept[tenant, feedback.about, feedback.subject] = feedback

    async def latest(self, tenant: str, limit: int) -> Sequence[Feedback]:
        found = [feedback for (owner, _, _), feedback in self._kept.items() if owner == tenant]
        return sorted(found, key=lambda feedback: feedback.given_at, reverse=True)[:limit]
