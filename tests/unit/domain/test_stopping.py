"""A text ends where its stop strings say, however it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.stopping import StopStep, StopStrings

# Few letters, so that strings overlap, contain each other and begin anew in their middle.
LETTERS = "ab好"
STOPS = st.lists(st.text(LETTERS, min_size=1, max_size=4), max_size=4)
PIECES = st.lists(st.text(LETTERS, max_size=5), max_size=8)


def told(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    matcher, text = StopStrings(stops), ""
    for piece in pieces:
        step = matcher.feed(piece)
        text += step.text
        if step.stopped:
            return text, True
    return text + matcher.end(), False


@given(stops=STOPS, pieces=PIECES)
def test_how_the_text_is_cut_makes_no_difference(stops: list[str], pieces: list[str]) -> None:
    assert told(stops, pieces) == told(stops, ["".join(pieces)]) == told(stops, list("".join(pieces)))


@given(stops=STOPS, pieces=PIECES)
def test_it_ends_before_the_first_that_is_complete_and_nowhere_else(stops: list[str], pieces: list[str]) -> None:
    whole = "".join(pieces)
    text, stopped = told(stops, pieces)
    assert stopped == any(stop in whole for stop in stops)
    if not stopped:
        assert text == whole
        return
    assert whole.startswith(text)
    assert not any(stop in text for stop in stops)
    ends = min(whole.index(stop) + len(stop) for stop in stops if stop in whole)
    assert any(whole[len(text) : ends] == stop for stop in stops)


@given(stops=STOPS, pieces=PIECES)
def test_only_what_may_become_one_is_held_back(stops: list[str], pieces: list[str]) -> None:
    matcher, given_text, whole = StopStrings(stops), "", ""
    for piece in pieces:
        step = matcher.feed(piece)
        given_text, whole = given_text + step.text, whole + piece
        if step.stopped:
            return
        held = whole[len(given_text) :]
        assert not held or any(stop.startswith(held) and stop != held for stop in stops)


@pytest.mark.parametrize(
    ("stops", "text", "shown"),
    [(["\n\n"], "One.\n\nTwo.", "One."), (["END", "D"], "THE END", "THE "), (["。"], "好。好", "好"), (["a"], "a", "")],
)
def test_the_text_before_it_is_the_answer(stops: list[str], text: str, shown: str) -> None:
    assert told(stops, [text]) == (shown, True)


def test_after_it_nothing_more_is_said() -> None:
    matcher = StopStrings(["b"])
    assert matcher.feed("ab") == StopStep("a", stopped=True)
    assert matcher.feed("ab") == StopStep("", stopped=True)
    assert matcher.end() == ""
