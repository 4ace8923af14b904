"""Every preset's replicas find their places on the machine that it names. Ray takes its word for the number of GPUs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import ray
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group

from deployments.inference import placement
from serve_app.config import Config
from serve_app.local import serve_file

# The machine's GPUs, by preset.
GPUS = {
    "one-gpu.yaml": 1,
    "four-gpus.yaml": 4,
    "four-gpus-tensor.yaml": 4,
    "four-gpus-pipeline.yaml": 4,
    "eight-gpus.yaml": 8,
    "eight-gpus-tensor.yaml": 8,
}


@pytest.fixture(scope="module")
def machine() -> Iterator[None]:
    os.environ["RAY_AUTH_MODE"] = "disabled"
    ray.init(num_cpus=2, num_gpus=8, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def engine_of(name: str) -> Config:
    tree, _ = serve_file.read(serve_file.default().with_name(name))
    configs = [Config.model_validate(application["args"]) for application in tree["applications"]]
    return next(config for config in configs if config.role != "gateway")


def test_every_preset_for_gpus_is_here() -> None:
    assert set(GPUS) == {file.name for file in serve_file.default().parent.glob("*gpu*.yaml")}


@pytest.mark.parametrize(("name", "gpus"), GPUS.items())
def test_all_replicas_of_a_preset_find_their_places_and_take_all_gpus(machine: None, name: str, gpus: int) -> None:
    config = engine_of(name)
    options = placement.placement_group(config) or one_place(config)
    assert sum(bundle["GPU"] for bundle in options["placement_group_bundles"]) * config.rooms.inference.replicas == gpus
    groups = [reserved(options) for _ in range(config.rooms.inference.replicas)]
    try:
        ray.get([group.ready() for group in groups], timeout=60)
    finally:
        for group in groups:
            remove_placement_group(group)


def one_place(config: Config) -> dict[str, Any]:
    room = config.rooms.inference
    return {"placement_group_bundles": [{"GPU": room.gpus}], "placement_group_strategy": "PACK"}


def reserved(options: dict[str, Any]) -> PlacementGroup:
    return placement_group(options["placement_group_bundles"], strategy=options["placement_group_strategy"])
