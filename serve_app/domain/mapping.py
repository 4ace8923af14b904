"""One row of a shop's system, in our names, units and values. What a mapping cannot read is refused, never guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

Converter = Literal[
    "major_units",  # "1,299.00", 1299.0 or "¥1299" in the currency's main unit -> minor units
    "local_time",  # an ISO instant; without an offset it is in the shop's zone
    "utc_time",  # an ISO instant; without an offset it is in UTC
    "epoch_s",  # seconds since 1970; 0 is "not set"
    "epoch_ms",  # milliseconds since 1970; 0 is "not set"
    "json",  # JSON in a text column
    "masked_name",  # 王小明 -> 王**, Emma Wilson -> E***
    "masked_phone",  # 13812341234 -> 138****1234
]


class MappingError(ValueError):
    """A value cannot be read as its field says. The message names the field and no value."""


@dataclass(frozen=True, slots=True)
class FieldPath:
    path: str
    convert: Converter | None = None


@dataclass(frozen=True, slots=True)
class RowMapping:
    """How a source's row becomes ours: `names` are the fields wanted; one that `fields` does not name keeps its name."""

    names: frozenset[str]
    time_zone: ZoneInfo
    currency: str
    fields: Mapping[str, FieldPath] = field(default_factory=dict[str, FieldPath])
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    constants: Mapping[str, Any] = field(default_factory=dict[str, Any])
    dates: frozenset[str] = frozenset()  # fields that are days: an instant becomes its day in the shop's zone
    reads: tuple[FieldRead, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        reads = (FieldRead.of(name, self.fields.get(name, FieldPath(name))) for name in sorted(self.names))
        object.__setattr__(self, "reads", tuple(reads))


@dataclass(frozen=True, slots=True)
class FieldRead:
    """`is_plain`: the path is a key, and leads into nothing."""

    name: str
    path: str
    convert: Converter | None
    is_plain: bool

    @staticmethod
    def of(name: str, source: FieldPath) -> FieldRead:
        return FieldRead(name, source.path, source.convert, is_plain=not set(".[]") & set(source.path))


def map_row(row: Mapping[str, Any], mapping: RowMapping) -> dict[str, Any]:
    """The row in our names; what is null, empty text or absent is left out. Raises MappingError."""
    mapped = dict(mapping.constants)
    for read in mapping.reads:
        name = read.name
        value = row.get(read.path) if read.is_plain else look_up(row, read.path)
        if value is None or value == "":
            continue
        try:
            value = _converted(value, read.convert, mapping)
        except (ValueError, TypeError, ArithmeticError, OSError) as error:
            reason = str(error) if isinstance(error, MappingError) else f"cannot be read as {read.convert}"
            raise MappingError(f"{name}: {reason}") from error
        if name in mapping.values:
            value = mapping.values[name].get(_code(value), value)
        if name in mapping.dates and isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(mapping.time_zone).date()
        if value is not None:
            mapped[name] = value
    return mapped


def look_up(row: Any, path: str) -> Any:
    """What stands at a dotted path: `a.b`, `items[].id` (of each, a list), `items[0].id`. None where there is nothing.

    A key that has the whole path for a name goes first, so that a column may have a dot in its name.
    """
    if not isinstance(row, Mapping):
        return None
    tree = cast(Mapping[str, Any], row)
    if path in tree:
        return tree[path]
    head, _, rest = path.partition(".")
    step = _STEP.fullmatch(head)
    if step is None:
        return None
    found = tree.get(step["key"])
    if step["index"] is None:
        return look_up(found, rest) if rest else found
    if not isinstance(found, list):
        return None
    items = cast(list[Any], found)
    if step["index"]:
        position = int(step["index"])
        item = items[position] if position < len(items) else None
        return look_up(item, rest) if rest else item
    return [look_up(item, rest) if rest else item for item in items]


_STEP = re.compile(r"(?P<key>[^.\[\]]+)(?:\[(?P<index>\d*)\])?")


def _code(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _converted(value: Any, convert: Converter | None, mapping: RowMapping) -> Any:
    if convert is None:
        return str(value) if isinstance(value, UUID) else value
    return _CONVERTERS[convert](value, mapping)


def _major_units(value: Any, mapping: RowMapping) -> int:
    text = str(value).upper().replace(mapping.currency, "")
    try:
        amount = Decimal(re.sub(r"[,\s¥￥$€£元]", "", text))
    except InvalidOperation as error:
        raise MappingError("is not an amount") from error
    minor = amount.scaleb(get_currency_precision(mapping.currency))
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise MappingError(f"is not a whole number of {mapping.currency}'s smallest unit")
    return int(minor)


def _instant(value: Any, zone: ZoneInfo) -> datetime:
    if isinstance(value, datetime):
        instant = value
    elif isinstance(value, date):
        instant = datetime.combine(value, time())
    else:
        try:
            instant = datetime.fromisoformat(str(value).strip().replace("/", "-"))
        except ValueError as error:
            raise MappingError("is not an ISO instant") from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)


def _epoch(value: Any, unit_s: float) -> datetime | None:
    seconds = float(value) * unit_s
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _masked_name(value: Any) -> str:
    name = str(value).strip()
    if "*" in name:
        return name
    return name[0] + ("***" if name[0].isascii() else "*" * max(1, min(len(name) - 1, 2)))


def _masked_phone(value: Any) -> str:
    if "*" in str(value):
        return str(value)
    digits = re.sub(r"\D", "", str(value))
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 10 else f"****{digits[-2:]}"


_CONVERTERS: Mapping[Converter, Callable[[Any, RowMapping], Any]] = {
    "major_units": _major_units,
    "local_time": lambda value, mapping: _instant(value, mapping.time_zone),
    "utc_time": lambda value, _: _instant(value, ZoneInfo("UTC")),
    "epoch_s": lambda value, _: _epoch(value, 1.0),
    "epoch_ms": lambda value, _: _epoch(value, 0.001),
    "json": lambda value, _: json.loads(value) if isinstance(value, str | bytes) else value,
    "masked_name": lambda value, _: _masked_name(value),
    "masked_phone": lambda value, _: _masked_phone(value),
}
