"""`zerowait run`, whole: what it prints, where it listens, what a restart keeps, and that nothing is left of it."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

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
    local.start()
    try:
        local.until_ready()
        yield local
    finally:
        if local.process.poll() is None:
            local.end(signal.SIGTERM)


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


def test_a_port_in_use_is_one_line_and_starts_nothing(tmp_path: Path) -> None:
    local = LocalStart(tmp_path / "data", tmp_path)
    with socket.create_server(("127.0.0.1", local.ports["--stats-port"])):
        assert local.start().wait(60) == 1
    assert re.fullmatch(r"zerowait: port \d+ is in use by .* \(process \d+\): .* --stats-port\n", local.stderr())
    assert not (local.home / "run" / "processes.json").exists()


def test_a_redis_server_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    local = LocalStart(tmp_path / "data", tmp_path)
    assert local.start(environ={"REDIS_URL": f"redis://127.0.0.1:{local.ports['--redis-port']}/0"}).wait(60) == 1
    assert local.stderr().startswith("zerowait: the Redis server that REDIS_URL names does not answer: ")
    assert len(local.stderr().splitlines()) == 1
