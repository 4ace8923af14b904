"""What vLLM says of itself after every step."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from serve_app.ports import EngineSignals


def ray_stat_loggers() -> list[Any]:
    """vLLM's logger that exports through Ray's metrics; for an engine inside a Serve replica."""
    wrappers = importlib.import_module("vllm.v1.metrics.ray_wrappers")
    return [wrappers.RayPrometheusStatLogger]


class EngineSteps:
    """Keeps an engine's last step. `monotonic` gives seconds.

    vLLM's figures are read as those of one engine: a replica has no data parallelism of its own.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._moved_at = monotonic()
        self._running = 0
        self._waiting = 0
        self._kv_use = 0.0

    def begin(self) -> None:
        """The engine has something to do, after a time without."""
        self._moved_at = self._monotonic()

    def step(self, stats: Any | None) -> None:
        """`stats`: vLLM's SchedulerStats; None when a step had none."""
        self._moved_at = self._monotonic()
        if stats is not None:
            self._running = stats.num_running_reqs
            # Those that wait for more than a place, such as keys and values from elsewhere, stand apart.
            self._waiting = stats.num_waiting_reqs + stats.num_skipped_waiting_reqs
            self._kv_use = stats.kv_cache_usage

    def signals(self, *, idle: bool) -> EngineSignals:
        """`idle`: nothing is in flight, and nothing holds keys and values. No step tells of an aborted generation's end."""
        if idle:
            return EngineSignals(0, 0, 0.0, self._monotonic())
        return EngineSignals(self._running, self._waiting, self._kv_use, self._moved_at)

    def stat_logger(self) -> Callable[..., Any]:
        """A factory for vLLM's `stat_loggers`. Imports vLLM, whose environment must have been set."""
        base: Any = importlib.import_module("vllm.v1.metrics.loggers").StatLoggerBase

        def record(_: Any, scheduler_stats: Any = None, *_args: Any, **_named: Any) -> None:
            self.step(scheduler_stats)

        def nothing(*_args: Any, **_named: Any) -> None: ...

        return type("StepLogger", (base,), {"__init__": nothing, "record": record, "log_engine_initialized": nothing})
