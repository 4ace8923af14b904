"""What a question is made of, as far as meaning goes: tokens that are kept in the order in which they are said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What a token does in a question."""

    ASK = "ask"  # how, when, who; a question without any asks whether
    MODAL = "modal"  # can, must, want
    NOT = "not"
    ASPECT = "aspect"  # already, still, was
    FIGURE = "figure"  # a number, a day
    NAME = "name"  # a place, a brand, a tier, a code
    SCOPE = "scope"  # only, all, except
    RELATION = "relation"  # before, from, than
    PERSON = "person"  # I, you, they
    DO = "do"  # a known verb
    WORD = "word"  # a known noun, or a word that is not known


@dataclass(frozen=True, slots=True)
class Token:
    part: Part
    concept: str


Table = Mapping[str, tuple[Token, ...]]


def table(lines: str, *, apart: str | None = None) -> Table:
    """One line a meaning, `part concept [part concept]: surface, surface`; nothing before the colon is filler.

    `apart` separates the surfaces: spaces by default, a comma where they hold spaces.
    """
    entries: dict[str, tuple[Token, ...]] = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        meaning, _, surfaces = line.partition(":")
        said = meaning.split()
        tokens = tuple(Token(Part(part), concept) for part, concept in zip(said[::2], said[1::2], strict=True))
        for surface in surfaces.split(apart):
            if surface.strip() in entries:
                raise ValueError(f"{surface.strip()!r} has two meanings")
            entries[surface.strip()] = tokens
    return entries


def of(tokens: Iterable[Token], *parts: Part) -> list[str]:
    """The concepts of the tokens that are one of `parts`, in order."""
    return [token.concept for token in tokens if token.part in parts]
