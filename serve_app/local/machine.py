"""What this machine must have, stated and checked before anything is installed. Standard library only."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from serve_app.domain.errors import ConfigError
from serve_app.local.ports import LOOPBACK, require_free

PYTHONS = ((3, 11), (3, 12))
GIB = 1 << 30


class Need:
    """What a set takes: disk and memory in GiB, and what to expect of the first run."""

    def __init__(self, disk_gib: float, memory_gib: float, minutes: str, download: str) -> None:
        self.disk_gib, self.memory_gib, self.minutes, self.download = disk_gib, memory_gib, minutes, download


NEEDS = {"cpu": Need(6, 6, "4 to 10", "1.2 GB"), "gpu": Need(16, 16, "8 to 20", "4 GB")}


def check_machine(
    say: Callable[[str], None], venv: Path, need: Need, *, gpu: bool, ports: dict[str, int] | None = None
) -> None:
    """States each need and whether it is met. Raises ConfigError naming all that are not."""
    say(f"Setting up ZeroWait: {need.minutes} minutes, most of them a download of {need.download}. It needs:")
    checks: list[Callable[[], str]] = [_python, _processor, lambda: _memory(need), lambda: _disk(venv, need)]
    if gpu:
        checks.append(_gpu)
    if ports is not None:
        checks.append(lambda: _ports(ports))
    failures: list[str] = []
    for check in checks:
        try:
            say(f"  ok       {check()}")
        except ConfigError as error:
            say(f"  missing  {error}")
            failures.append(str(error))
    if failures:
        raise ConfigError("this machine lacks what is marked above; nothing was changed")


def _python() -> str:
    version = platform.python_version()
    if sys.version_info[:2] not in PYTHONS:
        raise ConfigError(f"Python 3.11 or 3.12 (this is {version}): install one, or name it: make PYTHON=/path/to/python3.11")
    if importlib.util.find_spec("ensurepip") is None:  # Debian ships it apart
        package = f"python3.{sys.version_info[1]}-venv"
        raise ConfigError(f"Python's venv module: install it (Debian, Ubuntu: apt-get install {package})")
    return f"Python 3.11 or 3.12: {version}"


def _processor() -> str:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise ConfigError(f"Linux on x86-64 (this is {platform.system()} on {platform.machine()})")
    library, release = platform.libc_ver()
    if library != "glibc" or tuple(map(int, release.split(".")[:2])) < (2, 28):
        raise ConfigError(f"glibc 2.28 or later (this is {library or 'another C library'} {release})")
    if "avx2" not in Path("/proc/cpuinfo").read_text().split():
        raise ConfigError("a processor with AVX2, which vLLM's CPU build is made for")
    return f"Linux on x86-64 with AVX2: {os.cpu_count()} cores"


def _memory(need: Need) -> str:
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    gib = int(fields["MemTotal"].split()[0]) * 1024 / GIB
    if gib < need.memory_gib * 0.95:  # the kernel keeps a part of what the machine has
        raise ConfigError(f"{need.memory_gib} GiB of memory (this machine has {gib:.1f})")
    return f"{need.memory_gib} GiB of memory: {gib:.1f}"


def _disk(venv: Path, need: Need) -> str:
    folder = next(path for path in (venv, *venv.parents) if path.exists())
    gib = shutil.disk_usage(folder).free / GIB
    if gib < need.disk_gib:
        raise ConfigError(f"{need.disk_gib} GiB of free disk in {folder} (it has {gib:.1f})")
    return f"{need.disk_gib} GiB of free disk: {gib:.1f}"


def _gpu() -> str:
    query = ["nvidia-smi", "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    try:
        lines = subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip().splitlines()
    except (OSError, subprocess.CalledProcessError):
        raise ConfigError("an NVIDIA GPU with its driver (nvidia-smi does not answer)") from None
    names = [line.rpartition(",")[0] for line in lines if float(line.rpartition(",")[2]) >= 8.0]
    if not names:
        raise ConfigError("an NVIDIA GPU of compute capability 8.0 or later")
    return f"an NVIDIA GPU of compute capability 8.0 or later: {', '.join(names)}"


def _ports(ports: dict[str, int]) -> str:
    require_free(LOOPBACK, ports)
    return f"free ports: {' '.join(str(port) for port in ports.values())}"
