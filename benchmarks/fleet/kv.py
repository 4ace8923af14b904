"""A replica's keys and values: a cache of prefix chunks on the GPU, and a larger one in the host's memory behind it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from benchmarks.fleet.requests import Chunk


class Lru:
    """Chunks up to a number of tokens; the least recently used leave first."""

    def __init__(self, capacity_tokens: int) -> None:
        self.capacity_tokens = capacity_tokens
        self._tokens = 0
        self._chunks: OrderedDict[int, int] = OrderedDict()

    def __contains__(self, chunk_id: int) -> bool:
        return chunk_id in self._chunks

    def touch(self, chunks: Sequence[Chunk]) -> None:
        """The end of a prefix is older than its beginning, without which it is worth nothing."""
        for chunk_id, tokens in reversed(chunks):
            if chunk_id in self._chunks:
                self._chunks.move_to_end(chunk_id)
            else:
                self._chunks[chunk_id] = tokens
                self._tokens += tokens
        while self._tokens > self.capacity_tokens:
            self._tokens -= self._chunks.popitem(last=False)[1]

    def prefix_tokens(self, chunks: Sequence[Chunk]) -> int:
        known = 0
        for chunk_id, tokens in chunks:
            if chunk_id not in self._chunks:
                break
            known += tokens
        return known


class KvCache:
    """Blocks are shared by all requests with the same prefix; those in use stay."""

    def __init__(self, capacity_tokens: int, host_tokens: int = 0) -> None:
        self.capacity_tokens = capacity_tokens
        self._host = Lru(host_tokens) if host_tokens else None
        self._users: dict[int, int] = {}
        self._used_tokens = 0
        self._idle: OrderedDict[int, int] = OrderedDict()
        self._idle_tokens = 0

    def acquire(self, chunks: Sequence[Chunk]) -> tuple[int, int] | None:
        """Takes room for all `chunks`; of their tokens, how many are on the GPU and how many in the host's memory.

        Both count from the beginning without a gap. None: there is no room until a stream ends.
        """
        users, idle = self._users, self._idle
        wanted = sum(tokens for chunk_id, tokens in chunks if chunk_id not in users)
        if self._used_tokens + wanted > self.capacity_tokens and users:
            return None
        here = there = 0
        place = "gpu"
        for chunk_id, tokens in chunks:
            resident = chunk_id in users or chunk_id in idle
            if place == "gpu":
                if resident:
                    here += tokens
                else:
                    place = "host"
            if place == "host":
                if self._host is not None and chunk_id in self._host:
                    there += tokens
                else:
                    place = "none"
            if chunk_id in users:
                users[chunk_id] += 1
            else:
                users[chunk_id] = 1
                self._used_tokens += tokens
                if idle.pop(chunk_id, None) is not None:
                    self._idle_tokens -= tokens
        while self._idle_tokens and self._used_tokens + self._idle_tokens > self.capacity_tokens:
            self._idle_tokens -= idle.popitem(last=False)[1]
        return here, there

    def release(self, chunks: Sequence[Chunk]) -> None:
        """Idle chunks stay until their room is wanted. All are in the host's memory by now: vLLM copies them as they fill."""
        users = self._users
        for chunk_id, tokens in reversed(chunks):
            users[chunk_id] -= 1
            if not users[chunk_id]:
                del users[chunk_id]
                self._used_tokens -= tokens
                self._idle[chunk_id] = tokens
                self._idle_tokens += tokens
        if self._host is not None:
            self._host.touch(chunks)
