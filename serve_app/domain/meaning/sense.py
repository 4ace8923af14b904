"""A question's sense: its words as tokens, in order, with synonyms made one and filler left out."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from serve_app.domain.meaning.tokens import Part, Token, of
from serve_app.domain.meaning.words_en import ENGLISH
from serve_app.domain.meaning.words_zh import CHINESE
from serve_app.domain.messages import Language
from serve_app.domain.normalise import canonical_form
from serve_app.domain.numerals import CN_CHARACTERS, cn_value

_RUN = re.compile(
    r"(?P<code>(?=[a-z\d-]*\d)(?=[a-z\d-]*[a-z])[a-z\d]+(?:[-_/.:][a-z\d]+)*)|(?P<number>\d+(?:[.,:/-]\d+)*%?)|(?P<word>[a-z]+)"
    rf"|(?P<numeral>[{CN_CHARACTERS}]+)|(?P<han>[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U000323af])|(?P<sign>[^\s,])"
)
_LONGEST_ZH = max(map(len, CHINESE))
_LONGEST_EN = max(len(words.split()) for words in ENGLISH)


@dataclass(frozen=True)
class Sense:
    """`language` is that of its words; None when it has none (an order number, 1)."""

    language: Language | None
    tokens: tuple[Token, ...]
    form: str

    def all(self, *parts: Part) -> tuple[str, ...]:
        """The concepts of these parts, in order."""
        return tuple(of(self.tokens, *parts))

    @cached_property
    def asks(self) -> frozenset[str]:
        return frozenset(self.all(Part.ASK)) or frozenset({"whether"})

    @cached_property
    def persons(self) -> tuple[str, ...]:
        """I, you and they as they follow each other, each change once."""
        said = self.all(Part.PERSON)
        return tuple(person for at, person in enumerate(said) if at == 0 or said[at - 1] != person)


@functools.lru_cache(maxsize=32768)
def sense_of(text: str) -> Sense:
    """Of any text; about 50 µs, and nothing for one that was read lately."""
    form = canonical_form(text)
    tokens = tuple(_tokens(_plainly_asked(form)))
    han = sum("\u2e80" <= character <= "\u9fff" for character in form)
    words = len(_PLAIN_WORD.findall(form))
    language: Language | None = "zh" if han and han * 2 >= words else "en" if words else None
    return Sense(language, tokens, form)


# 能退不, 收到没, 退不退: a negation that asks whether.
_ASKING_NOT = re.compile(r"(?<=[^,不没])(?:不|没有?|没得|否)(?=,|$)")
_A_NOT_A = re.compile(r"([\u4e00-\u9fff])[不没]\1")


def _plainly_asked(form: str) -> str:
    return _A_NOT_A.sub(r"\1", _ASKING_NOT.sub("", form))


def _tokens(form: str) -> Iterator[Token]:
    at = 0
    while at < len(form):
        known = _longest_zh(form, at) or _longest_en(form, at)
        if known is not None:
            tokens, at = known
            yield from tokens
            continue
        run = _RUN.match(form, at)
        if run is None:
            at += 1
            continue
        yield from _unknown(run)
        at = run.end()


def _longest_zh(form: str, at: int) -> tuple[tuple[Token, ...], int] | None:
    if form[at].isascii():
        return None
    for length in range(min(_LONGEST_ZH, len(form) - at), 0, -1):
        tokens = CHINESE.get(form[at : at + length])
        if tokens is not None:
            return tokens, at + length
    return None


# No part of a code, which has no language.
_PLAIN_WORD = re.compile(r"(?<![a-z\d-])[a-z]{2,}(?![a-z\d-]*\d)(?![a-z])")
_EN_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?|\d(?:st|nd|rd)")


def _longest_en(form: str, at: int) -> tuple[tuple[Token, ...], int] | None:
    if not form[at].isascii() or (at and form[at - 1].isascii() and form[at - 1].isalnum()):
        return None
    ends: list[int] = []
    position = at
    while len(ends) < _LONGEST_EN and (word := _EN_WORD.match(form, position)):
        if form[word.end() : word.end() + 1].isascii() and form[word.end() : word.end() + 1].isalnum():
            break
        ends.append(word.end())
        position = word.end() + 1
        if form[word.end() : position] != " ":
            break
    for end in reversed(ends):
        tokens = ENGLISH.get(form[at:end])
        if tokens is not None:
            return tokens, end
    return None


def _unknown(run: re.Match[str]) -> Iterator[Token]:
    said = run.group()
    match run.lastgroup:
        case "number":
            yield Token(Part.FIGURE, said.replace(",", ""))
        case "numeral":
            value = cn_value(said)
            yield Token(Part.FIGURE, f"{value:f}" if value is not None else said)
        case "code":
            yield Token(Part.NAME, said)
        case "word":
            yield Token(Part.WORD, _singular(said))
        case _:
            yield Token(Part.WORD, said)


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") else word[:-1]
