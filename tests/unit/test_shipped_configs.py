"""The configurations and examples that ZeroWait ships, read as they are."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from serve_app.config import Config
from serve_app.domain.scaling_policy import Budget, Replicas, ScalingPolicy
from serve_app.local import serve_file
from serve_app.scaling_file import read_policy

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "serve_app" / "configs"
POLICY = CONFIGS / "scaling.example.yaml"
SERVE_FILES = sorted(set(CONFIGS.glob("*.yaml")) - {POLICY})


def models() -> list[tuple[str, Config]]:
    """The configuration of every application that is shipped, and of every example of a model in a README."""
    found: list[tuple[str, Config]] = []
    for file in SERVE_FILES:
        tree, _ = serve_file.read(file)
        found += [(f"{file.name}, {one['name']}", Config.model_validate(one["args"])) for one in tree["applications"]]
    for name in ("README.md", "README.zh-CN.md"):
        for block in re.findall(r"```yaml\n(model:.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL):
            found.append((name, Config.model_validate(yaml.safe_load(block))))
    return found


def test_each_serve_file_is_valid() -> None:
    assert {"local.yaml", "one-gpu.yaml", "production.yaml"} <= {file.name for file in SERVE_FILES}
    assert any(where == "README.md" for where, _ in models())


@pytest.mark.parametrize(("where", "config"), models())
def test_a_model_that_would_think_opens_with_an_empty_think_block(where: str, config: Config) -> None:
    if "qwen3" in (config.model.path or "").lower():
        assert config.model.think_block, where


@pytest.mark.parametrize("name", ["four-gpus.yaml", "eight-gpus.yaml"])
def test_the_presets_for_throughput_follow_a_policy_up_to_all_their_cards(name: str) -> None:
    (engine,) = (config for where, config in models() if where == f"{name}, engine")
    assert engine.rooms.inference.replicas_max == engine.rooms.inference.replicas


def test_the_example_of_a_scaling_policy_is_valid_and_shows_the_defaults() -> None:
    policy = read_policy(POLICY.read_text(encoding="utf-8"), POLICY.name)
    defaults = ScalingPolicy()
    assert policy.calendar
    # What has no default that would mean anything is shown with a value.
    target = replace(policy.target, answers_per_s=defaults.target.answers_per_s)
    assert replace(policy, target=target, calendar=(), replicas=Replicas(), budget=Budget()) == defaults
