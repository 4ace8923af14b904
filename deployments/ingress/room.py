"""The ingress room: the HTTP application, over the other rooms' handles."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack

from fastapi import FastAPI
from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.failover_metrics import FailoverMetrics
from deployments.handles import CacheHandle, ContextHandle, InferenceHandle
from deployments.ingress.draining import DrainWatch
from deployments.redis_metrics import redis_metrics
from deployments.route_metrics import RouteMetrics
from deployments.tier_metrics import TierMetrics
from serve_app import tracing
from serve_app.answering.failover import Failover
from serve_app.api.app import create_app
from serve_app.assembly import OtherRooms, assemble
from serve_app.config import Config
from serve_app.fleet import Fleet


class Ingress:
    """One ingress process."""

    async def __init__(  # pyright: ignore[reportGeneralTypeIssues] Serve awaits a constructor
        self, config: Config, context: DeploymentHandle, cache: DeploymentHandle, engine: DeploymentHandle | None
    ) -> None:
        tracing.configure("ingress", os.environ)
        self._stack = AsyncExitStack()
        # In production the engine is an application of its own, which may be deployed later: until then calls wait for it.
        engine = engine or serve.get_deployment_handle("Inference", app_name=config.engine_app, _check_exists=False)
        cache_room, context_room = CacheHandle(cache), ContextHandle(context)
        fleet = Fleet(time.monotonic, counts=RouteMetrics())
        inference = InferenceHandle(engine, fleet, origin=serve.get_replica_context().replica_id.unique_id)
        checks = {"cache": cache_room.check, "context": context_room.check, "inference": inference.check}
        failover = Failover(inference, config.failover, time.monotonic, FailoverMetrics().count)
        self._stack.push_async_callback(failover.aclose)
        rooms = OtherRooms(cache_room, context_room, failover, checks, load=fleet.mean_load)
        counts = TierMetrics()
        telling = asyncio.create_task(counts.run())
        self._stack.callback(telling.cancel)
        services = await assemble(config, rooms, counts, self._stack, watch_redis=redis_metrics())
        # Answers whose sockets have gone to other processes are given from here to their end.
        self._stack.push_async_callback(services.live.settled)
        # Serve answers with a request's id by itself, and hands one of its own in where the caller gave none.
        self._app = create_app(services, name_requests=False)
        self._app.add_middleware(DrainWatch, draining=services.draining, stack=self._stack)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Serve asks for the application when the constructor has ended."""
        return self._app

    async def __del__(self) -> None:
        await self._stack.aclose()
