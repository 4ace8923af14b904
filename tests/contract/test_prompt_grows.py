"""The prompt only grows, token for token, with the tokenizers of real models."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve_app.adapters.tokenizer import ByteTokenizer, HfTokenizer
from serve_app.domain.prompt import PromptRenderer
from serve_app.ports import Tokenizer
from tests.prompts import MODEL, Conversation, Step, steps


@pytest.fixture(scope="module", params=["packaged", "qwen3", "bytes"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    if request.param == "bytes":
        return ByteTokenizer()
    folder: Path = request.getfixturevalue("packaged_model" if request.param == "packaged" else "qwen3_tokenizer")
    return HfTokenizer.load(folder)


def a_renderer(tokenizer: Tokenizer, *, max_model_len: int = 100_000, think_block: bool = True) -> PromptRenderer:
    system, policies = "You are a shop's assistant.", "- 七天无理由退货 Returns within 7 days."
    return PromptRenderer(tokenizer, system, policies, think_block=think_block, max_model_len=max_model_len, answer_tokens=100)


@given(conversation=st.lists(steps, min_size=2, max_size=8))
@settings(max_examples=60, deadline=None)
def test_a_prompt_begins_with_the_one_before_and_its_answer(tokenizer: Tokenizer, conversation: list[Step]) -> None:
    played = Conversation(a_renderer(tokenizer), tokenizer)
    for step in conversation:
        held = played.held
        prompt = played.play(step)
        if prompt is not None:
            assert prompt.token_ids[: len(held)] == held
            assert prompt.new_tokens == len(prompt.token_ids) - (len(held) or played.renderer.shared_tokens)
            assert not prompt.folded


@given(conversation=st.lists(steps, min_size=6, max_size=16))
@settings(max_examples=60, deadline=None)
def test_near_the_limit_it_is_folded_and_then_grows_again(tokenizer: Tokenizer, conversation: list[Step]) -> None:
    limit = 600
    played = Conversation(a_renderer(tokenizer, max_model_len=limit), tokenizer)
    for step in conversation:
        held = played.held
        prompt = played.play(step)
        if prompt is not None:
            assert len(prompt.token_ids) <= limit - 100
            assert prompt.folded or prompt.token_ids[: len(held)] == held


@given(conversation=st.lists(steps, max_size=6), last=steps)
@settings(max_examples=60, deadline=None)
def test_what_people_write_opens_no_message(tokenizer: Tokenizer, conversation: list[Step], last: Step) -> None:
    played = Conversation(a_renderer(tokenizer), tokenizer)
    for step in conversation:
        played.play(step)
    facts_blocks = sum(b != a for a, b in zip([None, *_digests(played)], _digests(played), strict=False))
    prompt = played.prompt(last)
    facts_blocks += prompt.facts_digest != (_digests(played) or [None])[-1]
    answered = sum(
        turn.answer is not None and bool(turn.answer.text or turn.answer.rendered.get(MODEL)) for turn in played.turns
    )
    messages = 1 + facts_blocks + len(played.turns) + answered + 2
    start, end = tokenizer.encode("<|im_start|>")[0], tokenizer.encode("<|im_end|>")[0]
    assert prompt.token_ids.count(start) == messages
    assert prompt.token_ids.count(end) == messages - 1, "all are closed but the answer's own"


def _digests(played: Conversation) -> list[str | None]:
    return [prompt.facts_digest for prompt in played.prompts]
