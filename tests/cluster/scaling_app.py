"""The product's inference with an engine of a script, and a policy that can be made to fail by what stands in the record."""

from __future__ import annotations

from typing import Any

from ray.serve.config import AutoscalingContext
from ray.serve.deployment import Application

from deployments.inference import scaling
from deployments.inference.door import Door
from serve_app import graph
from serve_app.config import Config, RoomSettings
from tests.cluster.inference_app import slow_engine

FAILS = "this one fails"


class FragilePolicy(scaling.LivePolicy):
    """The real one; it raises while the policy's `notes` say so."""

    def wanted(self, ctx: AutoscalingContext) -> int:
        in_force = self.in_force()
        if in_force is not None and in_force.policy.notes == FAILS:
            raise RuntimeError(FAILS)
        return super().wanted(ctx)


def application(config: Config) -> Application:
    return graph.deploy(Door, RoomSettings(), config).bind(graph.inference(config, slow_engine))


def fragile(config: Config) -> dict[str, Any] | None:
    """In the place of `deployments.inference.scaling.autoscaling`."""
    return scaling.autoscaling(config, policy=f"{__name__}:{FragilePolicy.__name__}")
