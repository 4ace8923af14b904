"""Knowledge as a table: a row for each entry and language, as a spreadsheet saves it.

    id,language,questions,answer,intent,valid_from,valid_to,suggested
    engraving,zh,可以刻字吗|能刻名字吗,可以，下单时备注即可。,,,,
    engraving,en,Can you engrave it?|engraving,"Yes, say so in the order's note.",,,,

The first four columns are needed, in any order. Questions are separated by `|`, or stand one a line in the cell. A column that
the file does not have leaves what is published; an empty cell of one that it has empties it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from serve_app.adapters.knowledge_fields import FIELDS, given_field, language_of, name_of
from serve_app.domain.drafting import EntryPatch, Given, Place, Reading, Text, Unreadable
from serve_app.domain.knowledge import Entry
from serve_app.domain.messages import Language

NEEDED = ("id", "language", "questions", "answer")
COLUMNS = (*NEEDED, *FIELDS)
_CELL_CHARACTERS_MAX = 100_000
# What a spreadsheet saves in the place of a text that it took for a formula: one that begins with = + - or @.
_ERROR = re.compile(r"#(NAME\?|REF!|VALUE!|DIV/0!|N/A|NULL!|NUM!|SPILL!|#+)", re.IGNORECASE)


@dataclass(slots=True)
class _Rows:
    """The rows of one entry. `at` says where a field was given."""

    place: Place
    texts: dict[Language, Text] = field(default_factory=dict[Language, Text])
    at: dict[str, Place] = field(default_factory=dict[str, Place])
    cells: dict[str, str] = field(default_factory=dict[str, str])


def read_csv(name: str, text: str, time_zone: str) -> Reading:
    """`name` stands in the messages; local times are in `time_zone`. Raises Unreadable with every bad row's line."""
    problems: list[str] = []
    entries: dict[str, _Rows] = {}
    try:
        numbered = _numbered(text)
        nothing: tuple[int, list[str]] = (1, [])
        at, header = next(numbered, nothing)
        columns = _columns(Place(name, at), header)
        for line, cells in numbered:
            place = Place(name, line)
            try:
                _take(place, _row(place, columns, cells), entries)
            except Unreadable as error:
                problems += error.problems
    except _BadTable as error:
        problems.append(f"{Place(name, error.line)}: {error}")
    patches = [_patch(entry_id, rows, time_zone, problems) for entry_id, rows in entries.items()]
    if problems:
        raise Unreadable(tuple(problems))
    return Reading(tuple(patches), places={entry_id: rows.place for entry_id, rows in entries.items()})


def csv_of(entries: Iterable[Entry]) -> str:
    """The table that reads back as these entries."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for entry in entries:
        for language in sorted(entry.questions, reverse=True):
            questions = entry.questions[language]
            apart = "\n" if any("|" in question for question in questions) else "|"
            asked = apart.join(questions) + ("\n" if apart == "\n" and len(questions) == 1 else "")
            table.writerow([entry.id, language, asked, entry.answers[language], *_cells(entry)])
    return out.getvalue()


class _BadTable(Exception):
    """The table ends here."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def _numbered(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line that each begins on; those without any content are left out."""
    csv.field_size_limit(_CELL_CHARACTERS_MAX)
    # Spreadsheets separate by what the machine's region uses.
    first_line = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            hint = (
                "a quotation mark is not closed, or stands alone" if "expected" in str(error) or "end" in str(error) else error
            )
            raise _BadTable(line, f"this row cannot be read: {hint}") from error
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def _columns(place: Place, header: list[str]) -> list[str]:
    names = [name_of(cell) for cell in header]
    while names and not names[-1]:
        names.pop()
    wrong = [name for name in names if name not in COLUMNS]
    missing = [name for name in NEEDED if name not in names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if missing:
        how = ", with , and not ， between them" if any("，" in cell for cell in header) else ""
        raise _BadTable(place.line, f"the first row must name the columns{how}; there is no {', '.join(missing)}")
    if "" in names:
        raise _BadTable(place.line, f"column {names.index('') + 1} has no name: name it, or take it out")
    if wrong or twice:
        what = f"there is no column {wrong[0]!r}" if wrong else f"the column {twice[0]} is there twice"
        raise _BadTable(place.line, f"{what}: use {', '.join(COLUMNS)}")
    return names


def _row(place: Place, columns: list[str], cells: list[str]) -> dict[str, str]:
    if any(cell.strip() for cell in cells[len(columns) :]):
        raise Unreadable((f"{place}: more cells than columns: put a text that holds a comma in quotation marks",))
    padded = [*cells, *[""] * (len(columns) - len(cells))]
    row = dict(zip(columns, padded, strict=False))
    # A line break at the end says that the cell has a question a line.
    return {column: cell if column == "questions" else cell.strip() for column, cell in row.items()}


def _take(place: Place, row: Mapping[str, str], entries: dict[str, _Rows]) -> None:
    """Adds a row to its entry. Raises Unreadable."""
    empty = [column for column in NEEDED if not row[column].strip()]
    if empty:
        merged = "; of merged cells only the first has a text: unmerge and fill them" if empty[0] in ("id", "language") else ""
        raise Unreadable((f"{place}: {' and '.join(empty)} must not be empty{merged}",))
    for column, cell in row.items():
        if _ERROR.fullmatch(cell.strip()):
            raise Unreadable(
                (f"{place}: {column} is {cell!r}, an error of the spreadsheet: write it again, formatted as text",)
            )
    questions = _questions(row["questions"])
    if not questions:
        raise Unreadable((f"{place}: questions must not be empty",))
    try:
        language = language_of(row["language"])
    except ValueError as error:
        raise Unreadable((f"{place}: {error}",)) from None
    rows = entries.setdefault(row["id"], _Rows(place))
    if language in rows.texts:
        first = rows.at[language]
        raise Unreadable((f"{place}: entry {row['id']}: its {language} stands on line {first.line} already",))
    rows.texts[language] = Text(questions, row["answer"].replace("\r\n", "\n").replace("\r", "\n"))
    rows.at[language] = place
    for column in FIELDS:
        if column not in row:
            continue
        if row[column] and rows.cells.get(column) and row[column] != rows.cells[column]:
            first = rows.at[column]
            raise Unreadable((f"{place}: entry {row['id']}: {column} is {rows.cells[column]!r} on line {first.line}",))
        if row[column] or column not in rows.cells:
            rows.cells[column], rows.at[column] = row[column], place


def _questions(cell: str) -> tuple[str, ...]:
    parts = cell.splitlines() if "\n" in cell or "\r" in cell else cell.replace("｜", "|").split("|")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _patch(entry_id: str, rows: _Rows, time_zone: str, problems: list[str]) -> EntryPatch:
    given: Given = {}
    for column, cell in rows.cells.items():
        try:
            given |= given_field(column, cell, time_zone)
        except ValueError as error:
            problems.append(f"{rows.at[column]}: entry {entry_id}: {error}")
    return EntryPatch(entry_id, rows.texts, given)


def _cells(entry: Entry) -> list[str]:
    borders = [border.isoformat() if border else "" for border in (entry.valid_from, entry.valid_to)]
    return ["" if entry.intent == "other" else str(entry.intent), *borders, "yes" if entry.suggested else "no"]
