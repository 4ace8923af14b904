"""Many open WebSockets, most of them silent: what each takes, and whether any is lost."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.hits.cost import what_runs
from serve_app.local.haproxy import FILES_A_CONNECTION, connections_max

# Sockets that are being opened at a time.
OPENING = 64
OPEN_S = ANSWER_S = 60.0
PING_S = 30.0
# Through the proxy, beside the sockets: health checks, metrics.
CONNECTIONS_BESIDE = 100
# Of this process, beside its sockets.
FILES_OF_ITS_OWN = 1024


@dataclass
class Held:
    """What became of the sockets. Times in seconds."""

    opened: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    closed: Counter[str] = field(
        default_factory=Counter[str]
    )  # that nobody asked to close, by code; `silent`: no reply in time
    asked: int = 0
    answered: int = 0
    tiers: Counter[str] = field(default_factory=Counter[str])
    times_s: list[float] = field(default_factory=list[float])

    @property
    def lost(self) -> int:
        """Sockets that did not stay open and answer. One without its answer is counted once, among the closed."""
        return self.refused.total() + self.closed.total()


def allow_files(sockets: int) -> int:
    """Raises this process's limit of open files, which its children inherit, as far as it may. Returns for how many sockets
    that is enough: HAProxy needs the most for each."""
    wanted = round((sockets + CONNECTIONS_BESIDE) * FILES_A_CONNECTION) + FILES_OF_ITS_OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        except (ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return connections_max(resource.getrlimit(resource.RLIMIT_NOFILE)[0]) - CONNECTIONS_BESIDE


def memory_mb(pids: list[int]) -> Counter[str]:
    """Proportional set size by what a process is, in MB."""
    found: Counter[str] = Counter()
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        except OSError:
            continue
        kib = next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
        found[what_runs(command)] += kib // 1024
    return found


class Crowd:
    """Customers with a socket each."""

    def __init__(self, url: str, key: str, questions: list[str]) -> None:
        self._url = url.replace("http", "ws", 1) + "/v1/ws"
        self._key = key
        self._questions = questions
        self._sockets: list[ClientConnection] = []
        self.held = Held()

    async def enter(self, count: int) -> float:
        """Opens so many. Returns the seconds that it took."""
        began, gate = time.perf_counter(), asyncio.Semaphore(OPENING)
        await asyncio.gather(*(self._open(gate) for _ in range(count)))
        return time.perf_counter() - began

    async def _open(self, gate: asyncio.Semaphore) -> None:
        async with gate:
            try:
                async with asyncio.timeout(OPEN_S):
                    # The client's own keep-alive is off: the page pings by message, and so does this.
                    socket = await connect(self._url, ping_interval=None, compression=None, max_queue=16, open_timeout=OPEN_S)
                    await socket.send(json.dumps({"type": "hello", "token": self._key}))
                    ready = json.loads(await socket.recv())
                    if ready["event"] != "ready":
                        raise RuntimeError(str(ready))
            except (OSError, TimeoutError, RuntimeError, ConnectionClosed) as error:
                self.held.refused[type(error).__name__] += 1
                return
        self.held.opened += 1
        self._sockets.append(socket)

    async def stay(self, seconds: float) -> None:
        """Each asks one question, at an instant of its own, and pings now and then."""
        dice = random.Random(1)
        await asyncio.gather(*(self._stay(socket, dice.uniform(0, seconds), seconds) for socket in self._sockets))

    async def _stay(self, socket: ClientConnection, asks_at: float, seconds: float) -> None:
        ends = time.perf_counter() + seconds
        asks = time.perf_counter() + asks_at
        try:
            await self._ping_until(socket, asks)
            await self._ask(socket)
            await self._ping_until(socket, ends)
        except ConnectionClosed as error:
            self.held.closed[str(error.rcvd.code if error.rcvd else 1006)] += 1
        except TimeoutError:
            self.held.closed["silent"] += 1

    async def _ping_until(self, socket: ClientConnection, ends: float) -> None:
        while (left := ends - time.perf_counter()) > 0:
            await asyncio.sleep(min(PING_S, left))
            await socket.send('{"type": "ping"}')
            await self._until(socket, "pong")

    async def _ask(self, socket: ClientConnection) -> None:
        began = time.perf_counter()
        self.held.asked += 1
        await socket.send(json.dumps({"type": "ask", "question": random.choice(self._questions)}))
        meta = await self._until(socket, "meta")
        await self._until(socket, "done")
        self.held.answered += 1
        self.held.tiers[meta["data"]["tier"]] += 1
        self.held.times_s.append(time.perf_counter() - began)

    async def _until(self, socket: ClientConnection, event: str) -> dict[str, Any]:
        async with asyncio.timeout(ANSWER_S):
            while (found := json.loads(await socket.recv()))["event"] != event:
                pass
        return found

    async def leave(self) -> None:
        await asyncio.gather(*(socket.close() for socket in self._sockets), return_exceptions=True)
