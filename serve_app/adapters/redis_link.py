"""Calls to one Redis (or Valkey), or to a Redis Cluster: what all adapters of Redis stand on."""

# redis-py types its arguments only in part.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisClusterException, RedisError, ResponseError, SlotNotCoveredError

from serve_app.domain.errors import StoreFailed

# A command with its arguments, the first of its keys included.
Command = Sequence[str | bytes | int]


@contextmanager
def store_errors() -> Generator[None]:
    """Turns what Redis or the network raises into StoreFailed."""
    try:
        yield
    except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
        raise StoreFailed(f"Redis: {type(error).__name__}: {error}") from error


class Calls(Protocol):
    """Commands, each with keys of one slot at most."""

    async def together(self, *commands: Command) -> list[Any]:
        """The replies, in the time of one round trip; a command that failed alone has an Exception in its place.

        Raises StoreFailed when Redis does not answer.
        """
        ...

    async def call(self, *command: str | bytes | int) -> Any:
        """One command's reply. Raises StoreFailed, also when the command failed."""
        ...


class RedisLink(Calls, Protocol):
    """Calls with the connections that they need."""

    @property
    def client(self) -> Redis | RedisCluster: ...

    @property
    def is_one_server(self) -> bool:
        """Whether all commands go to the same one."""
        ...

    async def ping(self) -> None:
        """Asks every server that holds a part of the data. Raises StoreFailed."""
        ...

    async def new_connection(self) -> AbstractConnection:
        """One that belongs to the caller, not yet connected; of a cluster, to any node. Raises StoreFailed."""
        ...

    async def aclose(self) -> None: ...


def in_place(replies: list[Any]) -> list[Any]:
    """The replies of several servers. Raises the first one's failure when none of them replied, and any other error."""
    failed = [reply for reply in replies if isinstance(reply, StoreFailed)]
    for reply in replies:
        if isinstance(reply, BaseException) and not isinstance(reply, StoreFailed | RedisError):
            raise reply
    if len(failed) == len(replies):
        raise failed[0]
    return replies


async def only(calls: Calls, command: Command) -> Any:
    """`Calls.call` by `Calls.together`."""
    (reply,) = await calls.together(command)
    if isinstance(reply, Exception):
        with store_errors():
            raise reply
    return reply


class OneLink:
    """`RedisLink` to one server."""

    is_one_server = True

    def __init__(self, client: Redis) -> None:
        self.client = client

    async def together(self, *commands: Command) -> list[Any]:
        with store_errors():
            async with self.client.pipeline(transaction=False) as pipe:
                for command in commands:
                    pipe.execute_command(*command)
                return await pipe.execute(raise_on_error=False)

    async def call(self, *command: str | bytes | int) -> Any:
        return await only(self, command)

    async def ping(self) -> None:
        await self.call("PING")

    async def new_connection(self) -> AbstractConnection:
        return self.client.connection_pool.make_connection()

    async def aclose(self) -> None:
        await self.client.aclose()


class ClusterLink:
    """`RedisLink` to a cluster. redis-py follows the slots as they move, and asks for their places anew after a failure.

    `calls_max`: at a time. Its connections are bounded by node and refused above that, so calls wait here, at most `timeout_s`.
    """

    is_one_server = False

    def __init__(self, client: RedisCluster, calls_max: int, timeout_s: float) -> None:
        self.client = client
        self._free = asyncio.Semaphore(calls_max)
        self._timeout_s = timeout_s

    async def together(self, *commands: Command) -> list[Any]:
        """See `Calls`. Each goes to its own node, at the same time; one whose node is away has a StoreFailed in its place."""
        if len(commands) == 1:
            return in_place([await self._one(commands[0])])
        return in_place(list(await asyncio.gather(*map(self._one, commands))))

    async def _one(self, command: Command) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._free.acquire()
        except TimeoutError:
            return StoreFailed("Redis: too many calls are under way")
        try:
            return await self._sent(command)
        except ResponseError as error:
            return error
        except (RedisError, RedisClusterException, OSError, TimeoutError, AttributeError, RuntimeError) as error:
            # The last two where redis-py closes a failed node's connections under calls that use them.
            return StoreFailed(f"Redis: {type(error).__name__}: {error}")
        finally:
            self._free.release()

    async def _sent(self, command: Command) -> Any:
        try:
            return await self.client.execute_command(*command)
        except SlotNotCoveredError:
            raise
        except RedisClusterException:
            # No node told the places of the slots: on connections that the servers had closed. Now there are new ones.
            return await self.client.execute_command(*command)

    async def call(self, *command: str | bytes | int) -> Any:
        return await only(self, command)

    async def ping(self) -> None:
        with store_errors():
            await self.client.ping(target_nodes=RedisCluster.PRIMARIES)

    async def new_connection(self) -> AbstractConnection:
        with store_errors():
            await self.client.initialize()
            nodes: list[ClusterNode] = self.client.get_nodes()
            node = random.choice(nodes)
            return node.connection_class(**node.connection_kwargs)

    async def aclose(self) -> None:
        await self.client.aclose()


class Script:
    """A Lua script, run by its digest. The server gets the text only when it does not know it, so a call is one round trip."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, calls: Calls, keys: Sequence[str], arguments: Command) -> Any:
        """The script's reply. Raises StoreFailed."""
        reply, _ = await self.run_beside(calls, keys, arguments, None)
        return reply

    async def run_beside(
        self, calls: Calls, keys: Sequence[str], arguments: Command, beside: Command | None
    ) -> tuple[Any, Any]:
        """The script's reply, and that of the command `beside` it in the same round trip: an Exception where it failed, which
        is the caller's to judge, and None without one. Raises StoreFailed."""
        others = () if beside is None else (beside,)
        reply, *of_others = await calls.together(("EVALSHA", self._digest, len(keys), *keys, *arguments), *others)
        if isinstance(reply, NoScriptError):
            reply, *of_others = await calls.together(("EVAL", self._text, len(keys), *keys, *arguments), *others)
        if isinstance(reply, Exception):
            with store_errors():
                raise reply
        return reply, of_others[0] if of_others else None
