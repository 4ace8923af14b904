"""Which entry a question's vector belongs to: multinomial logistic regression over the published wordings' vectors."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
# Weak regularisation: the vectors are short of spread (E5's cosines lie between 0.7 and 1).
_C = 30.0
_ROUNDS_MAX = 100
_TOLERANCE = 1e-6  # of the gradient, which is a mean over all wordings: with many entries each moves little of it


class EntryClassifier:
    """The port `VectorClassifier`."""

    def __init__(self, labels: Sequence[str], weights: Matrix, bias: Matrix) -> None:
        """`weights` has a row per dimension and a column per label."""
        self._labels = list(labels)
        self._weights = weights
        self._bias = bias

    @classmethod
    def train(cls, vectors: Matrix, labels: Sequence[str]) -> EntryClassifier:
        """Deterministic. About ten seconds for 10,000 vectors of 77 entries on one core. At least three labels."""
        # Heavy, needed only here, and without types of its own.
        linear_model = import_module("sklearn.linear_model")
        with np.errstate(all="ignore"):
            model = linear_model.LogisticRegression(C=_C, solver="lbfgs", max_iter=_ROUNDS_MAX, tol=_TOLERANCE)
            model.fit(vectors, list(labels))
        weights = np.ascontiguousarray(model.coef_.T, dtype=np.float32)
        return cls([str(label) for label in model.classes_], weights, model.intercept_.astype(np.float32))

    def best(self, vector: Matrix) -> tuple[str, float]:
        scores = vector @ self._weights + self._bias
        chances = np.exp(scores - scores.max())
        at = int(chances.argmax())
        return self._labels[at], float(chances[at] / chances.sum())
