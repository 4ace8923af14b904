"""The whole application as `zerowait run` serves it (Ray, HAProxy, Valkey, vLLM), with a configuration and data of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.ending import exit_on_sigterm
from serve_app.local.ports import LOOPBACK, free_port
from serve_app.local.run import short_folder
from serve_app.packaged_model import prepare

CACHE = Path(__file__).parents[1] / ".cache"
READY_S = 900.0
OPTIONS = ("--port", "--dashboard-port", "--redis-port", "--fallback-port", "--stats-port", "--metrics-port")
Say = Callable[[str], None]


@dataclass(frozen=True)
class LocalRun:
    url: str
    home: Path
    pid: int  # of `zerowait run`

    @property
    def key(self) -> str:
        return (self.home / "api-key").read_text().strip()

    def counted(self, metric: str, label: str, **where: str) -> Counter[str]:
        """A counter of Ray's or vLLM's, by one label, of those with these others. It lags behind by up to 20 s."""
        found: Counter[str] = Counter()
        folder = short_folder(self.home, create=False) / "ray"
        for service in json.loads((folder / "prom_metrics_service_discovery.json").read_text()):
            for target in service["targets"]:
                found += _counted(f"http://{target}/metrics", metric, label, where)
        return found


def _counted(url: str, metric: str, label: str, where: Mapping[str, str]) -> Counter[str]:
    with urllib.request.urlopen(url, timeout=20) as reply:
        text = reply.read().decode()
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == metric and where.items() <= sample.labels.items():
                found[sample.labels.get(label, "")] += int(sample.value)
    return found


@contextmanager
def running(config: Mapping[str, Any], say: Say, *, packaged: bool = True) -> Generator[LocalRun]:
    """`config` is a plain configuration or a Serve file's; one that names a model of its own needs none that is `packaged`.

    Raises RuntimeError, with what the start said last, when it is not ready in time."""
    with exit_on_sigterm(), TemporaryDirectory(prefix="zerowait-benchmark-") as folder:
        home = Path(folder) / "data"
        (home / "models").mkdir(parents=True, mode=0o700)
        home.chmod(0o700)
        CACHE.mkdir(exist_ok=True)
        if packaged:
            model = prepare(CACHE, say)
            (home / "models" / model.name).symlink_to(model)
        if (vectors := CACHE / "vectors.npz").exists():
            shutil.copy(vectors, home)
        file = Path(folder) / "config.yaml"
        file.write_text(yaml.safe_dump(dict(config)))
        ports = {option: free_port() for option in OPTIONS}
        log = Path(folder) / "log"
        process = _start(home, file, ports, log)
        try:
            _await_ready(process, log)
            yield LocalRun(f"http://{LOOPBACK}:{ports['--port']}", home, process.pid)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(60)
            shutil.rmtree(short_folder(home, create=False), ignore_errors=True)


def _start(home: Path, file: Path, ports: Mapping[str, int], log: Path) -> subprocess.Popen[bytes]:
    options = [word for option, port in ports.items() for word in (option, str(port))]
    program = [sys.executable, "-c", "from serve_app.cli import main; main()", "run"]
    kept = {name: value for name, value in os.environ.items() if name != "REDIS_URL" and not name.startswith("RAY_")}
    with log.open("wb") as output:
        return subprocess.Popen(
            [*program, "--data-dir", str(home), "--config", str(file), *options],
            stdout=output, stderr=output, env=kept, start_new_session=True,
        )  # fmt: skip


def _await_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + READY_S
    while "Ctrl-C ends everything." not in log.read_text():
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"the application did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.2)
