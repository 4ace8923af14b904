"""The benchmark runs, and its last line is what it promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_its_last_line_is_one_json_object() -> None:
    command = [sys.executable, "-m", "benchmarks.context", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["n"] == 1
    # Asked together, not in turn; how close to 1 is for the benchmark itself to say, on a quiet machine.
    assert 0 < result["ratio"] < result["serial_ratio"]
    assert result["needs_whole_ms"] < result["serial_ms"]
