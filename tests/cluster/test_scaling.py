"""The number of replicas follows the record while everything runs: no process ends, whatever an edit says."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.handle import DeploymentHandle

from deployments.handles import InferenceHandle
from serve_app import graph
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_scaling import SqlScaling
from serve_app.config import Config
from serve_app.fleet import Fleet
from serve_app.ports import ScalingRecord
from tests.cluster.inference_app import a_request
from tests.cluster.scaling_app import FAILS, application, fragile

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 60
# One stream fills a replica; what is not needed any more is let go of within the test.
QUICK = "target: {streams: 1}\nwindows: {stable_s: 3, panic_s: 1}\nhysteresis: {down_after_s: 2, down_per_minute: 60}\n"


class Cluster:
    """One application `shop` with the model's replicas, and the record that its policy reads."""

    def __init__(self, home: Path, record: ScalingRecord, metrics_port: int) -> None:
        self.home = home
        self.record = record
        self.metrics_port = metrics_port

    def zerowait(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from serve_app.cli import main; main()", *arguments]
        environ = os.environ | {"ZEROWAIT_DATA_DIR": str(self.home)}
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)

    def apply(self, text: str) -> subprocess.CompletedProcess[str]:
        path = self.home / "policy.yaml"
        path.write_text(text)
        return self.zerowait("policy", "apply", str(path))

    def replicas(self) -> dict[str, int]:
        """The process ids of those that live, by name."""
        actors = cast(list[dict[str, str]], ray.util.list_named_actors(all_namespaces=True))
        pids: dict[str, int] = {}
        for name in (actor["name"] for actor in actors if "#Inference#" in actor["name"]):
            with suppress(ValueError, RayError):  # it has just gone
                pids[name] = _pid(name)
        return pids

    def running(self) -> int:
        states = serve.status().applications["shop"].deployments["Inference"].replica_states
        return sum(count for state, count in states.items() if state == "RUNNING")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < give_up, f"{what}: not within {PATIENCE_S} s\n{self.log()[-4000:]}"
            time.sleep(0.2)

    def until_running(self, count: int) -> None:
        """So many, and none that still starts or ends."""
        self.until(lambda: self.running() == count == len(self.replicas()), f"{count} replicas")

    def log(self) -> str:
        """What Serve's controller has written."""
        session = Path(ray.worker._global_node.get_session_dir_path())  # pyright: ignore
        return "".join(path.read_text() for path in (session / "logs" / "serve").glob("controller_*.log"))

    def metric(self, name: str, **labels: str) -> float:
        """Its sum over the series that have these labels; 0 without one."""
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10).text
        lines = [line for line in text.splitlines() if line.startswith((f"ray_{name}{{", f"ray_{name}_total{{"))]
        shown = [line for line in lines if all(f'{label}="{value}"' in line for label, value in labels.items())]
        return sum(float(line.rsplit(" ", 1)[1]) for line in shown)


def _pid(actor_name: str) -> int:
    actor: Any = ray.get_actor(actor_name, namespace="serve")
    pid: Any = actor.__ray_call__.remote(lambda _: os.getpid())  # pyright: ignore[reportUnknownLambdaType]
    return cast(int, ray.get(pid, timeout=30))


