"""What another's load tool tells is read as ours is."""

from __future__ import annotations

import pytest

from benchmarks.cross_check import Seen, compared, read


def test_times_count_from_a_request_and_what_failed_is_counted() -> None:
    times = {"request_start": 100.0, "first_token_iteration": 100.075, "request_end": 103.25}
    seen = Seen()
    read({"successful": [{"info": {"timings": times}}], "errored": [{}], "incomplete": [{}, {}]}, seen)
    assert (seen.first_s, seen.whole_s) == (pytest.approx([0.075]), pytest.approx([3.25]))
    assert seen.failed == 3


def test_ours_is_told_over_theirs() -> None:
    told = compared(Seen([0.11, 0.11], [3.0, 3.0]), Seen([0.10, 0.10], [3.0, 3.0], failed=1))
    assert (told["ttft_p50_ratio"], told["whole_p50_ratio"]) == (1.1, 1.0)
    assert told["failed"] == {"ours": 0, "tool": 1}
    assert compared(Seen(), Seen())["ttft_p50_ratio"] is None
