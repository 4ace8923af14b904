"""`zerowait run`, whole: what it prints, where it listens, what a restart keeps, and that nothing is left of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.cluster.local_start import LocalStart

_LOOPBACK = re.compile(r"^(127\.0\.0\.1|\[::1\]|\[::ffff:127\.0\.0\.1\]):\d+$")


@pytest.fixture(scope="module")
def started(packaged_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStart]:
    folder = tmp_path_factory.mktemp("local-start")
    home = folder / "data"
    # The model was prepared once for all tests; everything else is made here.
    (home / "models").mkdir(parents=True)
    (home / "models" / packaged_model.name).symlink_to(packaged_model)
    local = LocalStart(home, folder)
    (folder / "config.yaml").write_text("model: {max_tokens: 400}\nlimits: {grace_s: 0.5}\n")
    local.start("--config", str(folder / "config.yaml"))
    try:
        local.until_ready()
        yield local
    finally:
        local.tidy()


@pytest.fixture(scope="module")
def key(started: LocalStart) -> str:
    return (started.home / "api-key").read_text().strip()


@pytest.fixture(scope="module")
def token(started: LocalStart) -> str:
    found = re.search(r"^ *TOKEN=(\S+)$", started.stdout(), re.MULTILINE)
    assert found
    return found[1]


def test_it_prints_the_address_the_key_and_a_token(started: LocalStart, key: str, token: str) -> None:
    printed = started.stdout()
    assert started.url in printed
    assert key in printed
    assert token.count(".") == 2
    assert oct((started.home / "api-key").stat().st_mode)[-3:] == "600"
    assert "Traceback" not in started.stderr()


def test_the_lines_that_it_prints_can_be_pasted(started: LocalStart) -> None:
    """Both languages, with and without a token."""
    lines = started.stdout().partition("Try it")[2].splitlines()[1:-2]
    assert sum("curl" in line for line in lines) == 4
    done = subprocess.run(["bash", "-euc", "\n".join(lines)], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.count("event: done") == 4
    assert "event: error" not in done.stdout


def test_it_can_answer(started: LocalStart) -> None:
    ready = httpx.get(f"{started.url}/readyz")
    assert ready.status_code == 200
    assert set(ready.json()["parts"].values()) == {"ok"}


def test_a_client_cannot_steer_serve_by_headers(started: LocalStart) -> None:
    for given, kept in (("shop-1:a.b_c", True), ("x" * 129, False), ("no name!", False)):
        headers = {"X-Request-Timeout-Seconds": "0.000001", "X-Request-ID": given}
        ready = httpx.get(f"{started.url}/readyz", headers=headers)
        assert ready.status_code == 200
        assert ready.headers["x-request-id"]
        assert (ready.headers["x-request-id"] == given) is kept


@pytest.mark.parametrize("headers", [{}, {"X-Request-Disconnect-Disabled": "?1"}], ids=["plain", "asks to go on"])
def test_a_client_that_leaves_ends_the_generation(started: LocalStart, key: str, headers: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {key}"} | headers
    body = {"question": "Sing me a song", "stream": True}
    with httpx.stream("POST", f"{started.url}/v1/ask", headers=headers, json=body, timeout=60) as response:
        data = _until_the_first_delta(response.iter_lines())
        meta = json.loads(data["event: meta"].removeprefix("data: "))
    left = datetime.now(UTC)
    assert meta["source"] == "model"

    answers: list[dict[str, Any]] = []

    def is_recorded() -> bool:
        kept = httpx.get(f"{started.url}/v1/sessions/{meta['session_id']}", headers=headers).json()
        answers.extend(turn["answer"] for turn in kept["turns"] if turn["answer"])
        return bool(answers)

    started.until(is_recorded)
    # It is recorded when the engine has been told to stop: within a second, on a machine that has nothing else to do.
    assert answers[0]["finish_reason"] == "cancelled"
    assert answers[0]["text"]
    assert datetime.fromisoformat(answers[0]["finished_at"]) - left < timedelta(seconds=5)


@pytest.mark.parametrize("goodbye", [True, False], ids=["with a goodbye", "without"])
def test_a_websockets_client_that_leaves_ends_the_generation(started: LocalStart, key: str, goodbye: bool) -> None:
    with connect(f"{started.url.replace('http', 'ws', 1)}/v1/ws") as client:
        client.send(json.dumps({"type": "hello", "token": key}))
        session_id = json.loads(client.recv(30))["data"]["session_id"]
        client.send(json.dumps({"type": "ask", "question": "Hello"}))
        frames: list[dict[str, Any]] = []

        def read_until(*events: str) -> None:
            while not frames or frames[-1]["event"] not in events:
                frames.append(json.loads(client.recv(60)))

        read_until("done", "error")
        client.send(json.dumps({"type": "ask", "question": "Sing me a song"}))
        frames.clear()
        read_until("delta", "error")
        assert (frames[0]["data"].get("source"), frames[-1]["event"]) == ("model", "delta"), frames
        if not goodbye:
            client.socket.shutdown(socket.SHUT_RDWR)
    left = datetime.now(UTC)
    answers: list[dict[str, Any]] = []

    def is_recorded() -> bool:
        headers = {"Authorization": f"Bearer {key}"}
        kept = httpx.get(f"{started.url}/v1/sessions/{session_id}", headers=headers).json()
        answers[:] = [turn["answer"] for turn in kept["turns"][1:] if turn["answer"]]
        return bool(answers)

    started.until(is_recorded)
    assert answers[0]["finish_reason"] == "cancelled"
    assert datetime.fromisoformat(answers[0]["finished_at"]) - left < timedelta(seconds=5)


def test_an_answer_goes_on_for_whoever_still_watches(started: LocalStart, key: str) -> None:
    address = f"{started.url.replace('http', 'ws', 1)}/v1/ws"
    hello = {"type": "hello", "token": key}
    with connect(address) as asking, connect(address) as watching:
        asking.send(json.dumps(hello))
        session_id = json.loads(asking.recv(30))["data"]["session_id"]
        watching.send(json.dumps(hello | {"session_id": session_id}))
        assert json.loads(watching.recv(30))["event"] == "ready"
        asking.send(json.dumps({"type": "ask", "question": "Sing me a song"}))
        while json.loads(asking.recv(60))["event"] != "delta":
            pass
        asking.socket.shutdown(socket.SHUT_RDWR)
        frames = [json.loads(watching.recv(60))]
        while frames[-1]["event"] not in ("done", "error"):
            frames.append(json.loads(watching.recv(60)))
    assert frames[-1]["event"] == "done"
    # A slow machine may have no time for the whole song; that its customer has left ends nothing.
    assert frames[-1]["data"]["finish_reason"] != "cancelled"


def _until_the_first_delta(lines: Iterator[str]) -> dict[str, str]:
    """The data of each event, by the event's line."""
    data: dict[str, str] = {}
    for line in lines:
        if line.startswith("event: "):
            data[line] = next(lines)
        if line == "event: delta":
            return data
    raise AssertionError(f"there was no delta: {data}")


