"""Where a replica's GPUs must lie."""

from __future__ import annotations

from typing import Any

from serve_app.config import Config


def placement_group(config: Config) -> dict[str, Any] | None:
    """Serve's options for a model that is spread over several GPUs; None when one replica needs no more than one.

    One bundle a GPU; the replica itself lives in the first. Tensor parallelism talks at every layer, so its GPUs share a node;
    a pipeline hands over once a stage, and may cross nodes.
    """
    model, room = config.model, config.rooms.inference
    gpus = model.tensor_parallel_size * model.pipeline_parallel_size
    if gpus == 1:
        return None
    first = {"CPU": room.cpus, "GPU": 1.0}
    strategy = "STRICT_PACK" if model.pipeline_parallel_size == 1 else "PACK"
    bundles = [{name: amount for name, amount in first.items() if amount}] + [{"GPU": 1.0}] * (gpus - 1)
    return {"placement_group_bundles": bundles, "placement_group_strategy": strategy}
