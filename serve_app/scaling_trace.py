"""A trace of questions for `zerowait policy simulate`, from CSV or JSON lines. `FORMAT` describes it."""

from __future__ import annotations

import csv
import json
import math
import reprlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from serve_app.domain.errors import ConfigError
from serve_app.scaling_simulation import Trace
from serve_app.yaml_lines import read_text

FORMAT = """\b
A trace is CSV with this heading, or JSON lines with these fields (a name that ends in .jsonl), in UTF-8:
  second,questions_per_s,hit_rate
  0,310,0.65
  60,322.5,0.64

\b
second           a whole number, rising from row to row; each row holds until the next, the last as long as the one
                 before it. It counts from --from; a trace whose seconds count from 1970 (Unix time) needs no --from
questions_per_s  that reach the shop, those that the shared tiers answer included
hit_rate         0 to 1: the share that the shared tiers answer. Empty or left out: 0, every question is the model's
"""

COLUMNS = ("second", "questions_per_s", "hit_rate")
DAYS_MAX = 62


def read_trace(path: Path, starts: datetime) -> Trace:
    """`starts` is the instant of second 0. Raises ConfigError with file, line and reason."""
    text = read_text(path).removeprefix("\ufeff")
    seconds: list[int] = []
    questions: list[float] = []
    hits: list[float] = []
    for line, row in _json_rows(text, path) if path.suffix == ".jsonl" else _csv_rows(text, path):
        try:
            second, asked, hit_rate = _row(row)
        except ValueError as error:
            raise ConfigError(f"{path}:{line}: {error}") from error
        if seconds and second <= seconds[-1]:
            raise ConfigError(f"{path}:{line}: second: {second} does not come after {seconds[-1]}, the row before")
        if seconds and second - seconds[0] > DAYS_MAX * 86_400:
            raise ConfigError(f"{path}:{line}: second: at most {DAYS_MAX} days are simulated at once")
        seconds.append(second)
        questions.append(asked)
        hits.append(hit_rate)
    if not seconds:
        raise ConfigError(f"{path}: there is no row; see `zerowait policy simulate --help` for the format")
    lengths = [later - earlier for earlier, later in pairwise(seconds)]
    lengths.append(lengths[-1] if lengths else 60)
    return Trace(_begins(path, starts, seconds[0]), _held(questions, lengths), _held(hits, lengths))


def _begins(path: Path, starts: datetime, second: int) -> datetime:
    """Raises ConfigError where the calendar has no such days."""
    try:
        begins = starts + timedelta(seconds=second)
        for days in (-1, DAYS_MAX + 1):
            (begins + timedelta(days=days)).astimezone(UTC)
    except OverflowError as error:
        raise ConfigError(f"{path}: second: {second} is no instant; count in seconds, not in milliseconds") from error
    return begins


def _held(values: list[float], lengths: list[int]) -> list[float]:
    return [value for value, length_s in zip(values, lengths, strict=True) for _ in range(length_s)]


def _csv_rows(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(text.splitlines(), restkey="more", strict=True)
    try:
        yield from _checked_rows(reader, path)
    except csv.Error as error:
        raise ConfigError(f"{path}:{reader.line_num + 1}: this is not CSV: {error}") from error


def _checked_rows(reader: csv.DictReader[str], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    missing = [name for name in COLUMNS[:2] if name not in (reader.fieldnames or ())]
    if missing:
        raise ConfigError(f"{path}:1: the heading lacks {' and '.join(missing)}; it must be {','.join(COLUMNS)}")
    for row in reader:
        if "more" in row:
            raise ConfigError(f"{path}:{reader.line_num}: there are more values than in the heading")
        yield reader.line_num, row


def _json_rows(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path}:{number}: this is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise ConfigError(f'{path}:{number}: write an object, such as {{"second": 0, "questions_per_s": 310}}')
        yield number, cast(dict[str, Any], row)


def _row(row: dict[str, Any]) -> tuple[int, float, float]:
    second = _number(row, "second")
    if second != int(second):
        raise ValueError("second: must be a whole number")
    asked = _number(row, "questions_per_s")
    if asked < 0:
        raise ValueError("questions_per_s: must be at least 0")
    hit_rate = _number(row, "hit_rate", 0.0)
    if not 0 <= hit_rate <= 1:
        raise ValueError("hit_rate: must be from 0 to 1 (0.65, not 65)")
    return int(second), asked, hit_rate


def _number(row: dict[str, Any], name: str, default: float | None = None) -> float:
    value = row.get(name)
    if value is None or value == "":
        if default is None:
            raise ValueError(f"{name}: must be given")
        return default
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name}: {reprlib.repr(value)} is not a number")
    return number
