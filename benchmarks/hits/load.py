"""HTTP load from one core: requests as ready bytes, replies read only as far as they must be.

A closed loop keeps so many requests under way; an open one sends at the instants of a Poisson process, whatever the replies do,
and counts a reply's time from the instant that its request was due (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import random
import time
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, cast

# An open loop opens no more connections than these; further requests wait, and their waiting counts.
CONNECTIONS_MAX = 256


class Caller(Protocol):
    """Whoever asks: one request at a time."""

    def request(self) -> bytes:
        """The next one, as it is sent."""
        ...

    def reply(self, status: int, head: bytes, body: bytes) -> None: ...


@dataclass
class Slice:
    """What a stretch of load came to. Times in seconds."""

    wall_s: float = 0.0
    times_s: array[float] = field(default_factory=lambda: array("d"))
    late_s: float = 0.0  # the longest that this process was behind with sending

    @property
    def rate(self) -> float:
        return len(self.times_s) / self.wall_s

    def quantile_ms(self, share: float) -> float:
        ordered = sorted(self.times_s)
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive. Every reply must tell its length."""

    def __init__(self, idle: Callable[[Connection], None]) -> None:
        self._idle = idle
        self._data = bytearray()
        self._caller: Caller | None = None
        self._due = 0.0
        self._slice = Slice()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has no base class

    def ask(self, caller: Caller, due: float, into: Slice) -> None:
        assert self._transport is not None
        self._caller, self._due, self._slice = caller, due, into
        self._transport.write(caller.request())

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._data[:end]).lower()
        at = head.index(b"content-length:") + 15
        size = int(head[at : head.find(b"\r", at) if b"\r" in head[at:] else None])
        if len(self._data) < end + 4 + size:
            return
        caller, body = self._caller, bytes(self._data[end + 4 :])
        assert caller is not None
        self._data.clear()
        self._slice.times_s.append(time.perf_counter() - self._due)
        self._caller = None
        caller.reply(int(head[9:12]), head, body)
        self._idle(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._caller is not None:
            raise RuntimeError("the server closed a connection with a request under way") from exc


async def _connect(host: str, port: int, count: int, idle: Callable[[Connection], None]) -> list[Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(lambda: Connection(idle), host, port))[1] for _ in range(count)]


class Load:
    """Connections to one server, and callers without end."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: deque[Connection] = deque()
        self._came_back: Callable[[Connection], None] = self._idle.append

    async def _prepare(self, count: int) -> None:
        missing = count - len(self._idle)
        self._idle.extend(await _connect(self._host, self._port, missing, lambda connection: self._came_back(connection)))

    async def closed(self, callers: deque[Caller], concurrency: int, goes_on: Callable[[], bool]) -> Slice:
        """As many replies as come while it `goes_on`, `concurrency` requests at a time."""
        await self._prepare(concurrency)
        done, under_way = asyncio.Event(), concurrency
        into = Slice()
        began = time.perf_counter()

        def again(connection: Connection) -> None:
            nonlocal under_way
            if goes_on():
                connection.ask(_next(callers), time.perf_counter(), into)
                return
            under_way -= 1
            self._idle.append(connection)
            if under_way == 0:
                done.set()

        self._came_back = again
        for connection in [self._idle.popleft() for _ in range(concurrency)]:
            connection.ask(_next(callers), time.perf_counter(), into)
        await done.wait()
        into.wall_s = time.perf_counter() - began
        return into

    async def open(self, callers: deque[Caller], rate: float, seconds: float, seed: int = 0) -> Slice:
        """`rate` requests a second on average, at random instants."""
        await self._prepare(CONNECTIONS_MAX)
        dice = random.Random(seed)
        waiting: deque[tuple[Caller, float]] = deque()
        into, under_way, sent_all, done = Slice(), 0, False, asyncio.Event()

        def freed(connection: Connection) -> None:
            nonlocal under_way
            if waiting:
                caller, due = waiting.popleft()
                connection.ask(caller, due, into)
                return
            self._idle.append(connection)
            under_way -= 1
            if sent_all and under_way == 0:
                done.set()

        self._came_back = freed
        began = time.perf_counter()
        due = began + dice.expovariate(rate)
        while due < began + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            now = time.perf_counter()
            while due <= now and due < began + seconds:
                into.late_s = max(into.late_s, now - due)
                if self._idle:
                    under_way += 1
                    self._idle.pop().ask(_next(callers), due, into)
                else:
                    waiting.append((_next(callers), due))
                due += dice.expovariate(rate)
        sent_all = True
        if under_way:
            await done.wait()
        into.wall_s = time.perf_counter() - began
        return into


def for_s(seconds: float) -> Callable[[], bool]:
    """Until so much time has passed."""
    ends = time.perf_counter() + seconds
    return lambda: time.perf_counter() < ends


def times(count: int) -> Callable[[], bool]:
    """So often."""
    left = iter(range(count))
    return lambda: next(left, None) is not None


def _next(callers: deque[Caller]) -> Caller:
    """The caller that has been silent longest. There are many more of them than requests under way."""
    caller = callers[0]
    callers.rotate(-1)
    return caller
