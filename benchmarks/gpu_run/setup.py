"""What is served: one model and its engine's settings, the same for every arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from serve_app.config import ModelSettings

Router = Literal["affinity", "round-robin", "power-of-two"]
ROUTERS: Mapping[Router, str | None] = {
    "affinity": None,  # the graph's own
    "round-robin": "ray.serve.experimental.round_robin_router:RoundRobinRouter",
    "power-of-two": "ray.serve._private.request_router.pow_2_router:PowerOfTwoChoicesRequestRouter",
}


@dataclass(frozen=True, slots=True)
class Setup:
    """`engine` goes to vLLM as it is. `paced`: no model, tokens at a large one's pace."""

    model: str
    engine: Mapping[str, Any]
    answer_tokens: int
    max_model_len: int = 8192
    tensor: int = 1
    pipeline: int = 1
    replicas: int = 1
    ingresses: int = 1
    gpus: float = 0.0
    router: Router = "affinity"
    paced: bool = False
    flush_ms: int | None = None

    def with_engine(self, engine: Mapping[str, Any]) -> Setup:
        return replace(self, engine={**self.engine, **engine})

    def model_settings(self) -> dict[str, Any]:
        """As they stand in a configuration."""
        return {
            "path": self.model,
            "demo": False,
            # Small talk only: prompts then hold no policies, and are as long as the benchmark makes them.
            "answers": {"languages": ["en"], "kinds": ["chat"]},
            "think_block": False,
            "tensor_parallel_size": self.tensor,
            "pipeline_parallel_size": self.pipeline,
            "max_model_len": self.max_model_len,
            "max_tokens": self.answer_tokens,
            "engine": dict(self.engine),
            **({} if self.flush_ms is None else {"flush_ms": self.flush_ms}),
        }

    def settings(self) -> ModelSettings:
        return ModelSettings.model_validate(self.model_settings())

    def tree(self) -> dict[str, Any]:
        """The Serve file."""
        inference = {"replicas": self.replicas, "gpus": self.gpus, "max_ongoing_requests": 1024}
        args = {
            "model": self.model_settings(),
            "rooms": {"inference": inference, "ingress": {"replicas": self.ingresses, "max_ongoing_requests": 8192}},
            "limits": {"requests_in_flight": 2048},
        }
        application: dict[str, Any] = {
            "name": "zerowait",
            "route_prefix": "/",
            "import_path": f"benchmarks.gpu_run.applications:{'paced' if self.paced else 'shop'}",
            "args": args,
        }
        if (router := ROUTERS[self.router]) is not None:
            config = {"request_router_class": router}
            application["deployments"] = [{"name": "Inference", "request_router_config": config}]
        return {
            "proxy_location": "HeadOnly",
            "http_options": {"keep_alive_timeout_s": 75},
            "applications": [application],
        }
