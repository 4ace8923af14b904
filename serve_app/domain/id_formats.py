"""How a shop's order and SKU numbers look: regular expressions of its own, found in what a customer writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import regex

ORDER_ID_PATTERN = r"ZW(?:[ -]?\d){12}"
SKU_ID_PATTERN = r"(SKU)[-_ ]?(\d{2,10})"

_PATTERN_CHARS_MAX = 200
_FOUND_MAX = 20
_ID_CHARS_MAX = 64
# A pattern that backtracks without end finds nothing.
_WITHIN_S = 0.02


class _Match(Protocol):
    def group(self) -> str: ...
    def groups(self) -> Sequence[str | None]: ...


class _Pattern(Protocol):
    def finditer(self, text: str, *, timeout: float) -> Iterator[_Match]: ...
    def fullmatch(self, text: str, *, timeout: float) -> object: ...


@dataclass(frozen=True, slots=True)
class Found:
    said: str
    id: str


class IdFormat:
    """A pattern for ids, found in either case.

    With groups an id is the groups joined by hyphens. Spaces and hyphens that the pattern can do without are dropped, and
    letters take the case in which the pattern matches: with `ZW(?:[ -]?\\d){12}`, "zw 2026 1122-0001" is ZW202611220001.
    """

    def __init__(self, pattern: str) -> None:
        """Raises ValueError: it is too long, no regular expression, or matches an empty text."""
        if len(pattern) > _PATTERN_CHARS_MAX:
            raise ValueError(f"the pattern is longer than {_PATTERN_CHARS_MAX} characters")
        try:
            self._exact = _compiled(pattern)
            self._anywhere = _compiled(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", regex.IGNORECASE)
        except regex.error as error:
            raise ValueError(f"this is no regular expression: {error}") from error
        if self._exact.fullmatch("", timeout=_WITHIN_S):
            raise ValueError("the pattern matches an empty text")

    def found_in(self, text: str) -> tuple[Found, ...]:
        """The first few ids in a text, as they are said and as they are meant."""
        found: list[Found] = []
        try:
            for match in self._anywhere.finditer(text, timeout=_WITHIN_S):
                if 0 < len(match.group()) <= _ID_CHARS_MAX:
                    found.append(Found(match.group(), self._meant(match)))
                if len(found) == _FOUND_MAX:
                    break
        except TimeoutError:
            return ()
        return tuple(found)

    def _meant(self, match: _Match) -> str:
        said = "-".join(group for group in match.groups() if group) or match.group()
        for form in (said if match.groups() else said.replace(" ", "").replace("-", ""), said.replace(" ", ""), said):
            for cased in (form, form.upper(), form.lower()):
                if self._exact.fullmatch(cased, timeout=_WITHIN_S):
                    return cased
        return said


def _compiled(pattern: str, flags: int = 0) -> _Pattern:
    return cast(_Pattern, cast(Any, regex).compile(pattern, flags))


@dataclass(frozen=True, slots=True)
class Formats:
    """A shop's formats."""

    order_id: IdFormat
    sku_id: IdFormat


DEMO_FORMATS = Formats(IdFormat(ORDER_ID_PATTERN), IdFormat(SKU_ID_PATTERN))
