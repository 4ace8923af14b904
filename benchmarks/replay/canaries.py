"""Strings that stand in one thing alone, so that whoever says one has read that thing.

Letters only: a model's answer must not trip over a figure that is not in its passages. Besides, a customer's orders and points
tell whose they are, for what is said without any name or address.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_LETTERS = "bcdfghjkmnpqrstvwxyz"
# ASCII: to the border of a word no Chinese sign belongs, and these often have none before or behind them.
_CUSTOMER = re.compile(r"\bkn-([a-z]{4})\b", re.ASCII)
_NUMBERED = re.compile(r"\b(?:ZW88(\d{5})\d{5}|9000(\d{5}))\b", re.ASCII)
_QUESTION = re.compile(r"\bqn-([a-z]{10})\b", re.ASCII)
_SOURCE = re.compile(r"\[\[([a-z0-9-]+)\.([a-z])\]\]")


def customers_canary(number: int) -> str:
    """Customer `number`'s, at most 99,999."""
    letters = ""
    for _ in range(4):
        number, digit = divmod(number, len(_LETTERS))
        letters = _LETTERS[digit] + letters
    return f"kn-{letters}"


def customers_order_id(number: int, order_id: str) -> str:
    """An order's id that says whose it is, with the last five digits of `order_id`."""
    return f"ZW88{number:05d}{order_id[-5:]}"


def customers_points(number: int) -> int:
    """So many that nobody else has as many."""
    return 900_000_000 + number


def customers_in(text: str) -> set[int]:
    """Whose canaries, orders or points the text holds."""
    found = {int(order or points) for order, points in _NUMBERED.findall(text)}
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


def questions_canary(canonical: str) -> str:
    """That of what was asked."""
    number = int.from_bytes(hashlib.blake2b(canonical.encode(), digest_size=8).digest())
    letters = ""
    for _ in range(10):
        number, digit = divmod(number, len(_LETTERS))
        letters += _LETTERS[digit]
    return f"qn-{letters}"


def questions_in(text: str) -> set[str]:
    """The canaries of questions that the text holds."""
    return {found.group(0) for found in _QUESTION.finditer(text)}


def quoted(text: str) -> str:
    """All canaries of published words and of customers in a text, each once: as who repeats all that he was told."""
    return " ".join(_once(found.group(0) for pattern in (_SOURCE, _CUSTOMER) for found in pattern.finditer(text)))


def _once(words: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(words)
