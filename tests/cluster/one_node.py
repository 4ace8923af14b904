"""A Ray of one node as the product runs it, HAProxy in front, for the tests that deploy Serve files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from serve_app.local import ray_cluster
from serve_app.local.ports import Ports
from serve_app.local.processes import Ledger
from serve_app.local.serve_file import default
from tests.cluster.local_start import free_ports

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

    def tree(self, name: str, change: Callable[[dict[str, Any]], None] = lambda _: None) -> dict[str, Any]:
        """One of the project's Serve files, on this test's port."""
        tree = yaml.safe_load(default().with_name(name).read_text())
        tree["http_options"] |= {"host": "127.0.0.1", "port": self.ports.http}
        change(tree)
        return tree

    def file(self, name: str, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
        """The same in a file."""
        path = self.home / name
        path.write_text(yaml.safe_dump(self.tree(name, change)))
        return path


@contextmanager
def one_node(packaged_model: Path, redis_url: str, parent: Path, **environ: str) -> Generator[Cluster]:
    """Runs until the end of the block. `environ`: besides what the local start sets."""
    home = parent / "data"
    (home / "models").mkdir(parents=True)
    (home / "models" / packaged_model.name).symlink_to(packaged_model)
    setup = [sys.executable, "-c", "from serve_app.cli import main; main()", "setup", "--data-dir", str(home)]
    key = subprocess.run(setup, capture_output=True, text=True, check=True).stdout.strip()

    ports = Ports(*free_ports(6))
    folder = Path("/tmp") / f"zerowait-test-{os.getpid()}"  # short, for sockets
    folder.mkdir(mode=0o700)
    base = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    base |= {"ZEROWAIT_DATA_DIR": str(home), "REDIS_URL": redis_url}
    whole = ray_cluster.environment(base, folder, ports) | environ
    ledger = Ledger(home / "processes.json")
    try:
        ray = ledger.spawn("ray", ray_cluster.command(folder, ports), whole, home / "ray.log")
        found = Cluster(home, ports, whole, ray, key)
        address = folder / "ray" / "ray_current_cluster"
        found.until(address.exists, "Ray's start")
        found.environ = {**whole, "RAY_ADDRESS": address.read_text().strip()}
        dashboard = ray_cluster.Serve(ports.dashboard)
        found.until(dashboard.is_up, "Ray's dashboard")
        dashboard.close()
        yield found
    finally:
        ledger.end_all(grace_s=10)
        shutil.rmtree(folder, ignore_errors=True)
