"""The rooms, as the ingress sees them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from serve_app.domain.facts import Facts
from serve_app.domain.generation import Generate, Piece
from serve_app.domain.knowledge import Found, Lookup
from serve_app.ports.facts import FactsQuery


class ContextRoom(Protocol):
    async def facts(self, query: FactsQuery) -> Facts:
        """Never raises for a source: what is late, down or malformed stands in `missing`."""
        ...


class CacheRoom(Protocol):
    async def look_up(self, lookup: Lookup) -> Found: ...


class InferenceRoom(Protocol):
    def generate(self, request: Generate) -> AsyncGenerator[Piece, None]:
        """Started, then Tokens as they come, then Finished. Closing the iterator aborts. Raises ModelFailed, Overloaded."""
        ...
