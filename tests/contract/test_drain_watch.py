"""How an ingress learns that it is replaced: from a health route like Serve's, on the port that its sockets come in by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from starlette.responses import PlainTextResponse, Response
from websockets.asyncio.client import connect

from deployments.ingress import draining
from deployments.ingress.draining import DrainWatch
from serve_app import graph
from serve_app.api.draining import Draining
from serve_app.config import Config


class Replica:
    """An ASGI server whose health route says `health`; its sockets wait for their turn to go."""

    def __init__(self) -> None:
        self.health = Response("success")
        self.asked = 0
        self.draining = Draining(spread_s=(0, 0))
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        app = FastAPI()

        @app.get("/-/healthz")
        async def healthz() -> Response:  # pyright: ignore[reportUnusedFunction]
            self.asked += 1
            return self.health

        @app.websocket("/ws")
        async def ws(websocket: WebSocket) -> None:  # pyright: ignore[reportUnusedFunction]
            await websocket.accept()
            await self.draining.turn()
            await websocket.close(1012)

        async with AsyncExitStack() as stack:
            app.add_middleware(DrainWatch, draining=self.draining, stack=stack)
            server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
            task = asyncio.create_task(server.serve())
            async with asyncio.timeout(30):
                while not server.started:
                    await asyncio.sleep(0.01)
            self.port = server.servers[0].sockets[0].getsockname()[1]
            try:
                yield
            finally:
                server.should_exit = True
                await task


@pytest.fixture
async def replica(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Replica]:
    monkeypatch.setattr(draining, "POLL_S", 0.02)
    found = Replica()
    async with found.serving():
        yield found


@pytest.mark.parametrize("health", [Response("success"), PlainTextResponse("UNHEALTHY", 503)], ids=["well", "unwell"])
async def test_sockets_stay_until_the_replica_drains(replica: Replica, health: Response) -> None:
    replica.health = health
    async with connect(f"ws://127.0.0.1:{replica.port}/ws") as socket, asyncio.timeout(30):
        while replica.asked < 3:
            await asyncio.sleep(0.01)
        assert socket.close_code is None
        replica.health = PlainTextResponse("DRAINING", 503)
        await socket.wait_closed()
    assert socket.close_code == 1012


@pytest.mark.parametrize(("listens_s", "warnings"), [("20", 1), ("60", 0)])
def test_a_drain_that_is_shorter_than_an_answer_may_take_is_warned_of(
    listens_s: str, warnings: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(graph.LISTENS, listens_s)
    graph.ingress(Config(data_dir=tmp_path).resolved({}), engine=None)
    assert caplog.text.count(f"{graph.LISTENS} is 20 s, less than deadlines.request_s") == warnings
