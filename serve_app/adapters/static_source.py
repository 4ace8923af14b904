"""The fake beside the real sources: rows held in memory, failures and delays on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from serve_app.domain.errors import SourceFailed

Rows = Sequence[dict[str, Any]]


class StaticSource:
    """Gives `rows`, or what `rows` makes of the parameters; waits for `gate` first; raises `failure` while it is set."""

    def __init__(self, name: str, rows: Rows | Callable[[dict[str, Any]], Rows] = (), *, gate: asyncio.Event | None = None):
        self.name = name
        self.failure: SourceFailed | None = None
        self.asked: list[dict[str, Any]] = []
        self._rows = rows
        self._gate = gate

    async def fetch(self, parameters: dict[str, Any]) -> Rows:
        self.asked.append(parameters)
        if self._gate is not None:
            await self._gate.wait()
        if self.failure is not None:
            raise self.failure
        return self._rows(parameters) if callable(self._rows) else self._rows

    async def close(self) -> None:
        return
