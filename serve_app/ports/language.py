"""Models of language: vectors, intents, tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy
from numpy.typing import NDArray


class Embedder(Protocol):
    @property
    def name(self) -> str:
        """The model and its version. Vectors of different models cannot be compared."""
        ...

    @property
    def related_from(self) -> float:
        """Texts whose vectors' product is smaller have nothing to do with each other; each model has its own scale."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[numpy.float32]:
        """Unit vectors, [len(texts), dimensions]. Takes milliseconds a text: call it off the event loop, from any thread."""
        ...


class Classifier(Protocol):
    """A small intent classifier; in process, well under a millisecond."""

    def classify(self, text: str) -> Sequence[tuple[str, float]]:
        """Intents with probabilities, best first."""
        ...


class VectorClassifier(Protocol):
    """Trained on vectors that belong to labels."""

    def best(self, vector: NDArray[numpy.float32]) -> tuple[str, float]:
        """The likeliest label of a vector, and its probability. In microseconds."""
        ...


class LanguageDetector(Protocol):
    def detect(self, text: str) -> tuple[str, float]:
        """An ISO 639-1 code and its probability."""
        ...


class Detokenizer(Protocol):
    """The text of one answer's tokens as they come. Together it is what `Tokenizer.decode` makes of all of them."""

    def feed(self, token_ids: Iterable[int]) -> str:
        """As much as is certain: a character whose tokens are not all there is held back."""
        ...

    def end(self) -> str:
        """What was held back, when no more tokens come: U+FFFD for a broken character."""
        ...


class Tokenizer(Protocol):
    """A model's tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Special tokens are read as such, none is added."""
        ...

    def encode_plain(self, text: str) -> list[int]:
        """Whatever the text holds, no special token comes out of it: for what customers and sources wrote."""
        ...

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of the tokens, without special ones."""
        ...

    def stream(self) -> Detokenizer:
        """For one answer."""
        ...
