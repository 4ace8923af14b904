"""The arithmetic of `benchmarks.capacity`."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peak.sizing import Costs, needed

PEAK: dict[str, Any] = yaml.safe_load((files("benchmarks.peak") / "peak.yaml").read_text())
COSTS = Costs(
    cpu_ms={
        "memory": {"Ingress": 2.0, "valkey-server": 0.1, "haproxy": 0.2},
        "template": {"Ingress": 4.0, "Context": 3.0, "valkey-server": 0.1, "haproxy": 0.2},
        "suggestion": {"Ingress": 3.0, "Cache": 40.0, "valkey-server": 0.1, "haproxy": 0.2},
        "model": {"Ingress": 20.0, "Cache": 40.0, "Inference": 10.0, "valkey-server": 0.2, "haproxy": 1.0},
    },
    idle={"Ingress": 0.02},
)
SHARES = st.tuples(*[st.integers(0, 100)] * 4).filter(any).map(
    lambda parts: dict(zip(("memory", "template", "suggestion", "model"), [part / sum(parts) for part in parts], strict=True))
)  # fmt: skip


def test_one_core_is_full_when_its_questions_and_what_runs_by_itself_fill_it() -> None:
    assert COSTS.peak_per_s({"memory": 1.0}) == pytest.approx(0.98 / 2.3 * 1000)


@given(SHARES, st.floats(100, 1e6))
def test_at_the_first_wall_one_of_that_part_is_just_enough(shares: dict[str, float], rate: float) -> None:
    need = needed(rate, shares, COSTS, PEAK["given"])
    assert list(need.walls.values()) == sorted(need.walls.values())
    full_at = need.walls["an ingress process"]
    assert needed(full_at * 0.999, shares, COSTS, PEAK["given"]).ingresses == 1
    assert needed(full_at * 1.001, shares, COSTS, PEAK["given"]).ingresses == 2


@given(SHARES, st.floats(1000, 1e6))
def test_twice_the_rate_takes_twice_the_cores(shares: dict[str, float], rate: float) -> None:
    once, twice = (needed(rate * factor, shares, COSTS, PEAK["given"]) for factor in (1, 2))
    assert sum(twice.cores.values()) == pytest.approx(2 * sum(once.cores.values()))
    assert twice.gpus <= 2 * once.gpus


def test_every_mix_asked_about_adds_up_and_without_a_model_no_gpu_is_needed() -> None:
    for shares in PEAK["mixes"].values():
        assert sum(shares.values()) == pytest.approx(1)
        assert needed(PEAK["peak_per_s"], shares, COSTS, PEAK["given"]).gpus > 0
    assert needed(1000, {"memory": 1.0}, COSTS, PEAK["given"]).gpus == 0
