"""Sessions of processes: what was started is ended, whatever it started itself, and nobody else is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from serve_app.local.processes import Leader, Ledger, end, members

# Starts a grandchild in another process group, which ignores SIGTERM, and goes on.
_STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
                  "print('up', flush=True); time.sleep(600)"], process_group=0)
time.sleep(600)
"""


def eventually(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "processes.json")


def recorded(tmp_path: Path) -> list[Leader]:
    return [Leader(**leader) for leader in json.loads((tmp_path / "processes.json").read_text())["leaders"]]


def start(ledger: Ledger, tmp_path: Path, code: str = "import time; print('up', flush=True); time.sleep(600)") -> int:
    log = tmp_path / "log"
    child = ledger.spawn("sleeper", [sys.executable, "-c", code], os.environ, log)
    eventually(lambda: "up" in log.read_text())
    return child.pid


def test_a_start_is_written_down_and_ended(ledger: Ledger, tmp_path: Path) -> None:
    pid = start(ledger, tmp_path)
    (leader,) = recorded(tmp_path)
    assert (leader.name, leader.pid) == ("sleeper", pid)
    assert members(leader) == [pid]
    assert ledger.alive() == ["sleeper"]
    ledger.end_all(grace_s=10)
    assert members(leader) == []
    assert not (tmp_path / "processes.json").exists()


def test_grandchildren_that_do_not_want_to_end_are_ended_too(ledger: Ledger, tmp_path: Path) -> None:
    start(ledger, tmp_path, _STUBBORN)
    (leader,) = recorded(tmp_path)
    assert len(members(leader)) == 2
    ledger.end_all(grace_s=0.1)
    assert members(leader) == []


def test_the_next_start_ends_what_a_dead_one_left(ledger: Ledger, tmp_path: Path) -> None:
    start(ledger, tmp_path)
    (leader,) = recorded(tmp_path)
    assert Ledger(tmp_path / "processes.json").end_leftovers(grace_s=10) == ["sleeper"]
    assert members(leader) == []
    assert Ledger(tmp_path / "processes.json").end_leftovers(grace_s=10) == []


def test_a_session_whose_leader_has_died_is_still_ours(ledger: Ledger, tmp_path: Path) -> None:
    start(ledger, tmp_path, _STUBBORN)
    (leader,) = recorded(tmp_path)
    os.kill(leader.pid, 9)
    os.waitpid(leader.pid, 0)
    assert len(members(leader)) == 1
    end(leader, grace_s=0.1)
    assert members(leader) == []


def test_a_later_process_with_the_same_number_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as other:
        end(Leader("another's", other.pid, started=1), grace_s=0.1)
        assert other.poll() is None
        assert other.stdin is not None
        other.stdin.close()


@pytest.mark.parametrize(
    "text", ["", "{", '{"boot": "another boot", "leaders": [{"name": "x", "pid": 1, "started": 1}]}', "[]"]
)
def test_a_record_that_says_nothing_ends_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "processes.json").write_text(text)
    assert Ledger(tmp_path / "processes.json").end_leftovers(grace_s=1) == []


def test_shared_memory_of_what_was_ended_is_given_back(ledger: Ledger, tmp_path: Path) -> None:
    code = """
import multiprocessing.resource_tracker as tracker, time
from multiprocessing.shared_memory import SharedMemory
memory = SharedMemory(create=True, size=4096)
tracker.unregister(memory._name, "shared_memory")
print("up", memory.name, flush=True); time.sleep(600)
"""
    start(ledger, tmp_path, code)
    segment = Path("/dev/shm") / (tmp_path / "log").read_text().split()[1]
    assert segment.exists()
    ledger.end_all(grace_s=10)
    assert not segment.exists()
