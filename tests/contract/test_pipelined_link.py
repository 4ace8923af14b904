"""One connection for all: each gets its own replies, whoever else asks, leaves or is too late."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import pytest
import uvloop
from redis.exceptions import ResponseError

from serve_app.adapters.pipelined_link import PipelinedLink
from serve_app.adapters.redis_client import connect
from serve_app.config import RedisSettings
from serve_app.domain.errors import StoreFailed
from tests.redis_proxy import RedisProxy, through_a_proxy


@asynccontextmanager
async def pipelined(url: str, timeout_s: float = 5) -> AsyncGenerator[PipelinedLink]:
    link = connect(RedisSettings(url=url, timeout_ms=round(timeout_s * 1000)))
    calls = PipelinedLink(link, timeout_s)
    try:
        yield calls
    finally:
        await calls.aclose()
        await link.aclose()


class ResettingProxy(RedisProxy):
    def reset(self) -> None:
        """Every connection, as by a server that crashed; new ones are taken."""
        for writer in self._writers:
            its_socket: socket.socket = writer.get_extra_info("socket")
            its_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class MuteServer:
    """Takes connections, and never replies."""

    def __init__(self) -> None:
        self.taken = 0
        self.comes, self.goes = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[str]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        try:
            yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        self.comes.set()
        while await reader.read(65536):
            pass
        self.goes.set()
        writer.close()


@pytest.fixture
async def proxy(valkey_url: str) -> AsyncGenerator[RedisProxy]:
    async with through_a_proxy(valkey_url) as made:
        yield made


async def echoed(calls: PipelinedLink, text: str) -> bool:
    return await calls.together(("ECHO", text), ("ECHO", text * 2)) == [text.encode(), text.encode() * 2]


async def test_each_gets_its_own_replies_by_one_connection(valkey_url: str):
    async with pipelined(valkey_url) as calls:
        assert all(await asyncio.gather(*(echoed(calls, f"{number}") for number in range(200))))
        ids = await asyncio.gather(*(calls.call("CLIENT", "ID") for _ in range(20)))
        assert len(set(ids)) == 1


async def test_a_command_that_fails_alone_has_its_error_in_its_place(valkey_url: str):
    async with pipelined(valkey_url) as calls:
        await calls.call("SET", key := uuid4().hex, "text", "EX", 60)
        good, bad, after = await calls.together(("ECHO", "a"), ("INCR", key), ("ECHO", "b"))
        assert (good, after) == (b"a", b"b")
        assert isinstance(bad, ResponseError)
        with pytest.raises(StoreFailed):
            await calls.call("INCR", key)
        assert await echoed(calls, "c")


async def test_a_large_reply_and_a_large_command_go_through(valkey_url: str):
    async with pipelined(valkey_url) as calls:
        text, key = "x" * 3_000_000, uuid4().hex
        await calls.call("SET", key, text, "EX", 60)
        found, *others = await asyncio.gather(calls.call("GET", key), *(echoed(calls, f"{n}") for n in range(10)))
        assert found == text.encode()
        assert all(others)


async def test_a_connection_that_was_cut_is_replaced_for_all_who_waited(proxy: RedisProxy):
    async with pipelined(proxy.url) as calls:
        await calls.ping()
        proxy.silent()
        waiting = [asyncio.create_task(echoed(calls, f"{number}")) for number in range(10)]
        await asyncio.sleep(0.05)
        await proxy.cut()
        await proxy.open()
        proxy.silent(False)
        assert all(await asyncio.gather(*waiting))
        assert await echoed(calls, "again")


async def test_while_it_is_away_calls_fail_and_afterwards_they_do_not(proxy: RedisProxy):
    async with pipelined(proxy.url) as calls:
        await calls.ping()
        await proxy.cut()
        with pytest.raises(StoreFailed):
            await calls.ping()
        await proxy.open()
        assert await echoed(calls, "back")


async def test_who_leaves_takes_nobodys_reply(proxy: RedisProxy):
    async with pipelined(proxy.url) as calls:
        await calls.ping()
        proxy.silent()
        tasks = [asyncio.create_task(echoed(calls, f"{number}")) for number in range(10)]
        await asyncio.sleep(0.05)
        tasks[3].cancel()
        proxy.silent(False)
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found.pop(3), asyncio.CancelledError)
        assert found == [True] * 9


async def test_a_server_that_is_silent_too_long_is_given_up_and_late_replies_are_nobodys(proxy: RedisProxy):
    async with pipelined(proxy.url, timeout_s=0.1) as calls:
        await calls.ping()
        proxy.silent()
        found = await asyncio.gather(*(calls.call("ECHO", f"{number}") for number in range(5)), return_exceptions=True)
        assert all(isinstance(reply, StoreFailed) for reply in found)
        proxy.silent(False)
        assert await echoed(calls, "later")


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_connection_that_was_reset_while_idle_is_replaced(
    valkey_url: str, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def run() -> None:
        proxy = ResettingProxy(valkey_url)
        await proxy.open()
        async with pipelined(proxy.url) as calls:
            await calls.ping()
            proxy.reset()
            await asyncio.sleep(0.05)  # so that the loop has noticed; both ways must do
            assert all(await asyncio.gather(*(echoed(calls, f"{number}") for number in range(10))))
            proxy.reset()
            assert await echoed(calls, "at once")
        await proxy.aclose()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run())


async def test_all_who_wait_for_a_connection_wait_for_the_same_one():
    server = MuteServer()
    async with server.serving() as url, pipelined(url, timeout_s=0.1) as calls:
        found = await asyncio.gather(*(echoed(calls, f"{number}") for number in range(20)), return_exceptions=True)
        assert all(isinstance(reply, StoreFailed) for reply in found)
        assert server.taken == 1
        await server.goes.wait()


async def test_closing_ends_an_attempt_to_connect():
    server = MuteServer()
    async with server.serving() as url, pipelined(url, timeout_s=60) as calls:
        waiting = asyncio.create_task(calls.ping())
        await server.comes.wait()
        await calls.aclose()
        with pytest.raises(StoreFailed, match="closed"):
            await waiting
        await server.goes.wait()


async def test_a_call_under_way_at_the_end_opens_no_other_connection(proxy: RedisProxy):
    async with pipelined(proxy.url) as calls:
        await calls.ping()
        proxy.silent()
        waiting = asyncio.create_task(calls.ping())
        await asyncio.sleep(0.05)
        await calls.aclose()
        proxy.silent(False)
        with pytest.raises(StoreFailed, match="closed"):
            await waiting
        with pytest.raises(StoreFailed, match="closed"):
            await calls.ping()


async def test_a_command_that_cannot_be_written_fails_alone(valkey_url: str):
    async with pipelined(valkey_url) as calls:
        before = await calls.call("CLIENT", "ID")
        with pytest.raises(TypeError):
            await calls.call("ECHO", cast("Any", None))
        assert await calls.call("CLIENT", "ID") == before
