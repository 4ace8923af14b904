"""A stream of three minutes and idle sockets, while ingress and engine are scaled up, scaled down and deployed anew."""

from __future__ import annotations

import asyncio
import csv
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from serve_app.local import ray_cluster
from tests.cluster.draining_app import TOKENS, answer
from tests.cluster.one_node import Cluster, one_node
from tests.packaged import packaged_tokenizer
from tests.redis_servers import serving, valkey_binary

ROOT = Path(__file__).parent.parent.parent
SONG, POEM, JOKE = "Sing me a song", "Tell me a poem", "Tell me a joke"
# Shorter than a song and a poem, longer than a joke.
LISTENS_S = 20
RESTART = 1012
Frame = dict[str, Any]


@pytest.fixture(scope="module")
def cluster(packaged_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    environ = {"PYTHONPATH": str(ROOT), "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": str(LISTENS_S)}
    with (
        serving(valkey_binary()) as redis_url,
        one_node(packaged_model, redis_url, tmp_path_factory.mktemp("draining"), **environ) as found,
    ):
        yield found


class Fleet:
    """What is deployed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._serve = ray_cluster.Serve(cluster.ports.dashboard)
        # A machine that is busy with other tests is slow, not away.
        settings = {
            "deadlines": {"request_s": 240},
            "model": {"max_tokens": 1000},
            "rooms": {},
            "redis": {"timeout_ms": 5000, "budget_ms": 5000},
        }
        self._args: dict[str, dict[str, Any]] = {"engine": settings, "gateway": settings}
        self._replicas = {"engine": 1, "gateway": 1}

    async def deploys(self, *, replicas: int | None = None, anew: str | None = None) -> None:
        """Returns when the new replicas run and the old ones do not; those may still end what they have begun."""
        before = self._running()
        if replicas is not None:
            self._replicas = dict.fromkeys(self._replicas, replicas)
        if anew is not None:
            self._args[anew] = self._args[anew] | {"limits": {"question_chars": 500}}
        await asyncio.to_thread(self._serve.deploy, self._tree())

        def is_so() -> bool:
            """HAProxy knows it, too."""
            assert (failure := self._serve.failure()) is None, failure
            now = self._running()
            counts = {name: len(ids) for name, ids in now.items()}
            is_new = not (anew and now[anew] & before.get(anew, set()))
            return counts == self._replicas and is_new and len(self.connections()) == self._replicas["gateway"]

        await until(lambda: is_so() and self._cluster.is_ready())

    def connections(self) -> list[int]:
        """Of each ingress that HAProxy gives new clients to, as far as its present process has made them."""
        text = httpx.get(f"http://127.0.0.1:{self._cluster.ports.stats}/stats;csv", timeout=20).text.removeprefix("# ")
        rows = [row for row in csv.DictReader(text.splitlines()) if "gateway" in row["pxname"]]
        return [int(row["scur"]) for row in rows if row["status"] == "UP" and row["bck"] == "0" and row["type"] == "2"]

    async def is_done(self) -> None:
        """Returns when no replica is being ended."""
        await until(lambda: self._cluster.is_deployed() and all(r["state"] == "RUNNING" for _, r in self._all()))

    def _tree(self) -> dict[str, Any]:
        def change(tree: dict[str, Any]) -> None:
            for application, (name, room) in zip(
                tree["applications"], (("engine", "Inference"), ("gateway", "Ingress")), strict=True
            ):
                assert application["name"] == name
                application["args"] |= self._args[name]
                application["deployments"] = [{"name": room, "num_replicas": self._replicas[name]}]
            tree["applications"][0]["import_path"] = "tests.cluster.draining_app:build"

        return self._cluster.tree("production.yaml", change)

    def _running(self) -> dict[str, set[str]]:
        running: dict[str, set[str]] = {"engine": set(), "gateway": set()}
        for application, replica in self._all():
            if replica["state"] == "RUNNING":
                running[application].add(replica["replica_id"])
        return running

    def _all(self) -> list[tuple[str, dict[str, Any]]]:
        url = f"http://127.0.0.1:{self._cluster.ports.dashboard}/api/serve/applications/"
        applications = httpx.get(url, timeout=20).json()["applications"]
        rooms = {"engine": "Inference", "gateway": "Ingress"}
        return [
            (name, replica)
            for name, application in applications.items()
            for replica in application["deployments"].get(rooms[name], {"replicas": []})["replicas"]
        ]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(600):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.2)


class Visitor:
    """A socket that does as the chat page does: it connects anew when it is told to, and asks for what it missed.

    `codes`: with which its sockets were closed. `frames`: of its answer, by number.
    """

    def __init__(self, cluster: Cluster, question: str | None = None) -> None:
        self._url = f"ws://127.0.0.1:{cluster.ports.http}/v1/ws"
        self._key = cluster.key
        self.question = question
        self._session_id: str | None = None
        self._answer_id: str | None = None
        self._socket: ClientConnection | None = None
        self.frames: dict[int, Frame] = {}
        self.codes: list[int | None] = []
        self.is_ready = asyncio.Event()

    async def run(self) -> None:
        while True:
            async with connect(self._url) as socket:
                await self._say(
                    socket, "hello", token=self._key, **({"session_id": self._session_id} if self._session_id else {})
                )
                with suppress(ConnectionClosed):
                    async for text in socket:
                        await self._take(socket, json.loads(text))
            self.is_ready.clear()
            self.codes.append(socket.close_code)

    async def _take(self, socket: ClientConnection, frame: Frame) -> None:
        if frame["event"] == "ready":
            self._session_id = frame["data"]["session_id"]
            self._socket = socket
            self.is_ready.set()
            if self._answer_id is not None and not self.is_whole:
                await self._say(socket, "resume", answer_id=self._answer_id, after_seq=max(self.frames))
            elif self.question is not None and not self.frames:
                await self._say(socket, "ask", question=self.question)
        elif "seq" in frame:
            self._answer_id = frame["answer_id"]
            assert frame["seq"] not in self.frames
            self.frames[frame["seq"]] = frame
        else:
            assert frame["event"] not in ("error",), frame

    async def asks(self, question: str) -> None:
        """Another question; `frames` are then its answer's."""
        await self.is_ready.wait()
        assert self._socket is not None
        self.frames.clear()
        await self._say(self._socket, "ask", question=question)
        await until(lambda: self.is_whole)

    @staticmethod
    async def _say(socket: ClientConnection, kind: str, **fields: Any) -> None:
        await socket.send(json.dumps({"type": kind, **fields}))

    @property
    def is_whole(self) -> bool:
        return any(frame["event"] in ("done", "error") for frame in self.frames.values())

    @property
    def has_begun(self) -> bool:
        return self.is_ready.is_set() and (
            self.question is None or any(frame["event"] == "delta" for frame in self.frames.values())
        )

    @property
    def text(self) -> str:
        assert sorted(self.frames) == list(range(1, len(self.frames) + 1))
        deltas = [self.frames[seq] for seq in sorted(self.frames) if self.frames[seq]["event"] == "delta"]
        return "".join(frame["data"]["text"] for frame in deltas)


async def begun(client: Visitor | Listener) -> None:
    await until(lambda: client.has_begun)


class Listener:
    """`POST /v1/ask`, streamed: one connection from the first word to the last."""

    def __init__(self, cluster: Cluster, question: str) -> None:
        self._url = f"http://127.0.0.1:{cluster.ports.http}/v1/ask"
        self._headers = {"Authorization": f"Bearer {cluster.key}"}
        self.question = question
        self.replica: str | None = None
        self.text = ""
        self.ended_with: str | None = None
        self.began_at = self.ended_at = 0.0

    async def run(self) -> None:
        body = {"question": self.question, "stream": True}
        self.began_at, event = time.monotonic(), ""
        async with (
            httpx.AsyncClient(timeout=60) as client,
            client.stream("POST", self._url, headers=self._headers, json=body) as response,
        ):
            assert response.status_code == 200
            self.replica = response.headers["X-ZeroWait-Replica"]
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif event == "delta" and line.startswith("data: "):
                    self.text += json.loads(line.removeprefix("data: "))["text"]
        self.ended_with, self.ended_at = event, time.monotonic()

    @property
    def has_begun(self) -> bool:
        return bool(self.text)

    @property
    def is_whole(self) -> bool:
        return self.ended_with == "done"


@asynccontextmanager
async def asking_all_the_time(cluster: Cluster) -> AsyncIterator[list[str]]:
    """A published question every half second, each over a connection of its own. What went wrong is added to the list."""
    wrong: list[str] = []

    async def ask() -> None:
        while True:
            try:
                reply = await asyncio.to_thread(cluster.ask, "Shipping fee?")
                if reply.status_code != 200:
                    wrong.append(f"{reply.status_code} {reply.text}")
            except httpx.HTTPError as error:
                wrong.append(repr(error))
            await asyncio.sleep(0.5)

    asking = asyncio.create_task(ask())
    try:
        yield wrong
    finally:
        asking.cancel()
        await asyncio.wait([asking])


@pytest.mark.timeout(900)  # it takes over three minutes where nothing else runs
async def test_no_stream_is_cut_and_no_socket_is_lost(cluster: Cluster) -> None:
    fleet = Fleet(cluster)
    await fleet.deploys()
    async with asking_all_the_time(cluster) as wrong, asyncio.TaskGroup() as clients:
        tasks: list[asyncio.Task[None]] = []

        async def come(*coming: Visitor | Listener) -> None:
            """One after the other, so that HAProxy, which takes the replica with the fewest connections, spreads them."""
            for client in coming:
                tasks.append(clients.create_task(client.run()))
                await begun(client)

        song, first, idle = Listener(cluster, SONG), Visitor(cluster, SONG), Visitor(cluster)
        await come(song, first, idle)
        await fleet.deploys(replicas=2)
        assert (first.codes, idle.codes) == ([], [])

        poems = [Listener(cluster, POEM)]
        told, quick, more = ([Visitor(cluster, question) for _ in range(2)] for question in (POEM, JOKE, None))
        visitors = [*told, *quick, *more]
        await come(*poems, *visitors)
        while len({poem.replica for poem in (song, *poems)}) == 1:
            poems.append(Listener(cluster, POEM))
            await come(poems[-1])
        assert all(fleet.connections()), "every ingress has some of them"
        await fleet.deploys(replicas=1)
        await until(lambda: any(visitor.codes for visitor in visitors))
        assert (first.codes, idle.codes) == ([], []), "a replica that stays keeps its sockets"

        await fleet.deploys(anew="gateway")
        await until(lambda: all(visitor.codes for visitor in (first, idle, *visitors)))
        await fleet.deploys(anew="engine")
        streams = [song, first, *poems, *told, *quick]
        await until(lambda: all(stream.is_whole for stream in streams))
        await idle.asks("Shipping fee?")
        await fleet.is_done()
        for task in tasks:
            task.cancel()
    assert song.ended_at - song.began_at >= 180
    for stream in streams:
        assert stream.text == said(stream.question)
    assert {code for visitor in (first, idle, *visitors) for code in visitor.codes} == {RESTART}
    assert wrong == []


def said(question: str | None) -> str:
    assert question is not None
    tokens = next(tokens for word, tokens in TOKENS.items() if word in question)
    tokenizer = packaged_tokenizer()
    return tokenizer.decode(answer(tokenizer, tokens))
