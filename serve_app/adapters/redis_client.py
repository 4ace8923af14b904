"""One way to talk to Redis (or Valkey): bounded in time and in connections, with our errors."""

# redis-py types its arguments only in part.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError

from serve_app.config import LOCAL_REDIS_URL, RedisSettings
from serve_app.domain.errors import ConfigError, StoreFailed
from serve_app.domain.live import Talk


def connect(settings: RedisSettings) -> Redis:
    """A client for `settings.url`. Nothing is opened before the first call.

    A call waits at most `timeout_ms` for a connection of the pool, and as long for each reply. A connection that the server has
    closed since (a restart) is replaced once, at once: every call that the adapters make may be repeated.

    Raises ConfigError when the address cannot be read.
    """
    timeout_s = settings.timeout_ms / 1000
    try:
        pool = BlockingConnectionPool.from_url(
            settings.url or LOCAL_REDIS_URL,
            max_connections=settings.pool_size,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 1, (RedisConnectionError,)),
            protocol=2,
        )
    except ValueError as error:
        # The address may hold a password, so it is not repeated here.
        raise ConfigError(
            "redis.url (or REDIS_URL) is not an address: write redis://HOST:PORT/DB, rediss://… or unix://PATH"
        ) from error
    return Redis.from_pool(pool)


@contextmanager
def store_errors() -> Generator[None]:
    """Turns what Redis or the network raises into StoreFailed."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreFailed(f"Redis: {type(error).__name__}: {error}") from error


async def ping(client: Redis) -> None:
    """Raises StoreFailed when Redis does not answer."""
    with store_errors():
        await client.execute_command("PING")


class Script:
    """A Lua script, run by its digest. The server gets the text only when it does not know it, so a call is one round trip."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, client: Redis, keys: Sequence[str], arguments: Sequence[str | bytes | int]) -> Any:
        """The script's reply. Raises StoreFailed."""
        reply, _ = await self.run_beside(client, keys, arguments, None)
        return reply

    async def run_beside(
        self,
        client: Redis,
        keys: Sequence[str],
        arguments: Sequence[str | bytes | int],
        beside: Sequence[str | int] | None,
    ) -> tuple[Any, Any]:
        """The script's reply, and that of the command `beside` it in the same round trip: a RedisError where it failed, which
        is the caller's to judge, and None without one. Raises StoreFailed."""
        with store_errors():
            replies = await self._send(client, ("EVALSHA", self._digest), keys, arguments, beside)
            if isinstance(replies[0], NoScriptError):
                replies = await self._send(client, ("EVAL", self._text), keys, arguments, beside)
            if isinstance(replies[0], RedisError):
                raise replies[0]
        return replies[0], replies[1] if len(replies) > 1 else None

    @staticmethod
    async def _send(
        client: Redis,
        command: tuple[str, str],
        keys: Sequence[str],
        arguments: Sequence[str | bytes | int],
        beside: Sequence[str | int] | None,
    ) -> list[Any]:
        async with client.pipeline(transaction=False) as pipe:
            pipe.execute_command(*command, len(keys), *keys, *arguments)
            if beside is not None:
                pipe.execute_command(*beside)
            return await pipe.execute(raise_on_error=False)


def session_keys(tenant: str, session_id: str) -> tuple[str, str, str]:
    """A session's keys (head, turns, queue). They share one hash tag, so they lie in one slot of a cluster."""
    tag = f"zw:s:{{{_quoted(tenant)}/{_quoted(session_id)}}}"
    return f"{tag}:head", f"{tag}:turns", f"{tag}:queue"


def live_names(talk: Talk, answer_id: str) -> tuple[str, str, str]:
    """A conversation's channel; and two keys in one slot: an answer's events, and the conversation's answers under way."""
    tag = f"zw:l:{{{_quoted(talk.tenant)}/{_quoted(talk.session_id)}}}"
    return tag, f"{tag}:e:{answer_id}", f"{tag}:u"


def answer_key_in_redis(key: str) -> str:
    """Where a shared answer stands."""
    return f"zw:a:{key}"


def _quoted(name: str) -> str:
    return quote(name, safe="", errors="surrogatepass")
