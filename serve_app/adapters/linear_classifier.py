"""The intent classifier: TF-IDF over character n-grams and multinomial logistic regression.

Trained in two or three seconds where it is used, from the phrases in `serve_app/data/utterances`, so no model file has to be
kept in step with the intents. Logistic regression minimises log loss, and so its probabilities need no calibration of their own
(scikit-learn user guide, 1.16 "Probability calibration").
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib import import_module, resources

import numpy as np
import numpy.typing as npt
import yaml

from serve_app.domain.errors import ConfigError
from serve_app.domain.intents import Intent
from serve_app.domain.normalise import canonical_form

_LONGEST_GRAM = 4
_BEST = 5  # intents returned

Weights = npt.NDArray[np.float32]


def load_utterances() -> dict[str, list[str]]:
    """The packaged training phrases of both languages by intent. Raises ConfigError for an unknown intent."""
    known = {str(intent) for intent in Intent}
    phrases: dict[str, list[str]] = {}
    for language in ("zh", "en"):
        file = resources.files("serve_app.data") / "utterances" / f"{language}.yaml"
        loaded: dict[str, list[str]] = yaml.safe_load(file.read_text(encoding="utf-8"))
        for intent, said in loaded.items():
            if intent not in known:
                raise ConfigError(f"utterances/{language}.yaml: there is no intent {intent!r}")
            phrases.setdefault(intent, []).extend(str(phrase) for phrase in said)
    return phrases


class LinearClassifier:
    """The Classifier port. About 0.1 ms a text."""

    def __init__(
        self, labels: Sequence[str], vocabulary: Mapping[str, int], idf: Weights, weights: Weights, bias: Weights
    ) -> None:
        """`weights` has a row per n-gram and a column per label; `idf` and `bias` go with them."""
        self._labels = list(labels)
        self._vocabulary = vocabulary
        self._idf = idf
        self._weights = weights
        self._bias = bias

    @classmethod
    def train(cls, utterances: Mapping[str, Sequence[str]]) -> LinearClassifier:
        """Deterministic. `utterances` are phrases by label; at least three labels."""
        # Heavy, needed only here, and without types of its own.
        text = import_module("sklearn.feature_extraction.text")
        linear_model = import_module("sklearn.linear_model")

        phrases = [(_prepared(phrase), label) for label, said in utterances.items() for phrase in said]
        vectorizer = text.TfidfVectorizer(analyzer="char_wb", ngram_range=(1, _LONGEST_GRAM), sublinear_tf=True)
        features = vectorizer.fit_transform([phrase for phrase, _ in phrases])
        model = linear_model.LogisticRegression(C=100.0, solver="saga", tol=1e-2, max_iter=30, random_state=0)
        model.fit(features, [label for _, label in phrases])
        return cls(
            labels=[str(label) for label in model.classes_],
            vocabulary=dict(vectorizer.vocabulary_),
            idf=vectorizer.idf_.astype(np.float32),
            weights=np.ascontiguousarray(model.coef_.T, dtype=np.float32),
            bias=model.intercept_.astype(np.float32),
        )

    def classify(self, text: str) -> Sequence[tuple[str, float]]:
        """Intents with probabilities, best first. A text of which nothing is known gets probability 0."""
        counts: dict[int, int] = {}
        for gram in _grams(_prepared(text)):
            at = self._vocabulary.get(gram)
            if at is not None:
                counts[at] = counts.get(at, 0) + 1
        if not counts.keys() - {self._vocabulary.get(" ")}:
            return [(str(Intent.OTHER), 0.0)]
        rows = np.fromiter(counts, dtype=np.intp, count=len(counts))
        frequencies = np.array([1.0 + math.log(count) for count in counts.values()], dtype=np.float32)
        values = frequencies * self._idf[rows]
        values /= np.linalg.norm(values)
        scores = values @ self._weights[rows] + self._bias
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        best: list[int] = np.argsort(-chances, kind="stable")[:_BEST].tolist()
        return [(self._labels[at], float(chances[at])) for at in best]


def _prepared(text: str) -> str:
    return canonical_form(text).replace(",", " ")


def _grams(text: str) -> list[str]:
    """Character n-grams of every word with a space on both sides: scikit-learn's "char_wb", without its overhead per call."""
    grams: list[str] = []
    for word in text.split():
        padded = f" {word} "
        for length in range(1, _LONGEST_GRAM + 1):
            grams.extend(padded[at : at + length] for at in range(len(padded) - length + 1))
    return grams
