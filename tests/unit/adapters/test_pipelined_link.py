"""Commands are written as redis-py itself would write them; and a call ends in its time."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, Connection
from redis.exceptions import ConnectionError as RedisConnectionError

from serve_app.adapters.pipelined_link import PipelinedLink, packed
from serve_app.adapters.redis_link import OneLink
from serve_app.domain.errors import StoreFailed
from tests.virtual_time import run

COMMANDS = [
    ("GET", "zw:a:1"),
    ("SET", "键", "七天无理由退货", "EX", 604800),
    ("EVALSHA", "d" * 40, 3, "a", "b", "c", "", b"\x00\xff{}", -7),
]


def test_commands_are_the_same_bytes() -> None:
    assert packed(COMMANDS) == b"".join(Connection().pack_commands(COMMANDS))


class Refusing(OneLink):
    """The first connection is refused after `refused_after_s`, and nothing is heard of the next."""

    def __init__(self, refused_after_s: float) -> None:
        super().__init__(Redis())
        self._refused_after_s = [refused_after_s]

    async def new_connection(self) -> AbstractConnection:
        if self._refused_after_s:
            await asyncio.sleep(self._refused_after_s.pop())
            raise RedisConnectionError("refused")
        return await asyncio.get_running_loop().create_future()


def test_a_call_has_its_time_for_connecting_and_for_the_second_try_together() -> None:
    async def waited_s() -> float:
        calls, loop = PipelinedLink(Refusing(refused_after_s=0.6), timeout_s=1), asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(StoreFailed):
            async with asyncio.timeout(100):
                await calls.ping()
        ended = loop.time()
        await calls.aclose()
        return ended - began

    assert run(waited_s()) == pytest.approx(1)  # pyright: ignore[reportUnknownMemberType]
