"""Strings that stand in one thing alone, so that whoever says one has read that thing.

Letters only: a model's answer must not trip over a figure that is not in its passages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LETTERS = "bcdfghjkmnpqrstvwxyz"
_CUSTOMER = re.compile(r"\bkn-([a-z]{4})\b")
_SOURCE = re.compile(r"\[\[([a-z0-9-]+)\.([a-z])\]\]")


def customers_canary(number: int) -> str:
    """Customer `number`'s, at most 159,999."""
    letters = ""
    for _ in range(4):
        number, digit = divmod(number, len(_LETTERS))
        letters = _LETTERS[digit] + letters
    return f"kn-{letters}"


def customers_in(text: str) -> set[int]:
    """Whose canaries the text holds."""
    found: set[int] = set()
    for letters in _CUSTOMER.findall(text):
        number = 0
        for letter in letters:
            number = number * len(_LETTERS) + _LETTERS.index(letter)
        found.add(number)
    return found


def sources_canary(source_id: str, wording: str) -> str:
    """That of an entry's or a template's words; `wording` is a letter that grows when they change."""
    return f"[[{source_id}.{wording}]]"


def sources_in(text: str) -> set[tuple[str, str]]:
    """Whose words, and which of them, the text holds."""
    return set(_SOURCE.findall(text))


def quoted(text: str) -> str:
    """All canaries of a text, each once: what somebody says who repeats all that he was told."""
    return " ".join(_once(found.group(0) for pattern in (_SOURCE, _CUSTOMER) for found in pattern.finditer(text)))


def _once(words: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(words)
