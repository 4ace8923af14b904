"""The one page where what ZeroWait does meets how Ray runs it: every deployment, every option, every edge."""

# Ray types its decorators only in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import logging
import os
from collections.abc import Callable
from typing import Any

from ray import serve
from ray.serve.deployment import Application, Deployment

from deployments.cache.room import Cache
from deployments.context.room import Context
from deployments.inference.door import Door
from deployments.inference.placement import placement_group
from deployments.inference.room import Inference, vllm_engine
from deployments.inference.scaling import autoscaling
from deployments.ingress.room import Ingress
from serve_app.config import Config, RoomSettings
from serve_app.ports import Engine

logger = logging.getLogger(__name__)

ROUTER = "deployments.inference.router:FleetRouter"
# How long a draining ingress still listens, and sockets may stay: Serve's setting for every node, and its default.
LISTENS, LISTENS_S = "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S", 30.0


def build(config: Config) -> Application:
    """The application for `serve run serve_app.graph:build` and for Serve's configuration files.

    `config.role` says which part: everything in one application (`both`), or the two of a production deployment, because
    Serve restarts every replica of an application whose settings change, and an engine takes minutes to load.
    """
    config = config.resolved(os.environ)
    if config.role == "engine":
        return deploy(Door, RoomSettings(), config).bind(inference(config))
    return ingress(config, engine=inference(config) if config.role == "both" else None)


def ingress(config: Config, engine: Application | None) -> Application:
    """Ingress with the rooms that it asks. Without an `engine` it asks the one that runs, or will, as `config.engine_app`."""
    rooms = config.rooms
    if _listens_s() < config.deadlines.request_s:
        logger.warning(
            "%s is %g s, less than deadlines.request_s: an answer that takes longer is cut off its socket when its process is "
            "replaced, and goes on where its client connects anew",
            LISTENS,
            _listens_s(),
        )
    context = deploy(Context, rooms.context, config).bind(config)
    cache = deploy(Cache, rooms.cache, config).bind(config)
    return deploy(serve.ingress()(Ingress), rooms.ingress, config, name="Ingress").bind(config, context, cache, engine)


def inference(config: Config, make_engine: Callable[[Config], Engine] = vllm_engine) -> Application:
    """The model's replicas, behind a router that keeps a session where its keys and values are."""
    options: dict[str, Any] = {
        "request_router_config": {"request_router_class": ROUTER},
        "health_check_period_s": 5,
        "health_check_timeout_s": 30,
        # A new replica would wait for a GPU that the old one has. So the old ones end first, a fifth of them at a time, at
        # least one: with two or more the others answer meanwhile. Where GPUs are to spare, a Serve file can say 100.
        "max_surge_percent": 0,
    }
    if (bundles := placement_group(config)) is not None:
        options |= bundles
    if (scaling := autoscaling(config)) is not None:
        options |= {"autoscaling_config": scaling, "num_replicas": None}
    return deploy(Inference, config.rooms.inference, config, **options).bind(config, make_engine)


def deploy(room: Any, settings: RoomSettings, config: Config, **options: Any) -> Deployment:
    """A room as a Serve deployment: plain classes become deployments here and nowhere else."""
    return serve.deployment(
        name=options.pop("name", None) or room.__name__,
        num_replicas=options.pop("num_replicas", settings.replicas),
        max_ongoing_requests=settings.max_ongoing_requests,
        ray_actor_options=options.pop("ray_actor_options", {"num_cpus": settings.cpus, "num_gpus": settings.gpus}),
        # A replica that is replaced ends its streams first, the one that began last among them; it goes as soon as it has.
        graceful_shutdown_timeout_s=_listens_s() + config.longest_answer_s,
        graceful_shutdown_wait_loop_s=0.5,
        # New replicas are up before old ones end.
        max_surge_percent=options.pop("max_surge_percent", 100),
        **options,
    )(room)


def _listens_s() -> float:
    return float(os.environ.get(LISTENS, LISTENS_S))
