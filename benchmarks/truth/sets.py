"""The questions that cache_truth asks, read from their files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


class BadSet(Exception):
    """A file that cannot be read as what it should hold."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A public set: texts with their intents, None for what is out of scope."""

    name: str
    train: tuple[tuple[str, str], ...]
    test: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Pair:
    first: str
    second: str
    same: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Fork:
    """The same words after two different turns."""

    turns: tuple[str, str]
    question: str


@dataclass(frozen=True, slots=True)
class Paraphrase:
    entry_id: str
    question: str


def banking77(folder: Path) -> Labelled | None:
    files = [folder / f"banking77-{part}.csv" for part in ("train", "test")]
    if not all(file.exists() for file in files):
        return None
    train, test = ([(row["text"].strip(), row["category"]) for row in _csv(file)] for file in files)
    return Labelled("banking77", tuple(train), tuple(test))


def clinc150(folder: Path) -> Labelled | None:
    """Out of scope are the test's 1,000 questions for which there is no intent."""
    file = folder / "clinc150.json"
    if not file.exists():
        return None
    parts: dict[str, list[tuple[str, str]]] = json.loads(file.read_text(encoding="utf-8"))
    test: list[tuple[str, str | None]] = [(text, intent) for text, intent in parts["test"]]
    test += [(text, None) for text, _ in parts["oos_test"]]
    return Labelled("clinc150", tuple((text, intent) for text, intent in parts["train"]), tuple(test))


def pairs(file: Path) -> tuple[Pair, ...]:
    """Lines of question, question, 1 or 0; a header and lines that begin with # are passed over. Raises BadSet."""
    found: list[Pair] = []
    for at, (number, row) in enumerate(_rows(file)):
        if len(row) >= 3 and row[2] in ("0", "1"):
            found.append(Pair(row[0], row[1], row[2] == "1", row[3] if len(row) > 3 else ""))
        elif at or len(row) < 3:
            raise BadSet(f"{file}:{number}: expected two questions and 0 or 1, separated by tabs")
    if not found:
        raise BadSet(f"{file}: there are no pairs in it")
    return tuple(found)


def forks(file: Path) -> tuple[Fork, ...]:
    """Lines of turn, turn, question under a header. Raises BadSet."""
    return tuple(Fork((row[0], row[1]), row[2]) for row in _wide(file, 3))


def paraphrases(file: Path) -> tuple[Paraphrase, ...]:
    """Lines of entry's id, question under a header. Raises BadSet."""
    return tuple(Paraphrase(row[0], row[1]) for row in _wide(file, 2))


def _wide(file: Path, columns: int) -> Iterator[Sequence[str]]:
    rows = _rows(file)
    next(rows, None)
    for number, row in rows:
        if len(row) < columns:
            raise BadSet(f"{file}:{number}: expected {columns} columns, separated by tabs")
        yield row


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSet(f"{file}: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            yield number, [column.strip() for column in line.split("\t")]


def _csv(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
