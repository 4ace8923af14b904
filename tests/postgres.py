"""A throwaway PostgreSQL cluster for the tests, on a free port of 127.0.0.1, in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`: the newest of Debian's, else where the PATH finds them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def unprivileged() -> str | None:
    """PostgreSQL refuses to run as root; then its own user, or nobody, runs it."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[tuple[Path, int]]:
    """The binaries' folder and the port of a running cluster."""
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    user, port = unprivileged(), free_port()
    home = Path(tempfile.mkdtemp(prefix="zerowait-pg-"))
    data = home / "data"
    if user is not None:
        shutil.chown(home, user)

    def command(*words: str) -> list[str]:
        return [str(folder / words[0]), *words[1:]]

    environ = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": str(home)}
    try:
        subprocess.run(
            command("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"),
            check=True, capture_output=True, user=user, env=environ, cwd=home,
        )  # fmt: skip
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "max_connections": "50"}
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                command("postgres", "-D", str(data), "-p", str(port), *(f"--{k}={v}" for k, v in options.items())),
                stdout=subprocess.DEVNULL, stderr=log, user=user, env=environ, cwd=home,
            )  # fmt: skip
        try:
            _await_ready(folder, port, server, home / "log")
            yield folder, port
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _await_ready(folder: Path, port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + 30
    ready = [str(folder / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    while subprocess.run(ready, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > give_up:
            pytest.fail(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


@pytest.fixture(scope="module")
def postgres_url(postgres_cluster: tuple[Path, int]) -> str:
    """SQLAlchemy's URL (asyncpg) of an empty database, a new one for each test module."""
    folder, port = postgres_cluster
    name = f"test_{uuid4().hex[:12]}"
    server = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    subprocess.run([str(folder / "createdb"), *server, name], check=True, capture_output=True)
    return f"postgresql+asyncpg://postgres@127.0.0.1:{port}/{name}"
