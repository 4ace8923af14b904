"""Which processors a replica takes, and where they must lie."""

from __future__ import annotations

from typing import Any

from serve_app.config import Config


def placement_group(config: Config) -> dict[str, Any] | None:
    """Serve's options for a model that is spread over several GPUs; None when one replica needs no more than one.

    By default vLLM's workers are Ray actors: one bundle a GPU, and the replica itself, which uses none, lives in the first.
    Tensor parallelism talks at every layer, so its GPUs share a node; a pipeline hands over once a stage, and may cross nodes.
    With `model.engine.distributed_executor_backend: mp` the workers are the replica's own processes, and it takes all GPUs.
    """
    model, room = config.model, config.rooms.inference
    workers = model.tensor_parallel_size * model.pipeline_parallel_size
    if workers == 1:
        return None
    if model.engine.get("distributed_executor_backend") == "mp":
        return {"ray_actor_options": {"num_cpus": room.cpus, "num_gpus": float(workers) if room.gpus else 0.0}}
    first = {"CPU": room.cpus, "GPU": 1.0} if room.cpus else {"GPU": 1.0}
    return {
        "ray_actor_options": {"num_cpus": room.cpus, "num_gpus": 0.0},
        "placement_group_bundles": [first, *({"GPU": 1.0} for _ in range(workers - 1))],
        "placement_group_strategy": "STRICT_PACK" if model.pipeline_parallel_size == 1 else "PACK",
    }
