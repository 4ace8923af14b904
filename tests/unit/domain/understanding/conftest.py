from datetime import date

import pytest

from serve_app.adapters.language import FastTextDetector
from serve_app.adapters.linear_classifier import LinearClassifier, load_utterances
from serve_app.domain.understanding import Understander

TODAY = date(2026, 11, 24)  # a Tuesday


@pytest.fixture(scope="session")
def classifier() -> LinearClassifier:
    return LinearClassifier.train(load_utterances())


@pytest.fixture(scope="session")
def understander(classifier: LinearClassifier) -> Understander:
    """With the real classifier and detector: what they cannot tell, the rules must not spoil."""
    return Understander(classifier.classify, FastTextDetector().detect)


@pytest.fixture(scope="session")
def today() -> date:
    return TODAY
