"""The ports of a local start, and who holds one. Standard library only: the set-up uses it before anything is installed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from serve_app.domain.errors import ConfigError
from serve_app.local.processes import process_ids

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """Every fixed port of a local start. Ray's others are chosen by the system."""

    http: int = 8000
    dashboard: int = 8265
    redis: int = 6399
    fallback: int = 8500  # Serve's own proxy, behind HAProxy
    stats: int = 8404  # HAProxy's statistics
    metrics: int = 9101  # HAProxy's metrics

    def named(self, *, with_redis: bool = True) -> dict[str, int]:
        """What each is for (as the option of `zerowait run` is called, where there is one), and its number."""
        ports = {
            "--port": self.http,
            "--dashboard-port": self.dashboard,
            "--redis-port": self.redis,
            "--fallback-port": self.fallback,
            "--stats-port": self.stats,
            "--metrics-port": self.metrics,
        }
        return ports if with_redis else {name: port for name, port in ports.items() if name != "--redis-port"}


def require_free(host: str, ports: dict[str, int]) -> None:
    """Raises ConfigError, one line for every port that cannot be bound, with its holder where the system tells."""
    taken = [(option, port) for option, port in ports.items() if not is_free(host if option == "--port" else LOOPBACK, port)]
    if not taken:
        return
    lines = [f"port {port} is in use{_by(port)}: stop that, or choose another with {option}" for option, port in taken]
    raise ConfigError("\n".join(lines))


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # A connection that has just ended does not count as use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port() -> int:
    """One that nobody listens on now, on loopback."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _by(port: int) -> str:
    pid = holder(port)
    return f" by {_name(pid)} (process {pid})" if pid is not None else ""


def holder(port: int) -> int | None:
    """The process that listens on the port, where this user may see it."""
    inodes = set(_listening_inodes(port))
    if not inodes:
        return None
    for pid in process_ids():
        if inodes.intersection(_sockets(pid)):
            return pid
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    listen = "0A"
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        lines = table.read_text().splitlines()[1:] if table.exists() else []
        for fields in (line.split() for line in lines):
            if fields[3] == listen and int(fields[1].rpartition(":")[2], 16) == port:
                yield f"socket:[{fields[9]}]"


def _sockets(pid: int) -> Iterator[str]:
    with suppress(OSError):  # another user's process, or one that has ended
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                yield str(entry.readlink())


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "another program"
