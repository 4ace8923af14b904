"""The scaling policy in the system of record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from serve_app.domain.scaling import Spent


@dataclass(frozen=True, slots=True)
class PolicyEdit:
    """One edit of the scaling policy. `refused` is why it was, None for one that was applied."""

    version: int
    text: str  # the YAML as it was written
    applied_at: datetime
    by: str
    note: str = ""
    refused: str | None = None


class ScalingRecord(Protocol):
    """The scaling policy in the system of record: every edit, by version, from 1. Every method raises StoreFailed."""

    async def add(self, text: str, by: str, now: datetime, *, note: str = "", refused: str | None = None) -> PolicyEdit:
        """Writes an edit down, applied or refused. Several may write at once: each gets a version of its own."""
        ...

    async def latest(self) -> int:
        """The last edit's version, 0 before the first; cheap, asked every two seconds."""
        ...

    async def history(self, limit: int = 50, *, applied_only: bool = False) -> Sequence[PolicyEdit]:
        """The last edits, the newest first. The first of those that were applied is in force."""
        ...

    async def edit(self, version: int) -> PolicyEdit:
        """Raises NotFound."""
        ...

    async def spent(self) -> Spent | None:
        """What the last day cost that anything is known of."""
        ...

    async def spend(self, spent: Spent) -> None:
        """Writes down what a day has cost until now. A day never costs less again."""
        ...
