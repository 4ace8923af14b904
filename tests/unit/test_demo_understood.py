"""The demo's published questions, as customers type them, are understood as what they are: public, and whole in themselves."""

from __future__ import annotations

from datetime import date

import pytest

from serve_app.adapters.language import FastTextDetector
from serve_app.adapters.linear_classifier import LinearClassifier, load_utterances
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.knowledge import Entry
from serve_app.domain.messages import Kind
from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander


@pytest.fixture(scope="module")
def understander() -> Understander:
    return Understander(LinearClassifier.train(load_utterances()).classify, FastTextDetector().detect)


@pytest.mark.parametrize("entry", [pytest.param(entry, id=entry.id) for entry in demo_knowledge().entries])
def test_a_published_question_stands_on_its_own(entry: Entry, understander: Understander) -> None:
    for language, questions in entry.questions.items():
        for question in questions:
            understood = understander.understand(question, Focus(), date(2026, 11, 22))
            assert understood.self_contained, question
            assert understood.kind is Kind.PUBLIC, question
            assert understood.intent is entry.intent, question
            assert understood.language == language, question
