"""The decision's promises, by property. Tolerances are stated where a hash decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.ring import Ring
from serve_app.domain.routing import Bound, Decision, decide

names = [f"r{number}" for number in range(8)]
loads_of_fleets = st.dictionaries(st.sampled_from(names), st.floats(0, 200), min_size=1)
keys = st.text(max_size=20)
weights = st.one_of(st.just(1.0), st.floats(1, 60))
bounds = st.builds(Bound, relative=st.floats(1, 3), floor=st.floats(0.5, 20))


@cache
def _ring(replica_ids: frozenset[str]) -> Ring:
    return Ring(replica_ids)


def ring_of(replica_ids: Iterable[str]) -> Ring:
    """Making one takes milliseconds."""
    return _ring(frozenset(replica_ids))


def full(loads: Mapping[str, float], replica_id: str, weight: float, bound: Bound) -> bool:
    """As Mirrokni et al. have it, with the design's floor; for a weight above the floor, more than the mean waits there."""
    mean = (sum(loads.values()) + weight) / len(loads)
    return loads[replica_id] + weight > max(bound.relative * mean, mean + bound.floor, mean + weight)


@given(loads=loads_of_fleets, key=keys, weight=weights, bound=bounds)
def test_a_key_goes_to_the_first_on_its_walk_that_is_not_full(
    loads: dict[str, float], key: str, weight: float, bound: Bound
) -> None:
    ring = ring_of(loads)
    walk = list(ring.walk(key))
    decision = decide(ring, loads, key, "tie", weight, bound)
    assert decision is not None
    passed_by = walk[: walk.index(decision.replica_id)]
    assert all(full(loads, replica_id, weight, bound) for replica_id in passed_by)
    assert decision.route == ("spilled" if passed_by else "home")


@given(loads=loads_of_fleets, key=keys, weight=weights, bound=bounds)
def test_no_replica_is_filled_above_the_bound(loads: dict[str, float], key: str, weight: float, bound: Bound) -> None:
    """Whatever the weight, some replica has room."""
    decision = decide(ring_of(loads), loads, key, "tie", weight, bound)
    assert decision is not None
    assert not full(loads, decision.replica_id, weight, bound)


@given(key=keys, weight=st.floats(1, 1000), count=st.integers(1, 8))
def test_in_an_idle_fleet_everything_goes_home(key: str, weight: float, count: int) -> None:
    loads = dict.fromkeys(names[:count], 0.0)
    ring = ring_of(loads)
    assert decide(ring, loads, key, "tie", weight) == Decision(next(ring.walk(key)), "home")


@given(loads=loads_of_fleets, key=keys, weight=weights, bound=bounds, anew=st.floats(0, 60))
def test_a_gap_that_does_not_pay_for_computing_anew_sends_nobody_away(
    loads: dict[str, float], key: str, weight: float, bound: Bound, anew: float
) -> None:
    ring = ring_of(loads)
    home = next(ring.walk(key))
    decision = decide(ring, loads, key, "tie", weight, bound, anew)
    assert decision is not None
    assert decision.route in ("home", "spilled"), "whatever the weights, some replica has room"
    mean = (sum(loads.values()) + weight) / len(loads)
    if loads[home] <= mean + anew:
        assert decision.route == "home"
    if decision.route == "spilled":
        assert loads[decision.replica_id] + weight + anew <= max(bound.relative * mean, mean + max(bound.floor, weight + anew))


@given(loads=loads_of_fleets, tie=keys)
def test_without_a_key_the_least_loaded_is_taken(loads: dict[str, float], tie: str) -> None:
    decision = decide(ring_of(loads), loads, None, tie)
    assert decision is not None
    assert decision.route == "least-loaded"
    assert loads[decision.replica_id] == min(loads.values())


def test_processes_that_know_the_same_do_not_all_take_the_same_replica() -> None:
    loads = dict.fromkeys(names, 3.0)
    ring = ring_of(loads)
    taken = Counter(decision.replica_id for n in range(800) if (decision := decide(ring, loads, None, f"request-{n}")))
    assert set(taken) == set(names)


@given(loads=loads_of_fleets, ringed=st.sets(st.sampled_from(names)), key=st.none() | keys)
def test_only_what_may_be_taken_is_taken(loads: dict[str, float], ringed: set[str], key: str | None) -> None:
    """Whatever the ring holds: some of it is avoided, and processes may be told of replicas at different times."""
    decision = decide(ring_of(ringed), loads, key, "tie")
    assert decision is not None
    assert decision.replica_id in loads


def test_without_replicas_there_is_no_decision() -> None:
    assert decide(ring_of(names), {}, "key", "tie") is None
    assert decide(ring_of(()), {}, None, "tie") is None


@pytest.mark.parametrize("count", [2, 4, 8])
def test_one_that_comes_or_goes_moves_its_own_share_and_no_other(count: int) -> None:
    """1/N of the keys, give or take a third of it, at equal loads; all of them from it or to it."""
    few, many = names[: count - 1], names[:count]
    moved = Counter[tuple[str, str]]()
    for number in range(3000):
        before, after = (_home(loads, f"session-{number}") for loads in (few, many))
        if before != after:
            moved[before, after] += 1
    assert all(after == many[-1] for _, after in moved)
    assert 2 / 3 / count <= moved.total() / 3000 <= 4 / 3 / count
    assert {before for before, _ in moved} == set(few), "a dead replica's keys spread over all survivors"


@given(key=keys, base=st.floats(0, 50), burst=st.integers(1, 60), count=st.integers(1, 8))
def test_overflow_is_sticky(key: str, base: float, burst: int, count: int) -> None:
    """However many requests a key has at once, they go to the first replicas of its walk, to each as much as it takes."""
    loads = dict.fromkeys(names[:count], base)
    ring = ring_of(loads)
    for number in range(burst):
        decision = decide(ring, loads, key, f"request-{number}")
        assert decision is not None
        loads[decision.replica_id] += 1
    carried = [loads[replica_id] > base for replica_id in ring.walk(key)]
    assert carried == sorted(carried, reverse=True)


def _home(replicas: list[str], key: str) -> str:
    loads = dict.fromkeys(replicas, 2.0)
    decision = decide(ring_of(replicas), loads, key, key)
    assert decision is not None
    return decision.replica_id
