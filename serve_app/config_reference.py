"""The configuration reference, from the configuration itself: a Markdown table of every field."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterator
from enum import EnumMeta
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from serve_app.config import Config
from serve_app.domain.mapping import Converter
from serve_app.domain.sources import SHAPES, Shape
from serve_app.source_settings import HttpSourceSettings, Settings, SqlSourceSettings

# Where a field holds settings of one of these, by name or in a list, the path says so.
_NESTED: dict[str, str] = {"tenants": "tenants.NAME", "sources": "tenants.NAME.sources[]"}


def reference() -> str:
    """All fields, each with its path, its default and what it means."""
    lines = ["| field | default | meaning |", "|---|---|---|"]
    lines += _rows(Config, "")
    for form, settings in (("sql", SqlSourceSettings), ("http", HttpSourceSettings)):
        lines += ["", f"A source of `type: {form}`:", "", "| field | default | meaning |", "|---|---|---|"]
        lines += _rows(settings, "")
    lines += ["", "Our fields, by `part`; those in bold must be given, and enums take the values shown:", ""]
    lines += ["| part | fields |", "|---|---|"]
    lines += [f"| `{part}` | {', '.join(_facts_of(shape))} |" for part, shape in SHAPES.items()]
    converters = ", ".join(f"`{name}`" for name in typing.get_args(Converter))
    lines += ["", f"`as` is one of {converters}. An instant without a zone needs `local_time` or `utc_time`."]
    return "\n".join(lines) + "\n"


def _facts_of(shape: Shape) -> Iterator[str]:
    for name, field in shape.model.model_fields.items():
        if name not in shape.nested:
            said = f"**{name}**" if field.is_required() else name
            kind = field.annotation
            values = [*kind] if isinstance(kind, EnumMeta) else []
            yield said + (f" ({' / '.join(str(value) for value in values)})" if values else "")
    yield from (f"{extra}" for extra in shape.extras)


def _rows(settings: type[Settings], prefix: str, defaults: Settings | None = None) -> Iterator[str]:
    """`defaults` is what the holder of these settings fills in; without it each field's own default stands."""
    for name, field in settings.model_fields.items():
        path = prefix + name
        nested = _settings_in(field.annotation)
        default = getattr(defaults, name) if defaults else field.get_default(call_default_factory=False)
        if nested is None:
            shown = "required" if field.is_required() else _shown(default)
            yield f"| `{path}` | {shown} | {_meaning(field)} |"
        else:
            held = default if isinstance(default, Settings) else None
            yield from _rows(nested, f"{_NESTED.get(name, path)}.", held)


def _settings_in(annotation: Any) -> type[Settings] | None:
    """The settings that a field holds: itself, optional, or as a mapping's values. Sources have tables of their own."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is types.UnionType or origin is typing.Union:
        found = [argument for argument in arguments if argument is not type(None)]
        return _settings_in(found[0]) if len(found) == 1 else None
    return _settings_in(arguments[1]) if origin is dict else None


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        value = list(typing.cast("tuple[Any, ...]", value))
    return f"`{value}`".replace("'", "")


def _meaning(field: FieldInfo) -> str:
    choices = typing.get_args(field.annotation) if typing.get_origin(field.annotation) is typing.Literal else ()
    said = " ".join((field.description or "").split())
    return " ".join(filter(None, [said, f"One of {', '.join(map(str, choices))}." if len(choices) > 1 else ""])).replace(
        "|", "\\|"
    )


def with_reference(readme: str) -> str:
    """A README with the reference between its two marks."""
    begin, end = "<!-- configuration -->\n", "<!-- end of configuration -->"
    head, _, rest = readme.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}\n{reference()}\n{end}{tail}"


def main(path: str) -> None:
    """`python -m serve_app.config_reference README.md` renews the reference in place."""
    readme = Path(path)
    readme.write_text(with_reference(readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
