"""A scaling policy as an operator writes it: YAML with the fields of `ScalingPolicy`, optional but for `replicas.max`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from serve_app.domain.errors import ConfigError
from serve_app.domain.scaling_policy import Occasion, ScalingPolicy
from serve_app.yaml_lines import YamlText, near, reason_of

Path = tuple[str | int, ...]

# Far more than anybody writes; what the record holds is read by every server.
MOST_CHARS = 100_000
MOST_MISTAKES = 20
HOURS_A_DAY = 24
DAY_S = 86_400
YEARS = range(2000, 3000)
INSTANT = "write an instant with its offset, such as 2026-11-10T20:00:00+08:00"


@dataclass(frozen=True, slots=True)
class _Range:
    """What a number may be: no more than anybody means, and nothing that could not be reckoned with."""

    least: float = 0
    most: float = 1e9
    may_be_least: bool = True

    def fault(self, number: float) -> str | None:
        if number < self.least or (number == self.least and not self.may_be_least):
            return f"must be {'at least' if self.may_be_least else 'more than'} {self.least:g}"
        return f"must be at most {self.most:g}" if number > self.most else None


_ABOVE_0 = _Range(may_be_least=False)
_FROM_1 = _Range(least=1, most=10_000)
_RATE = _Range(least=0.001)
_WHILE = _Range(most=DAY_S, may_be_least=False)
_RANGES: Mapping[str, _Range] = {
    "replicas.min": _FROM_1,
    "replicas.max": _FROM_1,
    "target.streams": _RATE,
    "target.waiting_tokens": _ABOVE_0,
    "target.kv_use": _Range(most=1, may_be_least=False),
    "target.ttft_ms": _ABOVE_0,
    "target.answers_per_s": _RATE,
    "windows.stable_s": _WHILE,
    "windows.panic_s": _WHILE,
    "windows.panic_ratio": _Range(least=1, may_be_least=False),
    "hysteresis.down_after_s": _Range(most=7 * DAY_S),
    "hysteresis.down_per_minute": _FROM_1,
    "calendar.min": _FROM_1,
    "budget.gpu_hours_per_day": _ABOVE_0,
    "budget.gpus_per_replica": _Range(least=1, most=1024),
    "start_s": _Range(most=DAY_S),
}


class _File(BaseModel):
    """What the dataclasses inside are read with."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    policy: ScalingPolicy


def read_policy(text: str, name: str = "policy") -> ScalingPolicy:
    """The policy that `text` says; `name` is the file's, for messages.

    Raises ConfigError with a line `FILE:LINE: FIELD: reason` for each mistake: no YAML, an unknown or repeated field, a value
    of the wrong kind or out of its range, fields that contradict each other, no `replicas.max`: its default would let all
    replicas but one go.
    """
    if len(text) > MOST_CHARS:
        raise ConfigError(f"{name}: a policy of more than {MOST_CHARS} characters is not read")
    file = YamlText(text, name)
    if (line := file.alias()) is not None:
        raise ConfigError(f"{name}:{line}: the file: write it out: a policy takes no YAML aliases")
    _refuse(file, [(path, "stands twice") for path in file.repeated()])
    tree: Any = {} if file.tree is None else file.tree
    _refuse(file, [(path, "write a number, or put quotes around it") for path in _booleans(tree, ())])
    _refuse(file, [(path, INSTANT) for path in _numbers_for_instants(file)])
    try:
        policy = _File.model_validate({"policy": tree}).policy
    except ValidationError as error:
        _refuse(file, [(_shown(found), _reason(found)) for found in error.errors(include_url=False)])
        raise  # never: a validation error has at least one mistake
    _refuse(file, [*_out_of_range(policy, ()), *_contradictions(policy)])
    if file.at(("replicas", "max")) is None:
        _refuse(file, [(("replicas", "max"), "must be given: how many there may be at most")])
    return policy


def _refuse(file: YamlText, mistakes: Sequence[tuple[Path, str]]) -> None:
    if mistakes:
        told = [file.told(path, reason) for path, reason in mistakes[:MOST_MISTAKES]]
        if more := len(mistakes) - len(told):
            told.append(f"(and {more} more mistakes)")
        raise ConfigError("\n".join(told))


