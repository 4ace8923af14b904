"""The published questions' vectors in one file, so that a start embeds only what is new."""

from __future__ import annotations

import logging
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy
from numpy.typing import NDArray

logger = logging.getLogger(__name__)


class VectorFile:
    """Vectors by text, of one model. It only saves time: a missing, unreadable or other model's file holds nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, model: str) -> dict[str, NDArray[numpy.float32]]:
        try:
            with numpy.load(self._path, allow_pickle=False) as stored:
                if str(stored["model"]) != model:
                    return {}
                texts: list[str] = stored["texts"].tolist()
                return dict(zip(texts, stored["vectors"], strict=True))
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            return {}

    def save(self, model: str, vectors: Mapping[str, NDArray[numpy.float32]]) -> None:
        """Replaces the file, whole or not at all; where that is not possible it is left as it is."""
        if not vectors:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._path.parent) as folder:
                whole = Path(folder) / self._path.name
                numpy.savez(whole, model=model, texts=list(vectors), vectors=numpy.stack(list(vectors.values())))
                whole.replace(self._path)
        except OSError as error:
            logger.warning("the questions' vectors are not kept: %s", error)
