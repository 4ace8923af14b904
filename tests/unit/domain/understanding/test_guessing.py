"""What the classifier is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander


def test_a_questions_clauses_are_each_classified_once() -> None:
    asked: Counter[str] = Counter()

    def classify(text: str) -> Sequence[tuple[str, float]]:
        asked[text] += 1
        return [("other", 0.1), ("chitchat", 0.1)]

    understander = Understander(classify, lambda _: ("en", 1.0))
    understander.understand("I feel bored, please tell me a joke about an otter", Focus(), date(2026, 1, 5))
    assert asked
    assert set(asked.values()) == {1}
