"""The intent classifier by itself."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from serve_app.adapters import linear_classifier
from serve_app.adapters.linear_classifier import LinearClassifier, load_utterances
from serve_app.domain.intents import ACTIONS, REPLIES, TEMPLATED, Intent

FRUIT = {
    "apple": ["red apple", "green apple", "苹果"],
    "pear": ["yellow pear", "a ripe pear", "梨子"],
    "plum": ["blue plum", "李子"],
}


def test_probabilities_are_best_first_and_sum_to_one():
    found = LinearClassifier.train(FRUIT).classify("a red apple")
    assert found[0][0] == "apple"
    assert {label for label, _ in found} == set(FRUIT)
    assert [probability for _, probability in found] == sorted((probability for _, probability in found), reverse=True)
    assert sum(probability for _, probability in found) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("text", ["", "   ", "☃", "\x00"])
def test_a_text_of_which_nothing_is_known(text: str):
    assert LinearClassifier.train(FRUIT).classify(text) == [("other", 0.0)]


def test_the_n_grams_are_those_it_was_trained_on():
    analyse = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4)).build_analyzer()
    for text in ("运费怎么算", "where is it", "a", "ab 你"):
        assert sorted(linear_classifier._grams(text)) == sorted(analyse(text))  # pyright: ignore[reportPrivateUsage]


def test_every_intent_that_is_not_a_reply_or_told_by_rules_has_phrases():
    missing = set(Intent) - {Intent(label) for label in load_utterances()}
    assert missing <= TEMPLATED | ACTIONS | REPLIES | {Intent.CRISIS}


def test_no_phrase_is_said_twice():
    phrases = [phrase for said in load_utterances().values() for phrase in said]
    assert len(phrases) == len(set(phrases))


def test_it_needs_no_more_than_its_arrays():
    trained = LinearClassifier.train(FRUIT)
    rebuilt = LinearClassifier(
        ["a", "b"], {"x": 0}, np.ones(1, np.float32), np.eye(1, 2, dtype=np.float32), np.zeros(2, np.float32)
    )
    assert rebuilt.classify("x")[0][0] == "a"
    assert trained.classify("苹果")[0][0] == "apple"
