"""One question as many customers type it: the same words with politeness, filler, other punctuation or script, or a typo."""

from __future__ import annotations

from random import Random

import opencc

from serve_app.domain.messages import Language

_BEFORE_ZH = ("请问", "你好，", "您好，请问", "亲，", "麻烦问一下，", "想问一下", "我想咨询一下", "在吗？")
_AFTER_ZH = ("？", "?", "呀", "啊？", "呢？", "，谢谢", "？谢谢啦", "。", "？？")
_BEFORE_EN = (
    "Hi, ",
    "Hello, ",
    "Hey, ",
    "Please, ",
    "Excuse me, ",
    "Quick question: ",
    "I would like to know, ",
    "Just wondering, ",
)
_AFTER_EN = ("?", "??", ", please", ", thanks", " please?", ", thank you", ".", " thx")
_TRADITIONAL = opencc.OpenCC("s2t")


def rewritten(text: str, language: Language, rng: Random) -> str:
    """In other dress, with every word kept."""
    bare = text.rstrip("?？。.")
    if language == "zh":
        if rng.random() < 0.1:
            bare = str(_TRADITIONAL.convert(bare))
        before, after = _BEFORE_ZH, _AFTER_ZH
    else:
        bare = rng.choice((bare, bare.lower(), bare.upper() if rng.random() < 0.2 else bare, bare.replace("'", "")))
        before, after = _BEFORE_EN, _AFTER_EN
    dress = rng.random()
    return (rng.choice(before) if dress < 0.6 else "") + bare + (rng.choice(after) if dress > 0.4 else "")


def mistyped(text: str, rng: Random) -> str:
    """With two neighbours swapped, one letter doubled, or one left out."""
    if len(text) < 4:
        return text
    at = rng.randrange(1, len(text) - 2)
    match rng.randrange(3):
        case 0:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        case 1:
            return text[:at] + text[at] + text[at:]
        case _:
            return text[:at] + text[at + 1 :]
