"""Shared answers in this process's memory: the first tier, in front of Redis."""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import TLRUCache

from serve_app.ports import Eviction

# What an entry takes besides its key and its value, about.
ENTRY_BYTES = 200


class _Entries(TLRUCache[str, tuple[bytes, float], float]):
    """Says what goes by itself."""

    def __init__(self, max_bytes: int, monotonic: Callable[[], float], evicted: Callable[[Eviction], None]) -> None:
        super().__init__(max_bytes, ttu=_ends_at, timer=monotonic, getsizeof=_size)
        self._evicted = evicted

    def expire(self, time: float | None = None) -> list[tuple[str, tuple[bytes, float]]]:
        gone = super().expire(time)
        for _ in gone:
            self._evicted("expiry")
        return gone

    def popitem(self) -> tuple[str, tuple[bytes, float]]:
        gone = super().popitem()
        self._evicted("size")
        return gone


class MemoryAnswers:
    """The port `SharedAnswers`: at most `max_bytes`, each answer for its own time, the least recently used one goes first."""

    def __init__(
        self,
        max_bytes: int = 64 * 1024 * 1024,
        monotonic: Callable[[], float] = time.monotonic,
        evicted: Callable[[Eviction], None] = lambda _: None,
    ) -> None:
        self._entries = _Entries(max_bytes, monotonic, evicted)

    async def get(self, key: str) -> bytes | None:
        return self.get_now(key)

    async def put(self, key: str, value: bytes, ttl_s: float) -> None:
        self.put_now(key, value, ttl_s)

    def get_now(self, key: str) -> bytes | None:
        """The same as `get`, for callers that cannot wait."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def put_now(self, key: str, value: bytes, ttl_s: float) -> None:
        entry = (value, ttl_s)
        if ttl_s <= 0 or _size(entry) > self._entries.maxsize:
            self._entries.pop(key, None)
            return
        self._entries[key] = entry


def _ends_at(_key: str, entry: tuple[bytes, float], now: float) -> float:
    return now + entry[1]


def _size(entry: tuple[bytes, float]) -> float:
    return ENTRY_BYTES + len(entry[0])
