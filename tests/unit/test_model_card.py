"""What a model may answer is declared with it."""

from __future__ import annotations

import pytest

from serve_app.config import AnswersSettings, ModelSettings
from serve_app.domain.messages import Kind
from serve_app.domain.model_card import card_of, may_answer


def test_the_packaged_model_may_only_chat_in_english() -> None:
    card = card_of(ModelSettings())
    assert card.demo
    assert may_answer(card, "en", Kind.PERSONAL, chat=True)
    assert not may_answer(card, "zh", Kind.PERSONAL, chat=True)
    assert not may_answer(card, "en", Kind.PUBLIC, chat=False)
    assert not may_answer(card, "en", Kind.PERSONAL, chat=False)


@pytest.mark.parametrize("kind", [Kind.TEMPLATED, Kind.ACTION])
def test_no_model_gives_templated_answers_or_acts(kind: Kind) -> None:
    assert not may_answer(card_of(ModelSettings(path="Qwen/Qwen3-32B-FP8")), "en", kind, chat=False)


def test_another_model_answers_what_it_is_not_denied() -> None:
    card = card_of(ModelSettings(path="Qwen/Qwen3-32B-FP8"))
    assert (card.name, card.demo) == ("Qwen3-32B-FP8", False)
    assert may_answer(card, "zh", Kind.PUBLIC, chat=False)
    assert may_answer(card, "zh", Kind.PERSONAL, chat=True)
    only_public = card_of(ModelSettings(path="m", answers=AnswersSettings(languages=("zh",), kinds=("public",))))
    assert may_answer(only_public, "zh", Kind.PUBLIC, chat=False)
    assert not may_answer(only_public, "zh", Kind.PERSONAL, chat=False)
    assert not may_answer(only_public, "zh", Kind.PERSONAL, chat=True)
    assert not may_answer(only_public, "en", Kind.PUBLIC, chat=False)


def test_models_have_different_keys_and_one_has_the_same() -> None:
    keys = [card_of(ModelSettings(path=path)).key for path in (None, "a/m", "b/m", "a/m")]
    assert len(set(keys)) == 3
    assert keys[1] == keys[3]
