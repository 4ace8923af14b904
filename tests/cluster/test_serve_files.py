"""The project's Serve files with Ray's own commands: `serve run`, `serve deploy`, and a gateway deployed anew."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from serve_app.local import ray_cluster
from serve_app.local.ports import Ports
from serve_app.local.processes import Ledger
from serve_app.local.serve_file import default
from tests.cluster.local_start import free_ports
from tests.redis_servers import serving, valkey_binary

_BIN = Path(sys.executable).parent
_PATIENCE_S = 240


@dataclass
class Cluster:
    """A Ray of one node, with the environment that cluster.yaml gives a node, and a prepared data folder."""

    home: Path
    ports: Ports
    environ: Mapping[str, str]
    ray: subprocess.Popen[bytes]
    key: str

    def until(self, condition: Callable[[], bool], what: str) -> None:
        give_up = time.monotonic() + _PATIENCE_S
        while not condition():
            assert self.ray.poll() is None, "Ray ended"
            assert time.monotonic() < give_up, f"{what}: not within {_PATIENCE_S} s"
            time.sleep(0.1)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports.http}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def is_deployed(self) -> bool:
        found = httpx.get(f"http://127.0.0.1:{self.ports.dashboard}/api/serve/applications/", timeout=20).json()["applications"]
        return bool(found) and all(application["status"] == "RUNNING" for application in found.values())

    def replicas(self, application: str) -> dict[str, int]:
        """The process ids of an application's replicas, with those of the engine below them."""
        url = f"http://127.0.0.1:{self.ports.dashboard}/api/serve/applications/"
        deployments = httpx.get(url, timeout=20).json()["applications"][application]["deployments"]
        replicas = {r["replica_id"]: r["pid"] for d in deployments.values() for r in d["replicas"] if r["state"] == "RUNNING"}
        children = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        for pid, parent, name in (line.split(None, 2) for line in children.splitlines()):
            if int(parent) in replicas.values() and "VLLM" in name:
                replicas[name.split()[0]] = int(pid)
        return replicas

    def ask(self, question: str) -> httpx.Response:
        return httpx.post(
            f"http://127.0.0.1:{self.ports.http}/v1/ask",
            headers={"Authorization": f"Bearer {self.key}"},
            json={"question": question},
            timeout=60,
        )

    def file(self, name: str, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
        """One of the project's files, on this test's port."""
        tree = yaml.safe_load(default().with_name(name).read_text())
        tree["http_options"] |= {"host": "127.0.0.1", "port": self.ports.http}
        change(tree)
        path = self.home / name
        path.write_text(yaml.safe_dump(tree))
        return path


@pytest.fixture(scope="module")
def own_valkey() -> Iterator[str]:
    """Not the one that other tests share: what is answered here stays here."""
    with serving(valkey_binary()) as url:
        yield url


@pytest.fixture(scope="module")
def cluster(packaged_model: Path, own_valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("cluster") / "data"
    (home / "models").mkdir(parents=True)
    (home / "models" / packaged_model.name).symlink_to(packaged_model)
    setup = [sys.executable, "-c", "from serve_app.cli import main; main()", "setup", "--data-dir", str(home)]
    key = subprocess.run(setup, capture_output=True, text=True, check=True).stdout.strip()

    ports = Ports(*free_ports(6))
    folder = Path("/tmp") / f"zerowait-test-{os.getpid()}"  # short, for sockets
    folder.mkdir(mode=0o700)
    base = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    base |= {"ZEROWAIT_DATA_DIR": str(home), "REDIS_URL": own_valkey}
    environ = ray_cluster.environment(base, folder, ports)
    ledger = Ledger(home / "processes.json")
    try:
        ray = ledger.spawn("ray", ray_cluster.command(folder, ports), environ, home / "ray.log")
        found = Cluster(home, ports, environ, ray, key)
        address = folder / "ray" / "ray_current_cluster"
        found.until(address.exists, "Ray's start")
        found.environ = {**environ, "RAY_ADDRESS": address.read_text().strip()}
        dashboard = ray_cluster.Serve(ports.dashboard)
        found.until(dashboard.is_up, "Ray's dashboard")
        dashboard.close()
        yield found
    finally:
        ledger.end_all(grace_s=10)
        shutil.rmtree(folder, ignore_errors=True)


def test_setup_prepares_everything_and_prints_the_key_alone(cluster: Cluster) -> None:
    assert re.fullmatch(r"zw_\S+", cluster.key)
    assert (cluster.home / "shop.db").exists()
    assert (cluster.home / "record.db").exists()
    assert (cluster.home / "token-secret").exists()


def test_serve_run_serves_the_local_file_until_it_is_told_to_end(cluster: Cluster) -> None:
    log = cluster.home / "serve-run.log"
    with log.open("wb") as output:
        run = subprocess.Popen(
            [_BIN / "serve", "run", str(cluster.file("local.yaml"))],
            stdout=output, stderr=output, env=cluster.environ, start_new_session=True,
        )  # fmt: skip
    try:
        cluster.until(lambda: cluster.is_ready() or run.poll() is not None, "serve run")
        assert run.poll() is None, log.read_text()[-3000:]
        answer = cluster.ask("运费怎么算?")
        assert (answer.status_code, answer.headers["X-ZeroWait-Source"]) == (200, "faq")
    finally:
        run.send_signal(signal.SIGINT)
        run.wait(120)
    cluster.until(lambda: not cluster.is_ready(), "the end of serve run")


def test_a_gateway_deployed_anew_leaves_the_engine_alone(cluster: Cluster) -> None:
    def deploy(change: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
        path = cluster.file("production.yaml", change)
        command = [_BIN / "serve", "deploy", str(path), "-a", f"http://127.0.0.1:{cluster.ports.dashboard}"]
        done = subprocess.run(command, env=cluster.environ, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        cluster.until(lambda: cluster.is_deployed() and cluster.is_ready(), "serve deploy")

    def shorter_questions(tree: dict[str, Any]) -> None:
        tree["applications"][1]["args"]["limits"] = {"question_chars": 20}

    deploy()
    assert cluster.ask("What is your return policy, please?").status_code == 200
    engine, gateway = cluster.replicas("engine"), cluster.replicas("gateway")
    assert any("VLLM" in name for name in engine)

    deploy(shorter_questions)
    cluster.until(lambda: not set(cluster.replicas("gateway")) & set(gateway), "the new gateway")
    assert cluster.ask("What is your return policy, please?").status_code == 413
    assert cluster.ask("Shipping fee?").status_code == 200
    assert cluster.replicas("engine") == engine
