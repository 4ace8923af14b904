"""The model's replicas on a Ray of this process's own: real rooms, router and engines. And what may befall them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import ray
from ray import serve

from deployments.handles import InferenceHandle
from serve_app.config import Config
from serve_app.fleet import Fleet
from serve_app.graph import build

ROOT = Path(__file__).parents[1]
APP = "engine"

Fault = Literal["kill-replica", "kill-engine", "freeze-replica", "freeze-engine"]
FAULTS: Sequence[Fault] = ("freeze-replica", "freeze-engine", "kill-replica", "kill-engine")


@dataclass(frozen=True)
class Processes:
    """Of one replica."""

    replica: int
    engine: int

    def strike(self, fault: Fault) -> None:
        number = signal.SIGKILL if fault.startswith("kill") else signal.SIGSTOP
        os.kill(self.replica if fault.endswith("replica") else self.engine, number)

    def thaw(self) -> None:
        for pid in (self.replica, self.engine):
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue


@contextmanager
def running(model: Path, replicas: int, say: Callable[[str], None]) -> Generator[InferenceHandle]:
    """Starts them, and ends them and Ray. Nothing that was struck may be left frozen."""
    # A local cluster would else leave a token in the home folder, which every later `ray start` would ask for.
    os.environ["RAY_AUTH_MODE"] = "disabled"
    # Ray gives way to every other process on the machine; an engine that starves is taken for a dead one.
    os.environ.setdefault("RAY_worker_niceness", "0")
    environment = {"env_vars": {"PYTHONPATH": str(ROOT), "VLLM_LOGGING_LEVEL": "WARNING"}}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=environment)
    try:
        with TemporaryDirectory(prefix="zerowait-replicas-") as folder:
            config = Config.model_validate(
                {
                    "role": "engine",
                    "data_dir": folder,
                    "model": {"path": str(model), "max_model_len": 1024},
                    "rooms": {"inference": {"replicas": replicas}},
                }
            )
            begun = time.monotonic()
            serve.start(proxy_location="Disabled")
            serve.run(build(config), name=APP, route_prefix=None)
            say(f"{replicas} replicas after {time.monotonic() - begun:.0f} s")
            yield InferenceHandle(serve.get_deployment_handle("Inference", app_name=APP), Fleet(time.monotonic), "benchmark")
    finally:
        serve.shutdown()
        ray.shutdown()


async def processes_of(replica_id: str) -> Processes:
    replica = await asyncio.to_thread(_pid_of, replica_id)
    return Processes(replica, _engine_below(replica))


def _pid_of(replica_id: str) -> int:
    actors: list[Any] = ray.util.list_named_actors(all_namespaces=True)
    name = next(actor["name"] for actor in actors if actor["name"].endswith(replica_id))
    actor: Any = ray.get_actor(name, namespace="serve")
    return ray.get(actor.__ray_call__.remote(lambda _: os.getpid()))


def _engine_below(pid: int) -> int:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return next(int(child) for child, parent, name in rows if int(parent) == pid and "EngineCore" in name)
