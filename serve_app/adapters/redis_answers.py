"""Shared answers in Redis, the tier that all processes have in common; and memory in front of it."""

from __future__ import annotations

import logging

from redis.asyncio import Redis

from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.redis_client import answer_key_in_redis, store_errors
from serve_app.domain.errors import StoreFailed
from serve_app.ports import SharedAnswers

logger = logging.getLogger(__name__)


class RedisAnswers:
    """The port `SharedAnswers`. Every method raises StoreFailed when Redis does not answer in time."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def get(self, key: str) -> bytes | None:
        with store_errors():
            value = await self._client.get(answer_key_in_redis(key))
        return value if isinstance(value, bytes) else None

    async def put(self, key: str, value: bytes, ttl_s: int) -> None:
        with store_errors():
            if ttl_s > 0:
                await self._client.set(answer_key_in_redis(key), value, ex=ttl_s)
            else:
                await self._client.delete(answer_key_in_redis(key))


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
            logger.warning("a shared answer was not read: %s", error)
            return None

    async def put(self, key: str, value: bytes, ttl_s: int) -> None:
        self._memory.put_now(key, value, min(ttl_s, self._memory_ttl_s))
        try:
            await self._common.put(key, value, ttl_s)
        except StoreFailed as error:
            logger.warning("a shared answer was not written: %s", error)
