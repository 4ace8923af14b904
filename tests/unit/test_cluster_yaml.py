"""cluster.yaml, as `ray up` reads it."""

from __future__ import annotations

import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from serve_app.bootstrap import ROOT
from serve_app.config import DeadlineSettings


def test_rays_launcher_takes_it() -> None:
    config = prepare_config(yaml.safe_load((ROOT / "cluster.yaml").read_text()))
    validate_config(config)
    assert config["max_workers"] == len(config["provider"]["worker_ips"])


def test_every_node_gets_the_environment_and_the_locked_packages() -> None:
    config = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    for commands in (config["head_start_ray_commands"], config["worker_start_ray_commands"]):
        assert any("cluster.env" in command and "ray start" in command for command in commands)
    assert any("make venv" in command for command in config["setup_commands"])
    lines = (ROOT / "serve_app" / "configs" / "cluster.env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert variables["RAY_SERVE_ENABLE_HA_PROXY"] == variables["RAY_SERVE_THROUGHPUT_OPTIMIZED"] == "1"
    # An ingress that is replaced lets its sockets finish their answers.
    assert float(variables["RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S"]) > DeadlineSettings().request_s
