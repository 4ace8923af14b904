"""One running front for the folder."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.graph.front import Front, serving
from tests.packaged import saying


@pytest.fixture(scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, packaged_model: Path) -> AsyncGenerator[Front]:
    async with serving(tmp_path_factory.mktemp("front"), valkey_url, packaged_model, saying()) as running:
        yield running
