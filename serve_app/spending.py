"""The GPU-hours of a day, kept in the record, so that a controller that starts anew goes on with them."""

from __future__ import annotations

from datetime import UTC, datetime

from serve_app.domain.scaling import Spent
from serve_app.ports import ScalingRecord

# What a controller that dies may forget, in GPU-hours.
FORGETS = 0.05


class Spending:
    """Told by one thread, kept by another."""

    def __init__(self) -> None:
        self._told: Spent | None = None
        self._kept: Spent | None = None
        self._is_read = False

    def on_day_of(self, now: datetime) -> float:
        """GPU-hours from midnight UTC until now, as far as they are known."""
        today = now.astimezone(UTC).date()
        return max((spent.gpu_hours for spent in (self._told, self._kept) if spent and spent.day == today), default=0.0)

    def tell(self, spent: Spent) -> None:
        self._told = spent

    async def keep(self, record: ScalingRecord) -> None:
        """Asks the record once, and writes into it when there is news. Raises StoreFailed."""
        if not self._is_read:
            self._kept = await record.spent()
            self._is_read = True
        told, kept = self._told, self._kept
        if told is None:
            return
        if kept is None or told.day > kept.day or (told.day == kept.day and told.gpu_hours >= kept.gpu_hours + FORGETS):
            await record.spend(told)
            self._kept = told
