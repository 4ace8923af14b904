"""The two applications that are compared, in one Ray: the shop's, and a FastAPI no-op under the ingress's own options.

The shop's is `serve_app.graph`'s whole graph; only its engine is scripted, since no hit asks the model.
"""

# No postponed annotations: Serve reads those of the builders.

import os

from fastapi import FastAPI
from ray import serve
from ray.serve.deployment import Application

from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.config import Config
from serve_app.graph import deploy, inference, ingress
from serve_app.ports import Engine

NOOP_PREFIX = "/noop"


def scripted(_config: Config) -> Engine:
    return ScriptedEngine(lambda _request: [])


def shop(config: Config) -> Application:
    config = config.resolved(os.environ)
    return ingress(config, inference(config, scripted))


class NoOp:
    """One process."""

    def __init__(self) -> None:
        self._app = FastAPI()

        @self._app.post("/v1/ask")
        async def nothing():  # pyright: ignore[reportUnusedFunction] no annotation: FastAPI checks no response then
            return {"status": "ok"}

    def __serve_build_asgi_app__(self) -> FastAPI:
        return self._app


def noop(config: Config) -> Application:
    return deploy(serve.ingress()(NoOp), config.rooms.ingress, config, name="NoOp").bind()
