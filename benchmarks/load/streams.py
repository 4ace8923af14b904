"""Reads server-sent events over HTTP/1.1 at little cost: thousands of events a second from one core.

Connections are kept and used again; a request opens one when none is free, so that an open loop never waits for a place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httptools

# An event's name ("" where it has none) and its data, with the `time.perf_counter()` at which it arrived.
Heard = Callable[[str, bytes, float], None]


@dataclass
class Answered:
    """`status` 0: no connection, or it broke. Other than 200: `body` tells why, and there are no events."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])  # by lower-case name
    body: bytes = b""


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._done: asyncio.Future[None] | None = None
        self.lost = False
        self.keeps = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has no base class

    async def ask(self, raw: bytes, heard: Heard) -> Answered:
        assert self._transport is not None
        self._answered, self._heard, self._rest = Answered(), heard, b""
        self._parser = httptools.HttpResponseParser(self)
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        try:
            await self._done
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._done = None
        return self._answered

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._now = time.perf_counter()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.lost = True
        self._end(broken=True)

    # What the parser finds

    def on_status(self, _: bytes) -> None:
        self._answered.status = self._parser.get_status_code()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answered.headers[name.decode().lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._answered.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        if self._answered.status != 200:
            self._answered.body += body
            return
        *events, self._rest = (self._rest + body).split(b"\n\n")
        for event in events:
            name, data = "", b""
            for line in event.split(b"\n"):
                if line.startswith(b"data: "):
                    data = line[6:]
                elif line.startswith(b"event: "):
                    name = line[7:].decode()
            self._heard(name, data, self._now)

    def on_message_complete(self) -> None:
        self.keeps = self._parser.should_keep_alive()
        self._end(broken=False)

    def _end(self, *, broken: bool) -> None:
        if self._done is not None and not self._done.done():
            if broken:
                self._answered.status = 0
            self._done.set_result(None)


class Streams:
    """Requests to one server. Close it."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: list[_Connection] = []

    async def prepare(self, count: int) -> None:
        """Opens so many connections beforehand."""
        while len(self._idle) < count:
            self._idle.append(await self._open())

    async def post(self, path: str, headers: Mapping[str, str], body: bytes, heard: Heard) -> Answered:
        """Returns when the answer has ended, or its connection has broken."""
        try:
            connection = self._free() or await self._open()
        except OSError:
            return Answered()
        answered = await connection.ask(_request(self._host, path, headers, body), heard)
        if connection.keeps and not connection.lost:
            self._idle.append(connection)
        else:
            connection.close()
        return answered

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _free(self) -> _Connection | None:
        while self._idle:
            if not (connection := self._idle.pop()).lost:
                return connection
        return None

    async def _open(self) -> _Connection:
        made: Any = await asyncio.get_running_loop().create_connection(_Connection, self._host, self._port)
        return made[1]


def _request(host: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
