"""Exact answers that many share."""

from __future__ import annotations

from typing import Literal, Protocol

from serve_app.domain.sharing import Refusal, Stale
from serve_app.domain.tier_counts import Tally

# Why a shared answer left a process's memory: others needed its place, or its time was over.
Eviction = Literal["size", "expiry"]


class SharedAnswers(Protocol):
    """Exact answers, shared by a tenant's customers. Values are opaque; `serve_app.domain.sharing` reads and writes them."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, ttl_s: int) -> None: ...


class AnswerTiers(SharedAnswers, Protocol):
    """Shared answers with a first tier in this process. A tier that fails counts as a miss; nothing is raised."""

    def get_from_memory(self, key: str) -> bytes | None: ...

    async def get_from_common(self, key: str) -> bytes | None:
        """What all processes share, and nothing of this one's memory."""
        ...

    def remember(self, key: str, value: bytes) -> None:
        """Keeps in memory what was read elsewhere, by `Sessions.begin` in its round trip."""
        ...


class TierCounts(Protocol):
    """What an operator sees of the tiers. Every method returns at once."""

    def answered(self, tally: Tally) -> None:
        """Once for every new question, also for one that failed."""
        ...

    def offered(self, refusal: Refusal | None) -> None:
        """A finished answer to a shareable question: None when the shared tiers took it."""
        ...

    def not_said(self, why: Stale) -> None:
        """A shared answer was there."""
        ...

    def evicted(self, why: Eviction) -> None: ...

    def regenerated(self, how: str) -> None:
        """A question that a shared tier answered before was to be put to the model: `began`, `waited` first, or was `shed`."""
        ...
