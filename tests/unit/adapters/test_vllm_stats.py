"""What is kept of vLLM's steps."""

from __future__ import annotations

from dataclasses import dataclass

from serve_app.adapters.vllm_stats import EngineSteps
from serve_app.ports import EngineSignals


@dataclass
class Stats:
    num_running_reqs: int
    num_waiting_reqs: int
    num_skipped_waiting_reqs: int
    kv_cache_usage: float


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_step_moves_it() -> None:
    clock = Clock()
    steps = EngineSteps(clock)
    clock.now = 105.0
    steps.step(Stats(3, 1, 1, 0.5))
    clock.now = 120.0
    assert steps.signals(idle=False) == EngineSignals(running=3, waiting=2, kv_use=0.5, moved_at=105.0)


def test_a_step_without_figures_moves_it_too() -> None:
    clock = Clock()
    steps = EngineSteps(clock)
    steps.step(Stats(3, 0, 0, 0.5))
    clock.now = 105.0
    steps.step(None)
    assert steps.signals(idle=False) == EngineSignals(3, 0, 0.5, 105.0)


def test_what_begins_after_a_pause_is_not_late() -> None:
    clock = Clock()
    steps = EngineSteps(clock)
    clock.now = 500.0
    steps.begin()
    clock.now = 501.0
    assert steps.signals(idle=False).moved_at == 500.0


def test_with_nothing_to_do_it_has_just_moved_and_runs_nothing() -> None:
    clock = Clock()
    steps = EngineSteps(clock)
    steps.step(Stats(3, 2, 0, 0.5))
    clock.now = 120.0
    assert steps.signals(idle=True) == EngineSignals(0, 0, 0.0, 120.0)
