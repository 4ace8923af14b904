"""A small application over the inference room, with the scripted engine: what the ingress does with it, and nothing else."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

from fastapi import Request
from ray import serve
from ray.serve.deployment import Application, Deployment
from ray.serve.handle import DeploymentHandle

from deployments.handles import InferenceHandle
from deployments.inference.room import Inference
from deployments.route_metrics import RouteMetrics
from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.config import Config
from serve_app.domain.errors import InternalError, ZeroWaitError
from serve_app.domain.generation import Finished, Generate, Sampling, Started, Tokens
from serve_app.fleet import Fleet
from serve_app.ports import Engine

TOKENS = 200
TOKEN_S = 0.02


def slow_engine(_: Config) -> Engine:
    """Says 200 tokens in 4 s."""
    return ScriptedEngine(lambda _: [7] * TOKENS, token_s=TOKEN_S)


def a_request(name: str, session: str | None, *, tokens: int = 3, prompt_tokens: int = 8) -> Generate:
    return Generate(name, [1] * prompt_tokens, Sampling(max_tokens=tokens), session, "demo", timeout_s=30)


class Front:
    """`POST /` with `[{"session", "tokens"}]` makes these calls at the same time, within one HTTP request."""

    def __init__(self, inference: DeploymentHandle) -> None:
        self._name = serve.get_replica_context().replica_id.unique_id
        self._room = InferenceHandle(inference, Fleet(time.monotonic, counts=RouteMetrics()), self._name)

    async def __call__(self, request: Request) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = await request.json()
        return list(await asyncio.gather(*(self._call(call) for call in calls)))

    async def _call(self, call: dict[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = {"front": self._name, "tokens": 0}
        options = {name: call[name] for name in ("tokens", "prompt_tokens") if name in call}
        try:
            async for piece in self._room.generate(a_request(uuid4().hex, call.get("session"), **options)):
                if isinstance(piece, Started):
                    said |= {"replica": piece.replica_id, "route": piece.route}
                elif isinstance(piece, Tokens):
                    said["tokens"] += len(piece.token_ids)
                elif isinstance(piece, Finished):
                    said["reason"] = piece.reason
        except (InternalError, ZeroWaitError) as error:
            said["error"] = type(error).__name__
        return said


def application(replicas: int = 2, max_ongoing_requests: int = 16, fronts: int = 1) -> Application:
    router = {"request_router_class": "deployments.inference.router:FleetRouter"}
    inference = _deployed(Inference, replicas, max_ongoing_requests, request_router_config=router)
    return _deployed(Front, fronts, 64).bind(inference.bind(Config(), slow_engine))


def _deployed(room: type[Any], replicas: int, max_ongoing_requests: int, **options: Any) -> Deployment:
    return serve.deployment(
        name=room.__name__,
        num_replicas=replicas,
        max_ongoing_requests=max_ongoing_requests,
        ray_actor_options={"num_cpus": 0},
        graceful_shutdown_timeout_s=1,
        **options,
    )(room)
