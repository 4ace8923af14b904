"""Leaving a replica: what becomes of a request, how long a silence may last, how many moves there may be."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.failing import Budget, Pace, Recent, digest_of, next_step

FLOOR, SHARE, WINDOW_S = 20, 0.1, 60


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_silence_is_waited_out_where_nobody_else_can_be_asked(moves: int):
    assert next_step("silent", moves=moves, moves_max=2, deaths=0, elsewhere=False) == "wait"


def test_a_death_moves_the_request_even_when_nobody_else_is_there_yet():
    assert next_step("dead", moves=0, moves_max=2, deaths=1, elsewhere=False) == "move"


def test_after_two_moves_silence_is_waited_out_and_a_death_is_the_end():
    assert next_step("silent", moves=1, moves_max=2, deaths=0, elsewhere=True) == "move"
    assert next_step("silent", moves=2, moves_max=2, deaths=1, elsewhere=True) == "wait"
    assert next_step("dead", moves=2, moves_max=2, deaths=1, elsewhere=True) == "give-up"


def test_a_request_under_which_two_replicas_died_is_set_aside():
    assert next_step("dead", moves=1, moves_max=2, deaths=2, elsewhere=True) == "set-aside"
    assert next_step("dead", moves=1, moves_max=2, deaths=1, elsewhere=True) == "move"


def test_an_unknown_replica_may_be_silent_for_the_least_time():
    pace = Pace(2.0)
    assert pace.patience_s(None) == pace.patience_s("new") == 2.0


def test_a_slow_replica_may_be_silent_for_ten_of_its_tokens():
    pace = Pace(2.0)
    for _ in range(200):
        pace.gave("slow", tokens=2, took_s=0.8)
        pace.gave("fast", tokens=8, took_s=0.08)
    assert pace.patience_s("slow") == pytest.approx(4.0)
    assert pace.patience_s("fast") == 2.0


@given(st.lists(st.tuples(st.integers(0, 64), st.floats(0, 1e6)), max_size=50))
def test_patience_has_two_ends(gaps: list[tuple[int, float]]):
    pace = Pace(2.0)
    for tokens, took_s in gaps:
        pace.gave("replica", tokens, took_s)
    assert 2.0 <= pace.patience_s("replica") <= 10.0


def test_a_replica_that_any_stream_hears_is_not_silent():
    pace = Pace(2.0)
    assert pace.is_silent("replica", now=5.0)
    pace.heard("replica", 4.0)
    assert not pace.is_silent("replica", now=5.0)
    assert pace.is_silent("replica", now=6.0)
    for number in range(1024):
        pace.heard(f"later-{number}", 4.0)
    assert pace.is_silent("replica", now=5.0), "what is known of replicas is bounded"


@given(
    steps=st.lists(st.tuples(st.floats(0, 20), st.integers(0, 60), st.integers(0, 40)), max_size=60),
    start=st.floats(0, 1e6),
)
def test_moves_are_never_more_than_the_budget_in_any_window(steps: list[tuple[float, int, int]], start: float):
    """Each step: seconds that pass, requests that come, moves that are wanted."""
    budget, now = Budget(FLOOR, SHARE, WINDOW_S), start
    asked: list[float] = []
    moved: list[float] = []
    for passed_s, requests, wanted in steps:
        now += passed_s
        for _ in range(requests):
            budget.asked(now)
        asked += [now] * requests
        for _ in range(wanted):
            if budget.take(now):
                moved.append(now)
                recent = [at for at in moved if at > now - WINDOW_S]
                assert len(recent) <= FLOOR + SHARE * sum(at > now - WINDOW_S for at in asked)


@given(times=st.lists(st.floats(0, 300), min_size=1, max_size=60).map(sorted))
def test_within_the_floor_every_move_is_granted(times: list[float]):
    budget = Budget(FLOOR, SHARE, WINDOW_S)
    last: list[float] = []
    for now in times:
        last = [at for at in last if now - at < WINDOW_S + 1]
        if len(last) < FLOOR:
            assert budget.take(now)
            last.append(now)


def test_a_tenth_of_the_traffic_may_move_and_the_window_passes():
    budget = Budget(FLOOR, SHARE, WINDOW_S)
    for _ in range(300):
        budget.asked(10.0)
    assert [budget.take(11.0) for _ in range(60)] == [True] * 50 + [False] * 10
    assert budget.take(100.0)


def test_what_was_noted_is_forgotten_in_time():
    recent = Recent(keep_s=600)
    recent.note("prompt", 0.0)
    assert recent.has("prompt", 599.0)
    assert not recent.has("prompt", 600.0)
    assert not recent.has("other", 0.0)


@given(st.lists(st.integers(0, 9), max_size=40))
def test_what_was_noted_is_bounded(names: list[int]):
    recent = Recent(keep_s=600, most=4)
    for now, name in enumerate(names):
        recent.note(str(name), now)
    known = [str(name) for name in range(10) if recent.has(str(name), len(names))]
    last_first = list(dict.fromkeys(str(name) for name in reversed(names)))
    assert sorted(known) == sorted(last_first[:4])


@given(st.lists(st.lists(st.integers(0, 2**32), max_size=5), min_size=2, max_size=2))
def test_equal_prompts_have_one_digest(prompts: list[list[int]]):
    for one, other in pairwise(prompts):
        assert (digest_of(one) == digest_of(other)) == (one == other)
