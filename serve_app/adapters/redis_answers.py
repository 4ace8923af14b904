"""Shared answers in Redis, the tier that all processes have in common; and memory in front of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.redis_client import answer_key_in_redis
from serve_app.adapters.redis_link import Calls
from serve_app.domain.errors import StoreFailed
from serve_app.ports import SharedAnswers

logger = logging.getLogger(__name__)


class RedisAnswers:
    """The port `SharedAnswers`. A value of more than `value_bytes_max` is not kept, nor is what stood there before it. Every
    method raises StoreFailed when Redis does not answer in time.

    `off_path`: for writing, which no answer waits for; `too_large` is told of each value that is not kept.
    """

    def __init__(
        self,
        calls: Calls,
        value_bytes_max: int = 64 * 1024,
        off_path: Calls | None = None,
        too_large: Callable[[], None] = lambda: None,
    ) -> None:
        self._calls = calls
        self._value_bytes_max = value_bytes_max
        self._off_path = off_path or calls
        self._too_large = too_large

    async def get(self, key: str) -> bytes | None:
        value = await self._calls.call("GET", answer_key_in_redis(key))
        return value if isinstance(value, bytes) else None

    async def put(self, key: str, value: bytes, ttl_s: int) -> None:
        too_long = len(value) > self._value_bytes_max
        if too_long:
            logger.warning("a shared answer of %d bytes is not kept (redis.value_bytes_max)", len(value))
            self._too_large()
        if ttl_s > 0 and not too_long:
            await self._off_path.call("SET", answer_key_in_redis(key), value, "EX", ttl_s)
        else:
            await self._off_path.call("DEL", answer_key_in_redis(key))


class TieredAnswers:
    """Memory in front of a tier that all processes share. A shared tier that fails counts as a miss; nothing is raised.

    `memory_ttl_s` bounds how long a process goes by what it once read: what others have replaced since is seen after that.
    """

    def __init__(self, memory: MemoryAnswers, common: SharedAnswers, memory_ttl_s: float = 60.0) -> None:
        self._memory = memory
        self._common = common
        self._memory_ttl_s = memory_ttl_s

    def get_from_memory(self, key: str) -> bytes | None:
        """Takes no round trip."""
        return self._memory.get_now(key)

    def remember(self, key: str, value: bytes) -> None:
        """Puts what was read elsewhere (by `Sessions.begin`, in its round trip) into memory."""
        self._memory.put_now(key, value, self._memory_ttl_s)

    async def get(self, key: str) -> bytes | None:
        value = self._memory.get_now(key)
        if value is None and (value := await self.get_from_common(key)) is not None:
            self.remember(key, value)
        return value

    async def get_from_common(self, key: str) -> bytes | None:
        """Takes a round trip, and keeps nothing."""
        try:
            return await self._common.get(key)
        except StoreFailed as error:
            logger.debug("a shared answer was not read: %s", error)
            return None

    async def put(self, key: str, value: bytes, ttl_s: int) -> None:
        self._memory.put_now(key, value, min(ttl_s, self._memory_ttl_s))
        try:
            await self._common.put(key, value, ttl_s)
        except StoreFailed as error:
            logger.debug("a shared answer was not written: %s", error)
