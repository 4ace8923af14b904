"""Which processors a replica asks Ray for."""

from __future__ import annotations

from typing import Any

from deployments.inference.placement import placement_group
from serve_app.config import Config, InferenceSettings, ModelSettings, Rooms


def placed(cpus: float = 2.0, gpus: float = 1.0, **model: Any) -> dict[str, Any] | None:
    return placement_group(Config(model=ModelSettings(**model), rooms=Rooms(inference=InferenceSettings(cpus=cpus, gpus=gpus))))


def test_one_processor_needs_no_group() -> None:
    assert placed() is None


def test_tensor_parallel_workers_share_a_node() -> None:
    options = placed(tensor_parallel_size=2)
    assert options == {
        "ray_actor_options": {"num_cpus": 2.0, "num_gpus": 0.0},
        "placement_group_bundles": [{"CPU": 2.0, "GPU": 1.0}, {"GPU": 1.0}],
        "placement_group_strategy": "STRICT_PACK",
    }


def test_a_pipeline_may_cross_nodes() -> None:
    options = placed(tensor_parallel_size=2, pipeline_parallel_size=2, cpus=0)
    assert options is not None
    assert options["placement_group_strategy"] == "PACK"
    assert options["placement_group_bundles"] == [{"GPU": 1.0}] * 4


def test_workers_that_are_the_replica_s_own_processes_use_its_gpus() -> None:
    options = placed(tensor_parallel_size=2, engine={"distributed_executor_backend": "mp"})
    assert options == {"ray_actor_options": {"num_cpus": 2.0, "num_gpus": 2.0}}
