"""What the shop has published, read from the record's SQLite file: the policies' figures, and when entries hold."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

_UNITS = {"days": "day", "workdays": "workday", "hours": "hour", "months": "month", "years": "year"}
_CURRENT = """
SELECT knowledge_items.id, knowledge_items.kind, knowledge_items.published FROM knowledge_current
JOIN knowledge_items USING (tenant, id, version) WHERE knowledge_current.tenant = ?
"""


@dataclass(frozen=True)
class Policies:
    """The figures, by what they can be said as: amounts in minor units, durations as (unit, number), spans as (from, to).

    `entries`: the ids that are published; `entry_days`: the first and last days of those that hold for a time only.
    """

    amounts: frozenset[int] = frozenset()
    durations: frozenset[tuple[str, int]] = frozenset()
    percents: frozenset[float] = frozenset()
    counts: frozenset[int] = frozenset()
    spans: frozenset[tuple[str, ...]] = frozenset()
    entries: frozenset[str] = frozenset()
    entry_days: dict[str, frozenset[date]] | None = None

    @property
    def numbers(self) -> frozenset[float]:
        """Every figure's number, whatever its unit."""
        amounts = {minor / 100 for minor in self.amounts}
        return frozenset({*amounts, *(number for _, number in self.durations), *self.percents, *self.counts})


def read_policies(record: Path, zone: ZoneInfo, tenant: str = "demo", spans: Iterable[str] = ()) -> Policies:
    """`spans`: the opening hours of the configuration, "09:00-22:00". Raises sqlite3.Error where there is no such record."""
    with closing(sqlite3.connect(f"{record.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        rows = [(item, kind, json.loads(published)) for item, kind, published in connection.execute(_CURRENT, (tenant,))]
    policies = [tree for _, kind, tree in rows if kind == "policy"]
    entries = {item: tree for item, kind, tree in rows if kind == "entry"}

    def of(unit: str) -> list[Any]:
        return [policy["value"] for policy in policies if policy["unit"] == unit]

    return Policies(
        amounts=frozenset(of("minor")),
        durations=frozenset((_UNITS[one["unit"]], one["value"]) for one in policies if one["unit"] in _UNITS),
        percents=frozenset(float(value) for value in of("percent")),
        counts=frozenset(of("count")),
        spans=frozenset(tuple(span.split("-")) for span in (*of("time_span"), *spans)),
        entries=frozenset(entries),
        entry_days={item: _days(tree, zone) for item, tree in entries.items()},
    )


def _days(entry: dict[str, Any], zone: ZoneInfo) -> frozenset[date]:
    """The entry's first day, and its last: the one before `valid_to`, where that is a midnight."""
    days: set[date] = set()
    if entry.get("valid_from"):
        days.add(datetime.fromisoformat(entry["valid_from"]).astimezone(zone).date())
    if entry.get("valid_to"):
        end = datetime.fromisoformat(entry["valid_to"]).astimezone(zone)
        days |= {end.date(), date.fromordinal(end.toordinal() - 1)}
    return frozenset(days)