def test_every_port_is_on_loopback(started: LocalStart) -> None:
    if shutil.which("ss") is None:
        pytest.skip("ss is not installed (Debian: apt-get install iproute2)")
    ours = started.processes(started.sessions())
    listening = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout.splitlines()
    addresses = {
        line.split()[3]: ours[int(pid)] for line in listening for pid in re.findall(r"pid=(\d+)", line) if int(pid) in ours
    }
    assert {int(address.rpartition(":")[2]) for address in addresses} >= set(started.ports.values())
    assert {address: name for address, name in addresses.items() if not _LOOPBACK.match(address)} == {}


def test_valkey_is_started_again_and_answers_go_on_meanwhile(started: LocalStart, key: str) -> None:
    session = started.ask("运费怎么算?", key=key).json()["session_id"]
    ended = started.part("valkey")
    os.kill(ended, signal.SIGKILL)
    assert started.ask("退货运费谁出?", key=key).json()["tier"] == "memory"
    started.until(lambda: started.part("valkey") != ended)
    started.until(lambda: started.ask("退货运费谁出?", key=key).json()["degraded"] == [])
    kept = httpx.get(f"{started.url}/v1/sessions/{session}", headers={"Authorization": f"Bearer {key}"})
    assert [turn["question"] for turn in kept.json()["turns"]] == ["运费怎么算?"]
    assert "starting it again" in started.stderr()


def test_a_second_start_with_the_same_data_is_refused(started: LocalStart, tmp_path: Path) -> None:
    second = LocalStart(started.home, tmp_path)
    assert second.start().wait(60) == 1
    assert re.fullmatch(r"zerowait: ZeroWait already runs with the data folder .* \(process \d+\): .*\n", second.stderr())
    assert started.process.poll() is None


def test_a_restart_keeps_the_conversation_also_after_a_hard_end(started: LocalStart, key: str, token: str) -> None:
    before = started.ask("我的快递到哪了?", key=key, token=token)
    assert before.status_code == 200, before.text
    session = before.json()["session_id"]
    sessions = started.sessions()
    started.end(signal.SIGKILL)
    assert started.processes(sessions), "what it started goes on"

    started.start()
    started.until_ready()
    assert "ended what an earlier start had left running" in started.stderr()
    assert not {*started.processes(sessions - started.sessions())} - {*started.processes(started.sessions())}
    assert key not in started.stdout(), "a key is shown once"

    after = started.ask("那退款呢?", key=key, token=token, session_id=session)
    assert after.status_code == 200, after.text
    headers = {"Authorization": f"Bearer {key}", "X-Customer-Token": token}
    kept = httpx.get(f"{started.url}/v1/sessions/{session}", headers=headers).json()
    assert [turn["question"] for turn in kept["turns"]] == ["我的快递到哪了?", "那退款呢?"]


def test_ctrl_c_ends_everything(started: LocalStart) -> None:
    sessions = started.sessions()
    assert len(started.processes(sessions)) > 10
    assert started.end(signal.SIGINT) == 0
    assert started.processes(sessions) == {}
    for port in started.ports.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_ctrl_c_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    local = LocalStart(tmp_path / "data", tmp_path)
    local.start()
    local.until(lambda: (local.home / "run" / "processes.json").exists())
    sessions = local.sessions()
    assert local.end(signal.SIGINT) == 130
    assert local.processes(sessions) == {}
    local.tidy()


def test_a_port_in_use_is_one_line_and_starts_nothing(tmp_path: Path) -> None:
    local = LocalStart(tmp_path / "data", tmp_path)
    with socket.create_server(("127.0.0.1", local.ports["--stats-port"])):
        assert local.start().wait(60) == 1
    assert re.fullmatch(r"zerowait: port \d+ is in use by .* \(process \d+\): .* --stats-port\n", local.stderr())
    assert not (local.home / "run" / "processes.json").exists()


def test_a_redis_server_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    local = LocalStart(tmp_path / "data", tmp_path)
    assert local.start(environ={"REDIS_URL": f"redis://127.0.0.1:{local.ports['--redis-port']}/0"}).wait(60) == 1
    assert local.stderr().startswith("zerowait: the Redis server that `redis.url` or REDIS_URL names does not answer: ")
    assert len(local.stderr().splitlines()) == 1
