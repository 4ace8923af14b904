"""Knowledge from files: YAML, CSV and Markdown, one or a folder of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.resources.abc import Traversable
from pathlib import Path

from serve_app.adapters.csv_knowledge import read_csv
from serve_app.adapters.markdown_knowledge import read_markdown
from serve_app.adapters.yaml_knowledge import read_yaml
from serve_app.domain.drafting import EntryPatch, Place, Reading, Unreadable
from serve_app.domain.knowledge import Template
from serve_app.domain.policies import Policy
from serve_app.domain.publication import Publication

SUFFIXES = (".yaml", ".yml", ".csv", ".md")
_SPREADSHEETS = (".xls", ".xlsx", ".et", ".ods", ".numbers")


def _silent(_text: str) -> None: ...


def load_knowledge(folder: Traversable, time_zone: str = "UTC") -> Publication:
    """What a folder holds, as it is written. Raises Unreadable, naming file and line, and OSError when there is no folder."""
    return _folder(folder, time_zone, _silent).publication()


def read_path(path: Path, time_zone: str, say: Callable[[str], None] = _silent) -> Reading:
    """A file's or a folder's knowledge; local times are in `time_zone`.

    In a folder a README.md, hidden files and what a
    spreadsheet leaves beside an open file are passed over; `say` is told of other files that are.

    Raises Unreadable with every problem, each with its file and line.
    """
    try:
        if path.is_dir():
            return _folder(path, time_zone, say)
        return read_file(path.name, path.read_bytes(), time_zone)
    except OSError as error:
        raise Unreadable((f"{path} cannot be read: {error.strerror}",)) from error


def read_file(name: str, raw: bytes, time_zone: str) -> Reading:
    """One file, its form known by its name. Raises Unreadable."""
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise Unreadable((f"{name}: {_not_read(name)}",))
    text = _text(name, raw)
    if suffix == ".csv":
        return read_csv(name, text, time_zone)
    return read_markdown(name, text, time_zone) if suffix == ".md" else read_yaml(name, text, time_zone)


def _folder(folder: Traversable, time_zone: str, say: Callable[[str], None]) -> Reading:
    files: list[Traversable] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.startswith((".", "~$", "__")) or file.name.lower() == "readme.md":
            continue
        if file.name.lower().endswith(SUFFIXES) and file.is_file():
            files.append(file)
        else:
            say(f"passed over {file.name}: {_not_read(file.name) if file.is_file() else 'folders within are not read'}")
    readings: list[Reading] = []
    problems: list[str] = []
    for file in files:
        try:
            readings.append(read_file(file.name, file.read_bytes(), time_zone))
        except Unreadable as error:
            problems += error.problems
        except OSError as error:
            problems.append(f"{file.name} cannot be read: {error.strerror}")
        else:
            say(f"read {file.name}")
    reading = _together(readings, problems)
    if problems:
        raise Unreadable(tuple(problems))
    return reading


def _not_read(name: str) -> str:
    how = ": save it as “CSV UTF-8”" if name.lower().endswith(_SPREADSHEETS) else ""
    return f"knowledge is read from {', '.join(SUFFIXES)} files{how}"


def _together(readings: Iterable[Reading], problems: list[str]) -> Reading:
    entries: list[EntryPatch] = []
    templates: list[Template] | None = None
    policies: list[Policy] | None = None
    places: dict[str, Place] = {}
    for reading in readings:
        for source_id, place in reading.places.items():
            if source_id in places:
                problems.append(f"{place}: {source_id} stands in {places[source_id]} already")
            places[source_id] = place
        entries += reading.entries
        if reading.templates is not None:
            templates = [*(templates or []), *reading.templates]
        if reading.policies is not None:
            policies = [*(policies or []), *reading.policies]
    return Reading(
        tuple(entries),
        None if templates is None else tuple(templates),
        None if policies is None else tuple(policies),
        places,
    )


def _text(name: str, raw: bytes) -> str:
    """UTF-8, with or without the mark that spreadsheets put first. Raises Unreadable saying how to save it."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        how = (
            "save it as “CSV UTF-8” (in WPS and Excel: 另存为 › CSV UTF-8)"
            if name.lower().endswith(".csv")
            else "save it as UTF-8"
        )
        raise Unreadable((f"{Place(name, line)}: this is not UTF-8, perhaps GBK or UTF-16: {how}",)) from error
    if "\0" in text:
        raise Unreadable(
            (f"{Place(name, text[: text.index(chr(0))].count(chr(10)) + 1)}: there is a zero byte: save it as UTF-8",)
        )
    return text
