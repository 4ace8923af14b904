"""The inference room: one replica, one engine."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from ray import serve

from serve_app import tracing
from serve_app.adapters.vllm_engine import VllmEngine
from serve_app.adapters.vllm_stats import ray_stat_loggers
from serve_app.beats import Beats
from serve_app.config import Config
from serve_app.domain.generation import Beat, Finished, Generate, Piece, Started, Tokens
from serve_app.joining import Joining
from serve_app.packaged_model import model_path
from serve_app.ports import Engine
from serve_app.replica_load import ReplicaLoad
from serve_app.replica_signals import ReplicaSignals


def vllm_engine(config: Config) -> Engine:
    return VllmEngine(config.model, config.model.path or model_path(config.home), ray_stat_loggers)


class Inference:
    """Serve counts it as ready when its constructor has ended: the model is loaded then, and warm."""

    async def __init__(  # pyright: ignore[reportGeneralTypeIssues] Serve awaits it
        self, config: Config, make_engine: Callable[[Config], Engine] = vllm_engine
    ) -> None:
        tracing.configure("inference", os.environ)
        self._replica_id = serve.get_replica_context().replica_id.unique_id
        self._engine = make_engine(config)
        await self._engine.start()
        self._signals = ReplicaSignals(self._engine.signals, self._engine.generate, time.monotonic)
        self._load = ReplicaLoad(self._replica_id, self._signals.generate, time.monotonic)
        self._joining = Joining(self._load.generate)
        self._beats = Beats(self._engine, config.failover.stall_s, time.monotonic)

    async def generate(self, request: Generate) -> AsyncGenerator[Piece | Beat, None]:
        """Started, then Tokens as they come, and Beats while there are none, then Finished. Closing it, or losing the caller,
        aborts."""
        self._signals.took(request)
        yield Started(self._replica_id, "home", self._load.report(request.origin))
        tracer, parent = tracing.tracer(), tracing.incoming(request.trace)
        span = tracer.start_span("generate", context=parent)
        try:
            async with aclosing(self._beats.beating(self._joining.generate(request))) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Finished):
                        span.set_attribute("gen_ai.usage.input_tokens", piece.prompt_tokens)
                        span.set_attribute("gen_ai.usage.output_tokens", piece.completion_tokens)
                        span.set_attribute("zerowait.cached_tokens", piece.cached_tokens)
                    tell = self._load.news if isinstance(piece, Tokens) else self._load.report
                    yield replace(piece, load=tell(request.origin))
        finally:
            span.end()

    async def check_health(self) -> None:
        """Serve replaces the replica when this raises three times in a row."""
        await self._beats.check()

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """Serve asks once a second, where the number of replicas is not fixed."""
        return self._signals.told()

    async def in_flight(self) -> int:
        """Generations that run or wait here."""
        return self._engine.in_flight

    async def __del__(self) -> None:
        await self._beats.aclose()
        await self._engine.close()
