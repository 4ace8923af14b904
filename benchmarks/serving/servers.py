"""Servers to compare with: vLLM's own OpenAI server, and what others put in front of it or around it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.hits.cost import cpu_s, family
from serve_app.adapters.vllm_settings import cpu_flags, engine_arguments, set_environment
from serve_app.config import ModelSettings
from serve_app.local.ports import LOOPBACK, free_port

READY_S = 600.0
MODEL = "bare"


@dataclass(frozen=True)
class Server:
    url: str
    pid: int

    @property
    def pids(self) -> list[int]:
        return family(self.pid)


def engines_of(pids: list[int]) -> list[int]:
    """Those of vLLM's engine, which say so in their titles: its loop, and the workers that compute."""
    return [pid for pid in pids if b"VLLM::" in _command(pid)]


def spent_s(pids: list[int]) -> dict[str, float]:
    """CPU seconds so far, by what a process is; the engine apart."""
    engines = set(engines_of(pids))
    return {**cpu_s([pid for pid in pids if pid not in engines]), "engine": sum(cpu_s(sorted(engines)).values())}


@contextmanager
def bare_vllm(model: ModelSettings, folder: Path) -> Generator[Server]:
    """vLLM's OpenAI server under the very settings that ZeroWait starts its engine with."""
    arguments = engine_arguments(model, str(folder), _argument_names(), _cpu_flags())
    port = free_port()
    command = [
        sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--host", LOOPBACK, "--port", str(port),
        "--served-model-name", MODEL, "--disable-uvicorn-access-log", *_flags(arguments),
    ]  # fmt: skip
    with _running(command, f"http://{LOOPBACK}:{port}", "/health", _environment(model)) as server:
        yield server


@contextmanager
def vllm_router(python: Path, behind: Server) -> Generator[Server]:
    """The Rust router of the vLLM project (package `vllm-router`) in front of a server; its engine is that one's."""
    port = free_port()
    program = python.parent / "vllm-router"
    command = [
        str(program), "--host", LOOPBACK, "--port", str(port), "--worker-urls", behind.url, "--policy", "round_robin",
        "--prometheus-port", str(free_port()), "--log-level", "warning",
    ]  # fmt: skip
    with _running(command, f"http://{LOOPBACK}:{port}", "/health") as server:
        yield server


@contextmanager
def serve_llm(python: Path, model: ModelSettings, folder: Path) -> Generator[Server]:
    """Ray Serve's own `ray.serve.llm` with the same engine settings, on a Ray of its own (needs pyarrow beside Ray)."""
    arguments = dict(engine_arguments(model, str(folder), _argument_names(), _cpu_flags()))
    arguments.pop("model")
    port = free_port()
    told = json.dumps({"model": MODEL, "folder": str(folder), "port": port, "engine": arguments})
    command = [str(python), "-m", "benchmarks.serving.serve_llm", told]
    with _running(command, f"http://{LOOPBACK}:{port}", "/v1/models", _environment(model)) as server:
        yield server


def _environment(model: ModelSettings) -> Mapping[str, str]:
    """As ZeroWait sets it for its own engine."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    set_environment(model, environ)
    return environ


def _flags(arguments: Mapping[str, Any]) -> list[str]:
    """As vLLM's command line wants them."""
    found: list[str] = []
    for name, value in arguments.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            found.append(f"--{option}" if value else f"--no-{option}")
        else:
            found += [f"--{option}", json.dumps(value) if isinstance(value, dict | list) else str(value)]
    return found


def _argument_names() -> list[str]:
    # Heavy, and wanted by those who start an engine alone.
    from dataclasses import fields

    from vllm.engine.arg_utils import AsyncEngineArgs

    return [field.name for field in fields(AsyncEngineArgs)]


def _cpu_flags() -> frozenset[str] | None:
    from vllm.platforms import current_platform  # heavy

    return cpu_flags() if current_platform.is_cpu() else None


@contextmanager
def _running(command: list[str], url: str, ready: str, environ: Mapping[str, str] | None = None) -> Generator[Server]:
    """Raises RuntimeError, with what it said last, when it does not answer in time."""
    with TemporaryDirectory(prefix="zerowait-server-") as home:
        log = Path(home) / "log"
        if shutil.which(command[0]) is None:
            raise RuntimeError(f"there is no {command[0]}")
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, env=environ or dict(os.environ), start_new_session=True
            )
        try:
            _await_ready(process, url + ready, log)
            yield Server(url, process.pid)
        finally:
            _end(process)


def _await_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    give_up = time.monotonic() + READY_S
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"a server did not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.5)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status == 200
    except (OSError, urllib.error.URLError):
        return False


def _end(process: subprocess.Popen[bytes], grace_s: float = 20.0) -> None:
    """And what it started."""
    started = family(process.pid)
    process.terminate()
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in started:
        if pid != process.pid and _command(pid):
            _kill(pid)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, 9)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
