"""A way to Redis that the tests make slow, silent or broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class RedisProxy:
    """Passes bytes on to the server of `target`. `delay_s`: to every reply. `silent`: requests arrive, no reply comes back
    until it is unset. `deaf`: nothing arrives either, and what was sent is passed on when it is unset."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = 0
        self.delay_s = 0.0
        self._speaks, self._hears = asyncio.Event(), asyncio.Event()
        self._speaks.set()
        self._hears.set()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def silent(self, is_so: bool = True) -> None:
        self._speaks.clear() if is_so else self._speaks.set()

    def deaf(self, is_so: bool = True) -> None:
        self._hears.clear() if is_so else self._hears.set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Resets every connection; no new one is taken until `open`."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        except OSError:
            writer.transport.abort()
            return
        self._writers.add(back)
        ways = [
            asyncio.ensure_future(self._pass_on(reader, back, self._hears)),
            asyncio.ensure_future(self._pass_on(there, writer, self._speaks, reply=True)),
        ]
        self._tasks.update(ways)
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        if not ways[0].done():
            ways[0].cancel()
        # What the client had sent before it went is still carried out.
        writer.close()
        self._writers -= {writer, back}

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, open_: asyncio.Event, *, reply: bool = False
    ) -> None:
        try:
            while data := await reader.read(65536):
                await open_.wait()
                if reply and self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def aclose(self) -> None:
        await self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def through_a_proxy(url: str) -> AsyncGenerator[RedisProxy]:
    proxy = RedisProxy(url)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.aclose()
