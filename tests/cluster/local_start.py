"""A real `zerowait run` on ports of its own, for the tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from serve_app.local.run import short_folder

OPTIONS = ("--port", "--dashboard-port", "--redis-port", "--fallback-port", "--stats-port", "--metrics-port")
_PATIENCE_S = 240


def free_ports(count: int) -> list[int]:
    """Free ports below those that the system hands out by itself, so that nobody takes one by accident."""
    found: list[int] = []
    for port in range(21000 + os.getpid() % 7000, 30000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")


class LocalStart:
    """`zerowait run` as a child process, with a data folder and ports of its own. It is not started yet."""

    def __init__(self, home: Path, logs: Path) -> None:
        self.home = home
        self.ports = dict(zip(OPTIONS, free_ports(len(OPTIONS)), strict=True))
        self.url = f"http://127.0.0.1:{self.ports['--port']}"
        self._out, self._err = logs / "stdout", logs / "stderr"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        options = [word for option, port in self.ports.items() for word in (option, str(port))]
        command = [sys.executable, "-c", "from serve_app.cli import main; main()", "run", "--data-dir", str(self.home)]
        kept = {name: value for name, value in os.environ.items() if name != "REDIS_URL" and not name.startswith("RAY_")}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [*command, *options, *arguments],
                stdout=out,
                stderr=err,
                start_new_session=True,
                env={**kept, **(environ or {})},
            )
        return self._process

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def stdout(self) -> str:
        return self._out.read_text()

    def stderr(self) -> str:
        return self._err.read_text()

    def until(self, condition: Callable[[], bool]) -> None:
        """Waits for it; fails at once when the start has ended."""
        give_up = time.monotonic() + _PATIENCE_S
        while not condition():
            assert self.process.poll() is None, f"zerowait run ended:\n{self.stderr()}"
            assert time.monotonic() < give_up, f"zerowait run takes too long:\n{self.stderr()}"
            time.sleep(0.1)

    def until_ready(self) -> None:
        self.until(lambda: "Ctrl-C ends everything." in self.stdout())

    def end(self, number: int) -> int:
        """Sends it a signal; returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def tidy(self) -> None:
        """Ends it if it still runs, and removes what it keeps outside its data folder."""
        if self._process is not None and self._process.poll() is None:
            self.end(signal.SIGTERM)
        shutil.rmtree(short_folder(self.home, create=False), ignore_errors=True)

    def sessions(self) -> set[int]:
        """The sessions of the running start, its own included."""
        record = json.loads((self.home / "run" / "processes.json").read_text())
        return {self.process.pid, *(leader["pid"] for leader in record["leaders"])}

    def part(self, name: str) -> int:
        """The process id of a part of the running start: ray, valkey."""
        record = json.loads((self.home / "run" / "processes.json").read_text())
        return [leader["pid"] for leader in record["leaders"] if leader["name"] == name][-1]

    def processes(self, sessions: set[int]) -> dict[int, str]:
        """What runs in these sessions, or was started with this data folder, by process id."""
        lines = subprocess.run(["ps", "-eo", "pid=,sid=,stat=,args="], capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 3) for line in lines.splitlines()]
        return {
            int(pid): args
            for pid, session, state, args in rows
            if not state.startswith("Z") and (int(session) in sessions or self._is_ours(pid))
        }

    def _is_ours(self, pid: str) -> bool:
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False
        return f"ZEROWAIT_DATA_DIR={self.home}\0".encode() in environ

    def ask(self, question: str, *, key: str, token: str | None = None, session_id: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} | ({"X-Customer-Token": token} if token else {})
        body = {"question": question} | ({"session_id": session_id} if session_id else {})
        return httpx.post(f"{self.url}/v1/ask", headers=headers, json=body, timeout=60)
