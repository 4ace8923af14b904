"""A short day is played, and nothing of it is out of date or another customer's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_short_day_has_no_stale_answer_and_no_leak(packaged_model: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.cache_replay", "--questions", "2000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=900)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["questions"] == 2000
    assert (told["stale_answers"], told["leaks"], told["stale_prompts"], told["leaking_prompts"]) == (0, 0, 0, 0)
    # Every tier takes part, and the two that were promised are not far from what a whole day comes to.
    assert {"memory", "redis", "template", "faq", "model"} <= told["by_tier"].keys()
    assert told["hits_over_infinite_cache"] >= 0.9
    assert told["head_hit_rate"] >= 0.9
