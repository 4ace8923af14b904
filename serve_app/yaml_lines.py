"""YAML with the line on which each value stands, so that a mistake can be shown where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic_core import ErrorDetails

from serve_app.domain.errors import ConfigError


class YamlText:
    """A YAML document. Raises ConfigError for what is no YAML, with the line."""

    def __init__(self, text: str, name: str) -> None:
        """`name` says in messages where the text comes from."""
        self.name = name
        self._text = text
        try:
            self._root = yaml.compose(text, yaml.SafeLoader)
            self.tree: Any = yaml.safe_load(text)
        # PyYAML trips over a value that is not what its tag says, such as `!!timestamp soon`.
        except (yaml.YAMLError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            mark: yaml.Mark | None = getattr(error, "problem_mark", None)
            where = f"{name}:{mark.line + 1}" if mark else name
            reason = getattr(error, "problem", None) or getattr(error, "reason", None) or type(error).__name__
            raise ConfigError(f"{where}: this is not YAML: {reason}") from error

    @classmethod
    def of_file(cls, path: Path) -> YamlText:
        return cls(read_text(path), str(path))

    def at(self, path: Sequence[str | int]) -> Any:
        """The value there; None where the file has none."""
        found = self.tree
        for step in path:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def line(self, path: Sequence[str | int]) -> int:
        """The line on which a value stands. A step that is not in the file (a union's tag, a missing field) is passed over."""
        return line_at(self._root, path, self._root.start_mark.line + 1 if self._root else 1)

    def told(self, path: Sequence[str | int], reason: str, shown: Sequence[str | int] | None = None) -> str:
        """`FILE:LINE: FIELD: reason`, as every mistake is told. `shown`: the field's name, where that is not its whole path."""
        field = ".".join(map(str, path if shown is None else shown)) or "the file"
        return f"{self.name}:{self.line(path)}: {field}: {reason}"

    def alias(self) -> int | None:
        """The line of the first alias; None without one. What holds aliases may be endless, or as good as that."""
        events: Iterator[yaml.Event] = yaml.parse(self._text, yaml.SafeLoader)
        marks = (event.start_mark for event in events if isinstance(event, yaml.AliasEvent))
        return next((mark.line + 1 for mark in marks if mark is not None), None)

    def repeated(self) -> list[tuple[str | int, ...]]:
        """The fields that stand twice under one parent: YAML keeps the last without a word."""
        return list(_repeated(self._root, ()))


def line_at(node: yaml.Node | None, path: Sequence[str | int], line: int) -> int:
    """The line on which a value in `node` stands; `line` is the node's own. A step that is not there is passed over."""
    for step in path:
        if isinstance(node, yaml.MappingNode):
            children = {key.value: (key, value) for key, value in node.value}
            if str(step) in children:
                key, node = children[str(step)]
                line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            child: yaml.Node = node.value[step]
            node, line = child, child.start_mark.line + 1
    return line


def read_text(path: Path) -> str:
    """Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: this is not text in UTF-8: {error.reason} at byte {error.start}") from error


def reason_of(found: ErrorDetails) -> str:
    """What is wrong with a value, without the value, which might be a secret."""
    hint = "; YAML takes no, yes, on and off for booleans: put quotes around it" if isinstance(found["input"], bool) else ""
    return f"{found['msg']}{hint}"


def near(name: str, known: Sequence[str]) -> str:
    """For an unknown field: the known one that was meant, else all of them."""
    close = get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"the fields here are {', '.join(known)}"


def _repeated(node: yaml.Node | None, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    found: list[tuple[str | int, ...]] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = (*path, str(key.value))
            if key.value in seen:
                found.append(here)
            seen.add(key.value)
            found += _repeated(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(cast(list[yaml.Node], node.value)):
            found += _repeated(child, (*path, index))
    return found
