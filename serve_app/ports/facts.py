"""The shop's systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class FactsQuery:
    """Whose facts, and which orders beyond the open ones. `within_s` is what the request's deadline leaves for it.

    `parts` (of `serve_app.domain.sources.PARTS`) are those that are wanted; None: all. Others may stand in `Facts.missing`.
    """

    tenant: str
    customer_id: str
    now: datetime
    within_s: float
    order_ids: tuple[str, ...] = ()
    order_tails: tuple[str, ...] = ()
    tracking_nos: tuple[str, ...] = ()
    parts: frozenset[str] | None = None
    trace: dict[str, str] = field(default_factory=dict[str, str])


class FactSource(Protocol):
    """One declared source: rows of one part of the facts."""

    @property
    def name(self) -> str: ...

    async def fetch(self, parameters: dict[str, Any]) -> Sequence[dict[str, Any]]:
        """Rows as the source has them; `serve_app.domain.mapping` reads them. Raises SourceFailed, and nothing else."""
        ...

    async def close(self) -> None: ...