def _shown(found: ErrorDetails) -> Path:
    return found["loc"][1:]


def _reason(found: ErrorDetails) -> str:
    """Pydantic's own words, except where they speak of Python."""
    if found["type"] == "unexpected_keyword_argument":
        *parent, name = _shown(found)
        return f"there is no such field; {near(str(name), _fields_of(tuple(parent)))}"
    if found["type"] == "dataclass_type":
        return f"write its fields below it: {', '.join(_fields_of(_shown(found)))}"
    if found["type"] == "missing":
        return "must be given"
    if found["type"].startswith(("datetime", "date_")):
        return INSTANT
    return reason_of(found)


def _fields_of(path: Path) -> list[str]:
    """The fields that may stand under a path."""
    holder: Any = ScalingPolicy()
    for step in path:
        if isinstance(step, str):
            holder = Occasion if step == "calendar" else getattr(holder, step, holder)
    return [field.name for field in fields(holder)]


def _booleans(tree: Any, path: Path) -> Iterator[Path]:
    """YAML reads yes and no as booleans, which would pass for 1 and 0."""
    if isinstance(tree, bool):
        yield path
    elif isinstance(tree, dict):
        for key, value in cast(dict[Any, Any], tree).items():
            yield from _booleans(value, (*path, str(key)))
    elif isinstance(tree, list):
        for index, value in enumerate(cast(list[Any], tree)):
            yield from _booleans(value, (*path, index))


def _numbers_for_instants(file: YamlText) -> Iterator[Path]:
    """Pydantic takes a number for seconds since 1970: 20261110 would be a day of that year."""
    occasions: Any = file.at(("calendar",))
    for index in range(len(cast(list[Any], occasions)) if isinstance(occasions, list) else 0):
        for name in ("starts", "ends"):
            if _is_number(file.at(("calendar", index, name))):
                yield "calendar", index, name


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, int | float | str) and math.isfinite(float(value))
    except (ValueError, OverflowError):
        return isinstance(value, int)


def _out_of_range(part: Any, path: Path) -> Iterator[tuple[Path, str]]:
    for field in fields(part):
        here, value = (*path, field.name), getattr(part, field.name)
        if isinstance(value, int | float):
            allowed = _RANGES.get(".".join(step for step in here if isinstance(step, str)), _Range())
            if (fault := allowed.fault(value)) is not None:
                yield here, fault
        elif isinstance(value, tuple):
            for index, one in enumerate(cast(tuple[Occasion, ...], value)):
                yield from _out_of_range(one, (*here, index))
        elif hasattr(value, "__dataclass_fields__"):
            yield from _out_of_range(value, here)


def _contradictions(policy: ScalingPolicy) -> Iterator[tuple[Path, str]]:
    replicas, windows, budget = policy.replicas, policy.windows, policy.budget
    if replicas.max < replicas.min:
        yield ("replicas", "max"), f"is less than replicas.min, which is {replicas.min}"
    if windows.panic_s >= windows.stable_s:
        yield ("windows", "panic_s"), f"must be shorter than windows.stable_s, which is {windows.stable_s:g}"
    least_hours = replicas.min * budget.gpus_per_replica * HOURS_A_DAY
    if budget.gpu_hours_per_day is not None and budget.gpu_hours_per_day < least_hours:
        yield ("budget", "gpu_hours_per_day"), f"does not pay for replicas.min all day, which takes {least_hours} GPU-hours"
    for index, occasion in enumerate(policy.calendar):
        here: Path = ("calendar", index)
        unzoned = [name for name in ("starts", "ends") if not _has_offset(getattr(occasion, name))]
        yield from (((*here, name), "write its offset too, such as +08:00") for name in unzoned)
        for name in ("starts", "ends"):
            if getattr(occasion, name).year not in YEARS:
                yield (*here, name), f"write a year from {YEARS[0]} to {YEARS[-1]}"
        if not unzoned and occasion.ends <= occasion.starts:
            yield (*here, "ends"), "is not after `starts`"
        if occasion.min > replicas.max:
            yield (*here, "min"), f"is more than replicas.max, which is {replicas.max}"


def _has_offset(instant: datetime) -> bool:
    return instant.utcoffset() is not None
