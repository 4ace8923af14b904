"""The whole of understanding on questions that nothing was trained on."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from serve_app.adapters.linear_classifier import LinearClassifier, load_utterances
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind
from serve_app.domain.normalise import canonical_form
from serve_app.domain.question import Focus, Understanding
from serve_app.domain.understanding import Understander

QUESTIONS: list[tuple[str, str]] = [
    (text, intent)
    for intent, texts in yaml.safe_load(Path(__file__).with_name("held_out.yaml").read_text(encoding="utf-8")).items()
    for text in texts
]
UNANSWERED = {Intent.OTHER, Intent.PRODUCT, Intent.CHITCHAT, Intent.COMPLAINT}


def test_none_was_trained_on():
    assert len(QUESTIONS) >= 900
    trained = {canonical_form(phrase) for phrases in load_utterances().values() for phrase in phrases}
    assert [text for text, _ in QUESTIONS if canonical_form(text) in trained] == []


@pytest.mark.parametrize(("text", "intent"), QUESTIONS)
def test_no_wrong_template_or_rule(understander: Understander, today: date, text: str, intent: str):
    understood = understander.understand(text, Focus(), today)
    # One that names a thing is answered only if an order holds that thing.
    if understood.settled or (understood.kind is Kind.TEMPLATED and not understood.entities.things):
        assert understood.intent == intent
        assert intent not in UNANSWERED


def test_most_are_understood(understander: Understander, today: date):
    answerable = [(text, intent) for text, intent in QUESTIONS if intent not in UNANSWERED]
    right = sum(answers(understander.understand(text, Focus(), today), intent) for text, intent in answerable)
    assert right / len(answerable) >= 0.8


def answers(understood: Understanding, intent: str) -> bool:
    """Whether the entry, the template or the rule of `intent` is reached, in whatever words it was asked."""
    reached = understood.settled or understood.kind in (Kind.TEMPLATED, Kind.ACTION) or understood.canonical.startswith("@")
    return reached and understood.intent == intent


def test_training_is_deterministic(classifier: LinearClassifier):
    again = LinearClassifier.train(load_utterances())
    for text in ("运费多少", "where is my order", "定金能退吗"):
        assert again.classify(text) == classifier.classify(text)
