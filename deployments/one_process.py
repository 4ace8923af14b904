"""The application in one process, without Ray, on a free port of 127.0.0.1: for tests and benchmarks.

Every room is the real one. A cluster adds replicas and routing, nothing that an answer says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Protocol

import uvicorn
from fastapi import FastAPI

from deployments.cache.room import Cache
from deployments.context.room import Context
from serve_app.adapters.memory_tier_counts import MemoryTierCounts
from serve_app.api.app import create_app
from serve_app.assembly import OtherRooms, assemble
from serve_app.config import Config
from serve_app.domain.generation import Generate, Piece, Started
from serve_app.ports import Engine, InferenceRoom, TierCounts


class LocalInference:
    """The inference room without Ray: one replica, in this process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def generate(self, request: Generate) -> AsyncGenerator[Piece, None]:
        yield Started("replica-1", "home")
        async with aclosing(self._engine.generate(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def check(self) -> None:
        await self._engine.check_health()


class CheckedInference(InferenceRoom, Protocol):
    async def check(self) -> None:
        """Raises ModelFailed."""
        ...


@asynccontextmanager
async def serving(config: Config, engine: Engine, counts: TierCounts | None = None) -> AsyncGenerator[tuple[str, int]]:
    """Host and port. `config` is resolved and its data folder prepared (`zerowait setup`); `engine` has been started.

    Raises ConfigError, StoreFailed.
    """
    async with serving_with(config, LocalInference(engine), counts) as address:
        yield address


@asynccontextmanager
async def serving_with(
    config: Config, inference: CheckedInference, counts: TierCounts | None = None
) -> AsyncGenerator[tuple[str, int]]:
    """The same, with an inference room that has been made elsewhere."""
    async with AsyncExitStack() as stack:
        cache, context = Cache(config), Context(config)
        stack.push_async_callback(context.aclose)
        stack.push_async_callback(cache.aclose)
        # Serve calls it before it counts a replica as ready.
        await cache.check_health()
        checks = {"cache": cache.check_health, "context": context.check_health, "inference": inference.check}
        rooms = OtherRooms(cache, context, inference, checks)
        services = await assemble(config, rooms, counts or MemoryTierCounts(), stack)
        yield await _listen(create_app(services), stack)


async def _listen(app: FastAPI, stack: AsyncExitStack) -> tuple[str, int]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve())

    async def stop() -> None:
        server.should_exit = True
        await task

    stack.push_async_callback(stop)
    while not server.started:
        if task.done():
            task.result()
            raise RuntimeError("the server ended before it listened")
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    return host, port
