"""Two ingress processes over two replicas with the scripted engine. Each HTTP request is one question, streamed as lines.

What failover does is written into `events` in the data folder.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse
from ray import serve
from ray.serve.deployment import Application, Deployment
from ray.serve.handle import DeploymentHandle

from deployments.handles import InferenceHandle
from deployments.inference.room import Inference
from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.answering.failover import Event, Failover
from serve_app.config import Config, FailoverSettings
from serve_app.domain.generation import Finished, Generate, Sampling, Started, Tokens
from serve_app.fleet import Fleet
from serve_app.ports import Engine

TOKEN_S = 0.05


def counted_engine(config: Config) -> Engine:
    """Says 7, 8, 9, … For each question's generation it writes its process id into `generations` in the data folder."""

    def script(request: Generate) -> list[int]:
        # Not the question that a replica's health check asks after a caller has left.
        if request.join_key is not None:
            with (config.home / "generations").open("a") as counted:
                counted.write(f"{os.getpid()}\n")
        return list(range(7, 3007))

    return ScriptedEngine(script, token_s=TOKEN_S)


class Front:
    """`GET /?key=K&tokens=N` gives lines of JSON: {"front", "replica"}, lists of token ids, {"reason", "completion_tokens"}."""

    def __init__(self, inference: DeploymentHandle, data_dir: Path) -> None:
        self._name = f"front-{os.getpid()}"

        def count(event: Event) -> None:
            with (data_dir / "events").open("a") as counted:
                counted.write(f"{event}\n")

        # A busy machine is slow, not silent.
        replicas = InferenceHandle(inference, Fleet(time.monotonic), self._name)
        self._room = Failover(replicas, FailoverSettings(silence_s=60), time.monotonic, count)
        self._numbers = itertools.count()

    async def __call__(self, request: Request) -> StreamingResponse:
        key, tokens = request.query_params["key"], int(request.query_params["tokens"])
        name = f"{self._name}-{next(self._numbers)}"
        asked = Generate(name, [1] * 8, Sampling(max_tokens=tokens), key, "demo", timeout_s=300, join_key=f"{key}-{tokens}")
        return StreamingResponse(self._lines(asked), media_type="text/plain")

    async def _lines(self, asked: Generate) -> AsyncGenerator[str, None]:
        async for piece in self._room.generate(asked):
            match piece:
                case Started():
                    yield _line({"front": self._name, "replica": piece.replica_id})
                case Finished():
                    yield _line({"reason": piece.reason, "completion_tokens": piece.completion_tokens})
                case Tokens():
                    yield _line(piece.token_ids)


def application(data_dir: Path) -> Application:
    router = {"request_router_class": "deployments.inference.router:FleetRouter"}
    inference = _deployed(Inference, 256, request_router_config=router).bind(Config(data_dir=data_dir), counted_engine)
    return _deployed(Front, 256).bind(inference, data_dir)


def _line(value: Any) -> str:
    return json.dumps(value) + "\n"


def _deployed(room: type[Any], max_ongoing_requests: int, **options: Any) -> Deployment:
    return serve.deployment(
        name=room.__name__,
        num_replicas=2,
        max_ongoing_requests=max_ongoing_requests,
        ray_actor_options={"num_cpus": 0},
        graceful_shutdown_timeout_s=1,
        **options,
    )(room)
