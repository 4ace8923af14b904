"""One local start, from the checks to the last process that it ends."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType

import httpx

from serve_app.config import Config, RedisSettings
from serve_app.domain.errors import ConfigError, StoreFailed
from serve_app.local import ray_cluster, serve_file, valkey
from serve_app.local.data_dir import make_data_dir
from serve_app.local.ports import LOOPBACK, Ports, require_free
from serve_app.local.processes import Ledger
from serve_app.local.ray_cluster import Serve

# How long a process may take to end by itself before it is made to.
GRACE_S = 8.0
# A Valkey that ends again sooner than this after it was started again is not started a third time.
LASTING_S = 10.0
# An engine that loads large weights and compiles its kernels takes minutes.
READY_S = 1800.0
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ToldToEnd(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived. Not an Exception: nobody but the one who started may handle it."""


def say(line: str) -> None:
    """Progress, on stderr. A terminal that has gone away stops nothing."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)  # noqa: T201


class Run:
    def __init__(self, host: str, ports: Ports, data_dir: Path | None, file: Path | None, environ: Mapping[str, str]) -> None:
        """Reads the configuration. Raises ConfigError."""
        self._host, self._ports = host, ports
        self._address = f"http://{_reachable(host)}:{ports.http}"
        self._environ = dict(environ) if data_dir is None else {**environ, "ZEROWAIT_DATA_DIR": str(data_dir)}
        self._tree, config = serve_file.read(file or serve_file.default())
        if data_dir is not None:
            config = config.model_copy(update={"data_dir": data_dir})
        self._own_redis = config.redis.url is None and "REDIS_URL" not in environ
        if self._own_redis:
            config = config.model_copy(update={"redis": config.redis.model_copy(update={"url": valkey.url(ports.redis)})})
        self._config: Config = config.resolved(self._environ)
        self._home = self._config.home
        self._logs = self._home / "logs"
        self._ledger = Ledger(self._home / "run" / "processes.json")

    def until_told(self) -> int:
        """Starts everything, serves until a signal, ends everything. Returns the exit status; raises ConfigError."""
        make_data_dir(self._home)
        for folder in (self._home / "run", self._logs):
            folder.mkdir(exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(_alone(self._home / "run" / "lock", self._home))
            if leftovers := self._ledger.end_leftovers(GRACE_S):
                say(f"ended what an earlier start had left running: {', '.join(leftovers)}")
            require_free(self._host, self._ports.named(with_redis=self._own_redis))
            if not self._own_redis:
                _require_redis(self._config.redis, self._home)
            stack.callback(self._ledger.end_all, GRACE_S)
            stack.enter_context(_signals())
            try:
                self._start()
            except ToldToEnd:
                say("ending")
                return 130
            try:
                self._watch()
            except ToldToEnd:
                say("ending")
        say("ended")
        return 0

    def _start(self) -> None:
        started = time.monotonic()
        for log in self._logs.glob("*.log"):
            log.write_bytes(b"")
        short = short_folder(self._home)
        say("starting Ray" + (" and Valkey" if self._own_redis else ""))
        environ = ray_cluster.environment(self._environ, short, self._ports)
        ray = self._spawn("ray", ray_cluster.command(short, self._ports), environ)
        if self._own_redis:
            server = self._spawn("valkey", valkey.command(self._home, self._ports.redis), self._environ)
        else:
            server = None
        # Heavy imports, while Ray starts.
        from serve_app.local.setup import prepare
        from serve_app.local.welcome import welcome

        prepared = prepare(self._config, say)
        if server is not None:
            valkey.await_ready(self._ports.redis, lambda: server() is not None, self._logs / "valkey.log")
        serve = Serve(self._ports.dashboard)
        try:
            self._deploy(serve, ray)
            self._await_ready(serve, ray)
        finally:
            serve.close()
        say(f"ready after {time.monotonic() - started:.0f} s")
        print(welcome(self._config, prepared, self._address, f"http://{LOOPBACK}:{self._ports.dashboard}"), flush=True)  # noqa: T201

    def _spawn(self, name: str, command: list[str], environ: Mapping[str, str]) -> Callable[[], int | None]:
        """Starts a program; returns how to ask for its exit status."""
        log = self._logs / f"{name}.log"
        try:
            with _undisturbed():
                return self._ledger.spawn(name, command, environ, log).poll
        except OSError as error:
            raise ConfigError(f"{name} cannot be started: {command[0]}: {error.strerror}") from error

    def _deploy(self, serve: Serve, ray: Callable[[], int | None]) -> None:
        while not serve.is_up():
            self._require_alive(ray)
            time.sleep(0.1)
        say("deploying the application")
        url = self._config.redis.url or ""
        serve.deploy(serve_file.fitted(self._tree, host=self._host, port=self._ports.http, data_dir=self._home, redis_url=url))

    def _await_ready(self, serve: Serve, ray: Callable[[], int | None]) -> None:
        """Waits for `/readyz`, naming what is not ready yet whenever that changes."""
        give_up = time.monotonic() + READY_S
        said = ""
        with httpx.Client(timeout=5, trust_env=False) as client:
            while True:
                waiting = _not_ready(client, f"{self._address}/readyz")
                if waiting is None:
                    return
                if waiting != said:
                    say(f"waiting for {waiting}")
                    said = waiting
                self._require_alive(ray)
                if (failure := serve.failure()) is not None:
                    raise ConfigError(f"the application could not be started: {failure} (its logs: {self._serve_logs()})")
                if time.monotonic() > give_up:
                    raise ConfigError(f"the application was not ready within {READY_S:.0f} s (its logs: {self._serve_logs()})")
                time.sleep(0.25)

    def _require_alive(self, ray: Callable[[], int | None]) -> None:
        if ray() is not None:
            raise ConfigError(f"Ray ended: {_last_line(self._logs / 'ray.log')} (its log: {self._logs / 'ray.log'})")

    def _watch(self) -> None:
        """Serves until a signal. Valkey is started again when it ends, since answers go on without it; Ray is not."""
        names = self._ledger.alive()
        restarted = -LASTING_S
        while True:
            time.sleep(1)
            running = self._ledger.alive()
            for name in (name for name in names if name not in running):
                ended = f"{name} has ended by itself (its log: {self._logs / (name + '.log')})"
                if name != "valkey" or time.monotonic() - restarted < LASTING_S:
                    raise ConfigError(ended)
                say(f"{ended}; starting it again")
                self._spawn(name, valkey.command(self._home, self._ports.redis), self._environ)
                restarted = time.monotonic()

    def _serve_logs(self) -> Path:
        return short_folder(self._home, create=False) / "ray" / "session_latest" / "logs" / "serve"


@contextmanager
def _signals() -> Generator[None]:
    """Turns the first SIGINT, SIGTERM or SIGHUP into ToldToEnd. Later ones are ignored, so that ending is not cut off."""

    def told(_number: int, _frame: FrameType | None) -> None:
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)
        raise ToldToEnd

    for number in _ENDING:
        signal.signal(number, told)
    try:
        yield
    finally:
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def _undisturbed() -> Generator[None]:
    """A signal waits until the block ends: a program that was started is written down before anything else happens."""
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


@contextmanager
def _alone(lock: Path, home: Path) -> Generator[None]:
    """One start a data folder. The system gives the lock back when its holder dies."""
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            who = file.read().strip()
            raise ConfigError(
                f"ZeroWait already runs with the data folder {home} (process {who}): end that one, or name another: --data-dir"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def short_folder(home: Path, *, create: bool = True) -> Path:
    """A folder for Ray's and HAProxy's sockets, emptied at each start. HAProxy's may have 97 characters, 67 of them Serve's."""
    digest = hashlib.sha256(f"{os.getuid()}:{home}".encode()).hexdigest()[:8]
    folder = Path("/tmp") / f"zerowait-{digest}"
    if not create:
        return folder
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(f"{folder} belongs to somebody else: remove it")
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    return folder


def _require_redis(settings: RedisSettings, home: Path) -> None:
    # Heavy, and wanted only when REDIS_URL names a server.
    from serve_app.adapters.redis_client import connect

    async def ask() -> None:
        link = connect(settings.model_copy(update={"timeout_ms": 3000}), home)
        try:
            await link.ping()
        finally:
            await link.aclose()

    try:
        asyncio.run(ask())
    except StoreFailed as error:
        raise ConfigError(f"the Redis server that `redis.url` or REDIS_URL names does not answer: {error}") from error


def _not_ready(client: httpx.Client, url: str) -> str | None:
    """What is being waited for; None when everything is ready."""
    try:
        reply = client.get(url)
        if reply.is_success:
            return None
        parts: dict[str, str] = reply.json()["parts"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return "the application's processes"
    return ", ".join(sorted(part for part, state in parts.items() if state != "ok")) or "the application"


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1].strip() if lines else "it wrote no log"
