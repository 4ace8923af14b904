"""Where a client's own system text stands in a prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.adapters.tokenizer import ByteTokenizer
from serve_app.domain.errors import TooLong
from serve_app.domain.prompt import PromptRenderer, SessionPrompt
from serve_app.domain.session import Turn
from tests.prompts import MODEL, Conversation, Step, steps, texts

BYTES = ByteTokenizer()
START, END = BYTES.encode("<|im_start|>")[0], BYTES.encode("<|im_end|>")[0]


def a_renderer(max_model_len: int = 100_000) -> PromptRenderer:
    return PromptRenderer(BYTES, "You are a shop's assistant.", "- Returns within 7 days.", max_model_len=max_model_len)


def prompt(renderer: PromptRenderer, turns: list[Turn], instructions: str, facts: str | None = None) -> SessionPrompt:
    return renderer.session_prompt(turns, MODEL, "And now?", facts_text=facts, language="en", instructions=instructions)


@given(told=st.lists(steps, max_size=5), instructions=texts.filter(bool))
def test_behind_the_rules_and_before_the_turns_in_a_customers_rank(told: list[Step], instructions: str) -> None:
    played = Conversation(a_renderer(), BYTES)
    for step in told:
        played.play(step)
    without = prompt(played.renderer, played.turns, "", "Order ZW1: shipped").token_ids
    with_it = prompt(played.renderer, played.turns, instructions, "Order ZW1: shipped").token_ids
    rules = without.index(END) + 2
    added = with_it[rules : rules + len(with_it) - len(without)]
    assert with_it == without[:rules] + added + without[rules:]
    assert added[: 1 + len("user\n")] == (START, *BYTES.encode("user\n"))
    assert (added.count(START), added.count(END)) == (1, 1)
    assert BYTES.encode_plain(instructions) == list(added)[-2 - len(BYTES.encode_plain(instructions)) : -2]


@given(told=st.lists(steps, min_size=6, max_size=12))
def test_near_the_limit_it_stays_where_the_turns_are_folded(told: list[Step]) -> None:
    renderer = a_renderer(900)
    played = Conversation(renderer, BYTES)
    for step in told:
        played.play(step)
    rendered = prompt(renderer, played.turns, "Be a pirate.")
    assert "Be a pirate." in BYTES.decode(rendered.token_ids)
    assert len(rendered.token_ids) <= 900 - 256


def test_one_that_leaves_no_room_is_too_long() -> None:
    with pytest.raises(TooLong):
        prompt(a_renderer(900), [], "x" * 900)
