"""The Context room: one customer's facts, from the shop's systems."""

from __future__ import annotations

import os

from serve_app import tracing
from serve_app.config import Config
from serve_app.context import gatherer
from serve_app.domain.facts import Facts
from serve_app.ports import FactsQuery


class Context:
    """Implements `serve_app.ports.ContextRoom`. The shop's pools and breakers live here, one set a replica."""

    def __init__(self, config: Config) -> None:
        """`config` is resolved. Raises ConfigError when a source cannot be built from it."""
        tracing.configure("context", os.environ)
        self._gatherer = gatherer(config, os.environ)

    async def facts(self, query: FactsQuery) -> Facts:
        """Within `query.within_s`; what is late, down or malformed stands in `missing`."""
        return await self._gatherer.facts(query)

    async def check_health(self) -> None:
        """Nothing to check: a source that is down is left out by its breaker, and a new replica would not mend it."""

    async def aclose(self) -> None:
        await self._gatherer.aclose()
