"""A client of `/v1/ws`, for the tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.graph.front import Front

WITHIN_S = 15.0
ENDS = ("done", "error")

# What only the model answers.
CHAT = "Tell me a joke"

Frame = dict[str, Any]


class SocketClient:
    """One open socket; `ready` is what came after hello."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.ready: Frame = {}

    @property
    def session_id(self) -> str:
        return self.ready["session_id"]

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **fields}))

    async def next(self) -> Frame:
        async with asyncio.timeout(WITHIN_S):
            return json.loads(await self.connection.recv())

    async def until(self, *names: str) -> list[Frame]:
        """The frames up to the first of these events, that one included."""
        frames = [await self.next()]
        while frames[-1]["event"] not in names:
            frames.append(await self.next())
        return frames

    async def answer(self) -> list[Frame]:
        return await self.until(*ENDS)

    async def ask(self, question: str, **fields: Any) -> list[Frame]:
        await self.send("ask", question=question, **fields)
        return await self.answer()

    async def closed(self) -> int | None:
        """The code with which the server closed it."""
        async with asyncio.timeout(WITHIN_S):
            await self.connection.wait_closed()
        return self.connection.close_code

    def cut(self) -> None:
        """As a network does it: no goodbye."""
        self.connection.transport.abort()


@asynccontextmanager
async def open_socket(front: Front, path: str = "/v1/ws", **options: Any) -> AsyncGenerator[SocketClient]:
    """Connected; nothing is said yet."""
    async with connect(f"ws://{front.host}:{front.port}{path}", **options) as connection:
        yield SocketClient(connection)


@asynccontextmanager
async def greeted(
    front: Front, customer: str | None = None, *, session_id: str | None = None, **options: Any
) -> AsyncGenerator[SocketClient]:
    """Connected, and hello said."""
    async with open_socket(front, **options) as socket:
        fields = {"customer_token": front.token(customer)} if customer else {}
        await socket.send("hello", token=front.key, **fields, **({"session_id": session_id} if session_id else {}))
        frame = await socket.next()
        assert frame["event"] == "ready", frame
        socket.ready = frame["data"]
        yield socket


def text_of(frames: list[Frame]) -> str:
    return "".join(frame["data"]["text"] for frame in frames if frame["event"] == "delta")


def names_of(frames: list[Frame]) -> list[str]:
    return [frame["event"] for frame in frames]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.005)
