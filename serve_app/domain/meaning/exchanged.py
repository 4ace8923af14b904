"""Whether a question is a published wording but for a word: put in, left out, or exchanged.

In one frame two words are not two names of one thing: 洗过能退吗, 试过能退吗; "express shipping", "standard shipping". It is
asked where the rule is certain and its words are free otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from serve_app.domain.meaning.sense import Sense
from serve_app.domain.meaning.tokens import Part

_CONTENT = (Part.WORD, Part.DO, Part.NAME)
# In their place any thing may be named: 商品怎么退, 鞋子怎么退.
_ANYTHING = frozenset({"item", "an_order", "parcel", "one", "have"})


def says_another_word(asked: Sense, wordings: Sequence[Sense], answer: Sense) -> bool:
    """Of a rule's `wordings` and `answer`, in one language.

    A word that is put in, or stands in another's place, is known if a wording or the answer has it; one may be left out that a
    wording is without.
    """
    if not wordings:
        return False
    said, published = asked.all(*_CONTENT), [wording.all(*_CONTENT) for wording in wordings]
    known = _ANYTHING.union(*published, answer.all(*_CONTENT))
    needed = frozenset(published[0]).intersection(*published[1:]) - _ANYTHING - {*said}
    return any(_is_another(*_differing(said, wording), known, needed) for wording in published)


def _is_another(here: Sequence[str], there: Sequence[str], known: frozenset[str], needed: frozenset[str]) -> bool:
    if not here:
        return not needed.isdisjoint(there)
    return not known.issuperset(here) and (not there or not _ANYTHING.issuperset(there))


def _differing(said: Sequence[str], published: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What each says where the other says something else; nothing where what is around it is less than half as much."""
    begin = _alike(said, published)
    end = _alike(said[begin:][::-1], published[begin:][::-1])
    here, there = (words[begin : len(words) - end] for words in (said, published))
    frame = _length([*said[:begin], *said[len(said) - end :]])
    return (here, there) if frame and 2 * frame >= max(_length(here), _length(there)) else ((), ())


def _alike(one: Iterable[str], other: Iterable[str]) -> int:
    return len(list(takewhile(lambda both: both[0] == both[1], zip(one, other, strict=False))))


def _length(words: Iterable[str]) -> float:
    """In words: an unknown one of Chinese comes character by character, two to a word."""
    return sum(0.5 if len(word) == 1 and not word.isascii() else 1.0 for word in words)
