"""What a socket shows of the events that reach it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.live import ANSWERS_FOLLOWED, Following, Step, Told, left_s, may_see, silent


def told(seq: int, answer_id: str = "a") -> Told:
    return Told(answer_id, seq, None, str(seq))


def test_an_answer_is_followed_from_its_first_event() -> None:
    following = Following()
    assert [following.arrived("a", seq) for seq in (1, 2, 2, 1, 4)] == [Step.SHOW, Step.SHOW, Step.DROP, Step.DROP, Step.FILL]


def test_one_that_began_before_is_followed_after_a_resume_only() -> None:
    following = Following()
    assert following.arrived("a", 3) is Step.DROP
    following.resume("a", 2)
    assert [following.arrived("a", seq) for seq in (2, 3, 4)] == [Step.DROP, Step.SHOW, Step.SHOW]


def test_a_resume_says_what_the_client_has() -> None:
    following = Following()
    assert [event.seq for event in following.missing([told(n) for n in range(1, 6)])] == [1, 2, 3, 4, 5]
    following.resume("a", 2)
    assert [event.seq for event in following.missing([told(n) for n in range(1, 6)])] == [3, 4, 5]


def test_only_so_many_answers_are_remembered() -> None:
    following = Following()
    for n in range(3 * ANSWERS_FOLLOWED):
        following.arrived(str(n), 1)
    assert list(following.shown) == [str(n) for n in range(2 * ANSWERS_FOLLOWED, 3 * ANSWERS_FOLLOWED)]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("event"), st.integers(1, 12)),  # told, in any order, any number of times
            st.tuples(st.just("fill"), st.integers(0, 12)),  # the store is read; it has so many events by then
        ),
        max_size=60,
    ),
    st.integers(0, 12),
)
def test_whatever_arrives_is_shown_in_order_each_once(arrivals: list[tuple[str, int]], after: int) -> None:
    following, shown = Following(), list[int]()
    following.resume("a", after)
    for kind, n in arrivals:
        if kind == "event":
            if following.arrived("a", n) is Step.SHOW:
                shown.append(n)
        else:
            shown += [event.seq for event in following.missing([told(seq) for seq in range(1, n + 1)])]
    shown += [event.seq for event in following.missing([told(seq) for seq in range(1, 13)])]
    assert shown == list(range(after + 1, 13))


@pytest.mark.parametrize(
    ("owner", "viewer", "seen"),
    [(None, None, True), (None, "C1", True), ("C1", "C1", True), ("C1", None, False), ("C1", "C2", False)],
)
def test_a_customers_answer_is_the_customers(owner: str | None, viewer: str | None, seen: bool) -> None:
    assert may_see(owner, viewer) is seen


@given(st.floats(0, 100), st.floats(0, 100))
def test_the_grace_counts_from_the_last_watcher(watched_until: float, now: float) -> None:
    assert (left_s(watched_until, now, 10) <= 0) == (now >= watched_until + 10)


def test_owners_that_are_silent_for_too_long() -> None:
    assert silent({"a": 0.0, "b": 5.0}, 10.5, 10) == ["a"]
