"""Strings that stand in one thing alone, so that whoever says one has read that thing.

Letters only: a model's answer must not trip over a figure that is not in its passages. Besides, a customer's orders and points
tell whose they are, for what is said without any name or address.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

# By three of the last four digits of an order's id.
CUSTOMERS_MAX = 1000

_LETTERS = "bcdfghjkmnpqrstvwxyz"
# ASCII: to the border of a word no Chinese sign belongs, and these often have none before or behind them.
_CUSTOMER = re.compile(r"\bkn-([a-z]{4})\b", re.ASCII)
_NUMBERED = re.compile(r"\bZW88\d{6}(\d{3})\d\b|\b900000(\d{3})\b|(?:尾号|ending )(\d{3})\d\b", re.ASCII)
_QUESTION = re.compile(r"\bqn-([a-z]{10})\b", re.ASCII)
_SOURCE = re.compile(r"\[\[([a-z0-9-]+)\.([a-z])\]\]")


def customers_canary(number: int) -> str:
    """Customer `number`'s, from 1 to CUSTOMERS_MAX."""
    letters = ""
    for _ in range(4):
        number, digit = divmod(number, len(_LETTERS))
        letters = _LETTERS[digit] + letters
    return f"kn-{letters}"


def customers_order_id(number: int, order: int) -> str:
    """The id of a customer's n-th order, of at most ten from 0. Its last four digits, which an answer names it by, are no other
    order's."""
    return f"ZW88000000{number - 1:03d}{order}"


def customers_points(number: int) -> int:
    """So many that nobody else has as many."""
    return 900_000_000 + number - 1


def customers_in(text: str) -> set[int]:
    """Whose canaries, orders or points the text holds."""
    found = {int("".join(groups)) + 1 for groups in _NUMBERED.findall(text)}
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
