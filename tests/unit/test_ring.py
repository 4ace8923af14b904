"""The ring's promises, by property. Tolerances are stated where a hash decides."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.ring import Ring

replica_sets = st.sets(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=12), max_size=8)
keys = st.text(max_size=30)


@given(replicas=replica_sets, key=keys)
def test_every_replica_is_ranked_once(replicas: set[str], key: str) -> None:
    assert sorted(Ring(replicas).walk(key)) == sorted(replicas)


@given(replicas=st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1), key=keys)
def test_the_order_in_which_replicas_came_does_not_matter(replicas: list[str], key: str) -> None:
    assert list(Ring(replicas).walk(key)) == list(Ring(reversed(replicas)).walk(key))


@given(replicas=replica_sets.filter(lambda found: len(found) > 1), key=keys)
def test_without_a_replica_the_others_keep_their_order(replicas: set[str], key: str) -> None:
    gone = min(replicas)
    assert list(Ring(replicas - {gone}).walk(key)) == [r for r in list(Ring(replicas).walk(key)) if r != gone]


def test_keys_spread_evenly() -> None:
    """Each of 4 replicas is home to a quarter of 8,000 keys, give or take a third of it."""
    ring = Ring("abcd")
    homes = Counter(next(iter(ring.walk(f"session-{number}"))) for number in range(8000))
    assert all(1333 < homes[replica] < 2667 for replica in "abcd")


def test_a_dead_replica_s_keys_spread_over_the_survivors() -> None:
    """Of those keys no survivor of 3 gets more than two thirds."""
    ring = Ring("abcd")
    orphans = [key for key in (f"session-{number}" for number in range(8000)) if next(iter(ring.walk(key))) == "a"]
    heirs = Counter(list(ring.walk(key))[1] for key in orphans)
    assert set(heirs) == set("bcd")
    assert max(heirs.values()) < len(orphans) * 2 / 3


def test_an_empty_ring_ranks_nothing() -> None:
    assert list(Ring(()).walk("session")) == []
