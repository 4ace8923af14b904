"""CPU time by process, where processes come and go."""

from __future__ import annotations

import os

from benchmarks.hits.cost import between, cpu_s, usage


def test_what_begins_counts_whole_and_what_ends_not_at_all() -> None:
    before = {1: ("Ingress", 2.0), 2: ("haproxy", 5.0)}
    after = {1: ("Ingress", 3.5), 3: ("haproxy", 0.25)}
    assert between(before, after) == {"Ingress": 1.5, "haproxy": 0.25}


def test_processes_of_one_kind_are_added_and_one_that_is_gone_is_passed_over() -> None:
    gone = 2**22 + 1  # above any process number
    assert set(usage([os.getpid(), gone])) == {os.getpid()}
    assert set(cpu_s([os.getpid(), gone])) == set(cpu_s([os.getpid()]))
