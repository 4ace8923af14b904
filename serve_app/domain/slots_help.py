"""What a template may name, in Markdown: for people who write templates, and for a model that proposes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from serve_app.domain.facts import Fact
from serve_app.domain.slot_table import SLOTS, Slot
from serve_app.domain.slot_types import THINGS, Kind
from serve_app.domain.template_filters import FILTERS
from serve_app.domain.template_subject import CONDITIONS, ROOTS, Root


def slots_help() -> str:
    """The conditions, slots and filters with types and meanings, English and Chinese. Ends with a line break."""
    lines = [
        "### Conditions",
        "",
        "Each is true or false. They stand in `when:` and in `{% if … %}`, joined by `and`, `or`, `not`.",
        "",
        *_rows(CONDITIONS),
        "",
        "### What a slot begins with",
        "",
        *_table((name, root.type.name, root.meaning, root.zh) for name, root in ROOTS.items() if name not in CONDITIONS),
    ]
    for fact, slots in SLOTS.items():
        lines += ["", f"### Of {_an(THINGS[fact])}", "", *_table(_slots_of(fact, slots))]
    lines += ["", "### Filters", "", "| filter | takes | gives | meaning | 中文 |", "|---|---|---|---|---|"]
    for found in FILTERS.values():
        takes = ", ".join(kind for kind in Kind if kind in found.takes)
        lines.append(f"| `{_cell(found.example)}` | {takes} | {found.gives.name} | {found.meaning} | {found.zh} |")
    return "\n".join(lines) + "\n"


def _slots_of(fact: type[Fact], slots: Mapping[str, Slot]) -> Iterator[tuple[str, str, str, str]]:
    for name, slot in slots.items():
        states = f": {', '.join(slot.type.states)}" if slot.type.states else ""
        yield f"{THINGS[fact]}.{name}", slot.type.name, slot.meaning + states, slot.zh


def _rows(conditions: Mapping[str, Root]) -> list[str]:
    rows = [f"| `{name}` | {root.meaning} | {root.zh} |" for name, root in conditions.items()]
    return ["| condition | meaning | 中文 |", "|---|---|---|", *rows]


def _table(rows: Iterable[tuple[str, str, str, str]]) -> list[str]:
    said = [f"| `{name}` | {kind} | {meaning} | {zh} |" for name, kind, meaning, zh in rows]
    return ["| slot | type | meaning | 中文 |", "|---|---|---|---|", *said]


def _cell(text: str) -> str:
    """A `|` would end the cell."""
    return text.replace("|", "\\|")


def _an(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
