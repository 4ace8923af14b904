"""Whether a customer's words name a thing by its title: 耳机那个, "where are my sneakers".

There are two ways, because two things are known of the words. `named_among` looks for titles anywhere in a whole sentence
and takes those that fit best; it may only choose among orders that are in question anyway. `is_called` takes what a sentence
leaves over when all its other words are known, so nearly all of it must stand in the title: the question counts as the
customer's own only if one of their orders holds such a thing. The first would find an order for any sentence that shares two
characters with a title; the second finds none in a sentence with a word that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")

_HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[a-z]{3,}")
_LATIN = re.compile(r"[a-z]+")
_LONG_ENOUGH = 3  # Chinese characters of a title, in its order but apart
_SHORTEST = 2  # Chinese characters in common
# In titles, but said of other things too.
_EVERYDAY = frozenset(
    [
        "the",
        "and",
        "for",
        "off",
        "set",
        "not",
        "one",
        "day",
        "first",
        "last",
        "new",
        "time",
        "order",
        "orders",
        "parcel",
        "package",
        "return",
        "refund",
        "exchange",
        "repair",
        "item",
        "items",
        "box",
        "pack",
        "free",
        "card",
        "gift",
        "light",
        "sea",
        "white",
        "black",
        "blue",
        "green",
        "pink",
        "red",
    ]
)
_EVERYDAY_ZH = frozenset(("系列", "订单", "快递", "包裹", "商品", "礼盒", "套装", "运动", "手机", "居家", "一个", "两个"))


def named_among(text: str, items: Sequence[_T], titles_of: Callable[[_T], Sequence[str]]) -> tuple[_T, ...]:
    """The items whose titles the text names best; none when it names none."""
    scores = [max((_score(text, title) for title in titles_of(item)), default=0) for item in items]
    best = max(scores, default=0)
    return tuple(item for item, score in zip(items, scores, strict=True) if score == best) if best else ()


def is_called(thing: str, titles: Sequence[str]) -> bool:
    """Whether a customer may say `thing` of what has one of these titles: 键盘 of 机械键盘, "sneakers" of "Cloud Sneaker"."""
    thing = thing.casefold()
    if not _HAN_RUN.search(thing):
        words = {_singular(word) for word in _LATIN.findall(thing)}
        return any(words <= {_singular(word) for word in _LATIN.findall(title.casefold())} for title in titles)
    name = thing.replace(" ", "")
    short = name.removesuffix("子")  # 裤子, 鞋子
    return any(_abbreviates(short, title.casefold().replace(" ", "")) for title in titles)


def _abbreviates(name: str, title: str) -> bool:
    if name in title:
        return True
    rest = iter(title)
    return len(name) >= _LONG_ENOUGH and all(character in rest for character in name)  # 手冲壶: 手冲咖啡壶


def _score(text: str, title: str) -> int:
    lower, title = text.casefold(), title.casefold()
    chinese = max((_in_common(run, title) for run in _HAN_RUN.findall(lower)), default=0)
    said = {_singular(word) for word in _WORD.findall(lower)} - _EVERYDAY
    return chinese + sum(_singular(word) in said for word in set(_WORD.findall(title)))


def _in_common(run: str, title: str) -> int:
    """The length of the longest part of the run that stands in the title."""
    for length in range(len(run), _SHORTEST - 1, -1):
        parts = {run[at : at + length] for at in range(len(run) - length + 1)} - _EVERYDAY_ZH
        if any(part in title for part in parts):
            return length
    return 0


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
