"""The fake record of the scaling policy: one process's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from serve_app.domain.errors import NotFound, StoreFailed
from serve_app.domain.scaling import Spent
from serve_app.ports import PolicyEdit


class MemoryScaling:
    """The port `ScalingRecord`. While `is_away` it answers nobody."""

    def __init__(self) -> None:
        self._edits: list[PolicyEdit] = []
        self._spent: Spent | None = None
        self.is_away = False

    async def add(self, text: str, by: str, now: datetime, *, note: str = "", refused: str | None = None) -> PolicyEdit:
        """See the port."""
        self._answer()
        edit = PolicyEdit(len(self._edits) + 1, text, now, by, note, refused)
        self._edits.append(edit)
        return edit

    async def latest(self) -> int:
        """See the port."""
        self._answer()
        return len(self._edits)

    async def history(self, limit: int = 50, *, applied_only: bool = False) -> Sequence[PolicyEdit]:
        """See the port."""
        self._answer()
        shown = [edit for edit in reversed(self._edits) if edit.refused is None or not applied_only]
        return tuple(shown[:limit])

    async def edit(self, version: int) -> PolicyEdit:
        """See the port."""
        self._answer()
        if not 1 <= version <= len(self._edits):
            raise NotFound(f"There is no version {version} of the scaling policy; `show --history` lists those that there are.")
        return self._edits[version - 1]

    async def spent(self) -> Spent | None:
        """See the port."""
        self._answer()
        return self._spent

    async def spend(self, spent: Spent) -> None:
        """See the port."""
        self._answer()
        last = self._spent
        if last is None or (last.day, last.gpu_hours) < (spent.day, spent.gpu_hours):
            self._spent = spent

    def _answer(self) -> None:
        if self.is_away:
            raise StoreFailed("the record of the scaling policy does not answer")