def _controller() -> int:
    return _pid("SERVE_CONTROLLER_ACTOR")


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Cluster]:
    home = tmp_path_factory.mktemp("scaling")
    url = f"sqlite+aiosqlite:///{home / 'record.db'}"
    engine = connect(url)
    await create_tables(engine)
    room = {"inference": {"replicas": 1, "replicas_max": 3}}
    config = Config.model_validate({"data_dir": home, "rooms": room, "record": {"url": url}}).resolved({})
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_AUTH_MODE", "disabled")
    patch.setenv("RAY_metrics_report_interval_ms", "500")
    patch.setattr(graph, "autoscaling", fragile)
    metrics_port = _free_port()
    await asyncio.to_thread(
        ray.init,
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        _metrics_export_port=metrics_port,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
    )
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": _free_port()})
        await asyncio.to_thread(serve.run, application(config), name="shop", route_prefix=None)
        yield Cluster(home, SqlScaling(engine), metrics_port)
    finally:
        await asyncio.to_thread(serve.shutdown)
        await asyncio.to_thread(ray.shutdown)
        await engine.dispose()
        patch.undo()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def test_an_edit_is_followed_and_nothing_restarts(cluster: Cluster) -> None:
    cluster.until_running(1)
    controller, first = _controller(), cluster.replicas()
    done = cluster.apply("replicas: {min: 2, max: 3}\n" + QUICK)
    assert done.returncode == 0, done.stderr
    cluster.until_running(2)
    assert _controller() == controller
    assert first.items() <= cluster.replicas().items()
    assert "replicas 1 -> 2 (floor, policy 1)" in cluster.log()
    cluster.until(lambda: cluster.metric("zerowait_scaling_policy_version") == 1, "the metric of the version")
    cluster.until(lambda: cluster.metric("zerowait_scaling_wanted_replicas") == 2, "the metric of what is wanted")


async def test_a_wrong_edit_is_refused_and_seen(cluster: Cluster) -> None:
    done = cluster.apply("replicas:\n  min: 5\n  max: 1\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "policy.yaml:3: replicas.max: is less than replicas.min, which is 5" in done.stderr
    cluster.until(lambda: "scaling policy 2 of" in cluster.log(), "the refusal in the log")
    cluster.until(lambda: cluster.metric("zerowait_scaling_refused_edits", kind="refused") == 1, "the refusal as a metric")
    assert cluster.running() == 2


async def test_what_cannot_be_read_leaves_the_last_good_one(cluster: Cluster) -> None:
    await cluster.record.add("replicas: {min: three}\n", "hand", datetime.now(UTC))
    cluster.until(
        lambda: "version 3:1: replicas.min: Input should be a valid integer" in cluster.log(), "the reason in the log"
    )
    cluster.until(lambda: cluster.metric("zerowait_scaling_refused_edits", kind="unreadable") == 1, "it as a metric")
    assert cluster.running() == 2
    assert cluster.metric("zerowait_scaling_policy_version") == 1


async def test_load_brings_replicas_and_its_end_lets_them_go(cluster: Cluster) -> None:
    """What they tell every second is all that the policy knows of the load."""
    assert cluster.zerowait("policy", "rollback", "1").returncode == 0
    handle: DeploymentHandle = serve.get_deployment_handle("Inference", app_name="shop")
    room = InferenceHandle(handle, Fleet(time.monotonic), "test")

    async def ask_again_and_again(number: int) -> None:
        for turn in range(1000):
            async with aclosing(room.generate(a_request(f"{number}-{turn}", None, tokens=200))) as pieces:
                async for _ in pieces:
                    pass

    tasks = [asyncio.create_task(ask_again_and_again(number)) for number in range(3)]
    try:
        await asyncio.to_thread(cluster.until_running, 3)
        assert "replicas 2 -> 3 (" in cluster.log()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    await asyncio.to_thread(cluster.until_running, 2)


async def test_a_policy_that_fails_keeps_the_number_and_serve_goes_on(cluster: Cluster) -> None:
    before = cluster.replicas()
    assert cluster.apply(f"replicas: {{min: 3, max: 3}}\nnotes: {FAILS}\n").returncode == 0
    cluster.until(lambda: cluster.metric("zerowait_scaling_failures", kind="RuntimeError") > 0, "the failure as a metric")

    @serve.deployment(ray_actor_options={"num_cpus": 0})
    class Other:
        async def __call__(self) -> str:
            return "served"

    handle = await asyncio.to_thread(serve.run, Other.bind(), name="other", route_prefix=None)
    assert await handle.remote() == "served"
    await asyncio.to_thread(serve.delete, "other")
    assert cluster.replicas() == before
    assert cluster.log().count("the scaling policy failed, the replicas stay 2") == 1
    assert cluster.apply("replicas: {min: 3, max: 3}\n").returncode == 0
    cluster.until_running(3)
    assert before.items() <= cluster.replicas().items()
