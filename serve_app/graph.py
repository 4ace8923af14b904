"""The one page where what ZeroWait does meets how Ray runs it: every deployment, every option, every edge."""

# Ray types its decorators only in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import os
from typing import Any

from ray import serve
from ray.serve.deployment import Application, Deployment

from deployments.cache.room import Cache
from deployments.context.room import Context
from deployments.inference.door import Door
from deployments.inference.placement import placement_group
from deployments.inference.room import Inference
from deployments.ingress.room import Ingress
from serve_app.config import Config, RoomSettings

ROUTER = "deployments.inference.router:FleetRouter"
# Longer than the longest answer: a replica that is being replaced ends its streams first.
DRAIN_S = 120


def build(config: Config) -> Application:
    """The application for `serve run serve_app.graph:build` and for Serve's configuration files.

    `config.role` says which part: everything in one application (`both`), or the two of a production deployment, because
    Serve restarts every replica of an application whose settings change, and an engine takes minutes to load.
    """
    config = config.resolved(os.environ)
    if config.role == "engine":
        return deploy(Door, RoomSettings()).bind(inference(config))
    return ingress(config, engine=inference(config) if config.role == "both" else None)


def ingress(config: Config, engine: Application | None) -> Application:
    """Ingress with the rooms that it asks. Without an `engine` it finds the one that runs as `config.engine_app`."""
    rooms = config.rooms
    context = deploy(Context, rooms.context).bind(config)
    cache = deploy(Cache, rooms.cache).bind(config)
    return deploy(serve.ingress()(Ingress), rooms.ingress, name="Ingress").bind(config, context, cache, engine)


def inference(config: Config) -> Application:
    """The model's replicas, behind a router that keeps a session where its keys and values are."""
    options: dict[str, Any] = {
        "request_router_config": {"request_router_class": ROUTER},
        "health_check_period_s": 5,
        "health_check_timeout_s": 30,
    }
    if (bundles := placement_group(config)) is not None:
        options |= bundles
    return deploy(Inference, config.rooms.inference, **options).bind(config)


def deploy(room: Any, settings: RoomSettings, **options: Any) -> Deployment:
    """A room as a Serve deployment: plain classes become deployments here and nowhere else."""
    return serve.deployment(
        name=options.pop("name", None) or room.__name__,
        num_replicas=settings.replicas,
        max_ongoing_requests=settings.max_ongoing_requests,
        ray_actor_options=options.pop("ray_actor_options", {"num_cpus": settings.cpus, "num_gpus": settings.gpus}),
        graceful_shutdown_timeout_s=DRAIN_S,
        graceful_shutdown_wait_loop_s=0.5,
        **options,
    )(room)
