"""The project's Serve files with Ray's own commands: `serve run`, `serve deploy`, and a gateway deployed anew."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.one_node import Cluster, one_node
from tests.redis_servers import serving, valkey_binary

_BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def cluster(packaged_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # A Valkey of its own, not the one that other tests share: what is answered here stays here.
    with (
        serving(valkey_binary()) as redis_url,
        one_node(packaged_model, redis_url, tmp_path_factory.mktemp("cluster")) as found,
    ):
        yield found


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


def test_a_gateway_waits_for_its_engine_and_deployed_anew_leaves_the_engine_alone(cluster: Cluster) -> None:
    def is_up() -> bool:
        return cluster.is_deployed() and cluster.is_ready()

    def deploy(change: Callable[[dict[str, Any]], None] = lambda _: None, until: Callable[[], bool] = is_up) -> None:
        path = cluster.file("production.yaml", change)
        command = [_BIN / "serve", "deploy", str(path), "-a", f"http://127.0.0.1:{cluster.ports.dashboard}"]
        done = subprocess.run(command, env=cluster.environ, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        cluster.until(until, "serve deploy")

    def shorter_questions(tree: dict[str, Any]) -> None:
        tree["applications"][1]["args"]["limits"] = {"question_chars": 20}

    def nothing_but_the_gateway(tree: dict[str, Any]) -> None:
        tree["applications"] = tree["applications"][1:]

    deploy(nothing_but_the_gateway, cluster.is_deployed)
    assert not cluster.is_ready()
    assert cluster.ask("Shipping fee?").status_code == 200
    alone = cluster.replicas("gateway")

    deploy()
    assert cluster.replicas("gateway") == alone
    assert cluster.ask("What is your return policy, please?").status_code == 200
    engine, gateway = cluster.replicas("engine"), cluster.replicas("gateway")
    assert any("VLLM" in name for name in engine)

    deploy(shorter_questions)
    cluster.until(lambda: not set(cluster.replicas("gateway")) & set(gateway), "the new gateway")
    assert cluster.ask("What is your return policy, please?").status_code == 413
    assert cluster.ask("Shipping fee?").status_code == 200
    assert cluster.replicas("engine") == engine
