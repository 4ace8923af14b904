from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.generation import Sampling
from serve_app.domain.join_key import join_key

prompts = st.lists(st.integers(0, 2), max_size=3)
samplings = st.builds(
    Sampling, max_tokens=st.integers(1, 3), seed=st.none() | st.integers(0, 2), stop=st.just(()) | st.just(("a",))
)
questions = st.tuples(prompts, samplings, st.sampled_from(["demo", "demo2", "other"]))


@given(one=questions, other=questions)
def test_keys_are_equal_where_everything_is(
    one: tuple[list[int], Sampling, str], other: tuple[list[int], Sampling, str]
) -> None:
    assert (join_key(*one) == join_key(*other)) == (one == other)


def test_a_key_is_the_same_in_every_process() -> None:
    assert join_key([1, 2, 3], Sampling(), "demo") == join_key((1, 2, 3), replace(Sampling()), "demo")
    assert join_key([1, 2, 3], Sampling(), "demo") == "373275d0be351a7529dee0a9f50b8454"
