"""Two forms of a customer's text: `clean` keeps every word, `canonical_form` is what two askings of one question share.

The canonical form serves as a key, so it may only drop what never changes the meaning: politeness, filler, particles, outer
punctuation, the difference between traditional and simplified script. Negation, numbers, amounts and clause borders stay:
不,退货 (no: return it) and 不退货 (do not return it) are different questions.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Protocol, cast

import opencc

_LONGEST_QUESTION = 200  # characters; bounds the time that patterns may take
_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"

# Said before a question.
_PREFIXES_ZH = (
    "你好|您好|哈喽|哈啰|嗨|在吗|在么|在嘛|亲亲|亲爱的?|小姐姐|小哥哥|老板|掌柜的?"
    "|(?:我|俺)?(?:就是)?(?:想|要)?(?:再)?(?:请问|请教|咨询|了解|问)(?:一下|下)"
    "|请问|想问(?:问)?|麻烦(?:请)?(?=帮|问|给|您|你|查|看)|打扰(?:一)?下|打扰了|不好意思"
)
_KIN_AFTER_QIN = "请问|您|你|我|在|这|有|怎|什|多|几|能|可|想|麻|帮"  # 亲 is an address here, not a part of 亲子, 亲戚
_PREFIX_ZH = re.compile(rf"^(?:(?:{_PREFIXES_ZH})[ ,]*|亲(?=[ ,]|{_KIN_AFTER_QIN})[ ,]*)+(?=..)")
_ASKED = "(?:what|how|when|where|who|which|why|if|whether|about|your|the) "
_PREFIX_EN = re.compile(
    r"^(?:hi there|hello there|hey there|hi|hello|hey|good (?:morning|afternoon|evening|day)|excuse me|sorry to bother you"
    r"|dear (?:sir|madam|team|seller|customer service)|please|pls|plz|kindly|um+|uh+|er+m*"
    rf"|(?:(?:can|could|would|will) (?:you|u) )?(?:(?:please|pls|plz|kindly) )?tell me(?= {_ASKED})"
    r"|may i ask(?: you)?|can i ask(?: you)?|i (?:would|d) like to (?:know|ask)|id like to (?:know|ask)|i want to (?:know|ask)"
    r"|i wanted to ask|i need to know|(?:i (?:was|am) |im )?(?:just )?wondering|(?:a )?quick question|(?:i have )?a question"
    r"|do you know|any idea)[ ,]+(?=.)(?!there$)"
)
_SUFFIX_EN = re.compile(
    r"(?<=.)[ ,]+(?:please|pls|plz|thanks(?: a lot| so much| in advance)?|thank (?:you|u)(?: very much| so much| in advance)?"
    r"|many thanks|thx|tks|ty|cheers|sir|madam|mate|bro|dear)$"
)
_POLITE_ASIDE = re.compile(r"\b((?:can|could|would|will) (?:you|u|i)) (?:please|pls|plz|kindly) ")
_SUFFIX_ZH = re.compile(
    r"(?<=.)(?:(?:[ ,]+|(?<=[吗呢啊呀吧]))(?:谢谢|多谢|感谢|麻烦)(?:您|你|啦|了|哈|亲)*"
    r"|[啊呀哦噢喔哟呐咧哒捏]|(?<![花借])呗|(?<!毛)呢|(?<![干])[吗嘛]|(?<![酒贴网])吧|(?<![什怎这那多要])么|(?<!哈)哈|[ ,]+亲)$"
)

_CLAUSE_END = frozenset("。，、；;！!？?…—()[]{}（）【】「」『』|\\\u2022\u00b7")
_APOSTROPHES = frozenset("'\u2019\u2018\u02bc`\u00b4")
_BETWEEN_FIGURES = re.compile(
    r"(?<=[0-9])[.,:/~-](?=[0-9])|(?<=[a-z0-9])-(?=[0-9])|(?<=[0-9])-(?=[a-z0-9])|(?<![^ ,])-(?=[0-9])"
)
_SPACE_BY_HAN = re.compile(rf"(?<=[{_HAN}]) (?=\S)|(?<=\S) (?=[{_HAN}])")
_LONE_NEGATION = re.compile(r"(?:^|[ ,])(?:不|不是|不要|不用|不对|没|没有|别|no|not)$")
_COMMAS = re.compile(r"[ ,]*,[ ,]*")
_CLAUSE_BORDER = re.compile(r"(?<![0-9]),|,(?![0-9])")  # not inside 1,299


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


@functools.cache
def _simplifier() -> _Converter:
    return cast("_Converter", opencc.OpenCC("t2s"))


def clean(text: str) -> str:
    """The text in NFKC without control, format and unassigned characters, with single spaces. Idempotent; keeps every word."""
    # Removing a joiner can bring two characters together that compose, hence the removal comes first.
    composed = unicodedata.normalize("NFKC", text.translate(_VISIBLE))
    return " ".join(unicodedata.normalize("NFKC", composed.translate(_VISIBLE)).split())


def canonical_form(text: str) -> str:
    """The self-contained question as a key. Idempotent; empty only for a text without any visible character.

    Filler is taken off questions of up to 200 characters; a longer text is a story, which nobody tells twice.

    Never begins with "@", which marks a rewritten question.
    """
    folded = _folded(text)
    if not folded:
        return ""
    unspaced = _without_punctuation(folded)
    form = _close_up(unspaced) or folded.lstrip("@ ") or "?"
    if len(form) > _LONGEST_QUESTION:
        return form
    form = _without_filler(unspaced) or form
    while (shorter := _without_filler(form)) and shorter != form:
        form = shorter
    return form


def plain_form(text: str) -> str:
    """Clean, simplified, case-folded, without outer punctuation; politeness and filler stay."""
    return _close_up(_without_punctuation(_folded(text)))


class _Visible(dict[int, str]):
    """For `str.translate`: a separator becomes a space, what cannot be seen goes; answers are remembered per character."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        is_variation_selector = 0xFE00 <= code <= 0xFE0F
        if category in ("Cc", "Zs", "Zl", "Zp"):
            visible = " "
        else:
            visible = "" if category in ("Cf", "Cs", "Co", "Cn") or is_variation_selector else character
        self[code] = visible
        return visible


_VISIBLE = _Visible()


def _folded(text: str) -> str:
    """Clean, simplified, case-folded. Case folding can undo NFKC (and the reverse), so both run until nothing changes."""
    while True:
        folded = clean(_simplifier().convert(clean(text)).casefold())
        if folded == text:
            return folded
        text = folded


def _without_punctuation(text: str) -> str:
    kept_signs = {match.start() for match in _BETWEEN_FIGURES.finditer(text)}
    marked = "".join(_punctuation(text, at, at in kept_signs) for at in range(len(text)))
    return _COMMAS.sub(",", " ".join(marked.split())).strip(" ,")


def _close_up(text: str) -> str:
    """Without the spaces that Chinese does not need; one after a lone negation is a border, not a space."""
    return _SPACE_BY_HAN.sub(lambda space: " " if _LONE_NEGATION.search(text[: space.start()]) else "", text)


def _punctuation(text: str, at: int, is_sign: bool) -> str:
    """What stands for the character: itself, nothing, a space, or a comma at a clause's border."""
    character = text[at]
    if character.isalnum() or character == " ":
        return character
    if is_sign:
        return "-" if character == "~" else character
    if character in _APOSTROPHES:
        return ""
    if character in _CLAUSE_END or character in ",:." or (character == "-" and text[at - 1 : at] == " "):
        return ","
    category = unicodedata.category(character)
    if category in ("Sm", "Sc") or character in "%\u2030&":
        return character
    if character == "#" and text[at + 1 : at + 2].isdigit():
        return character
    return " " if category[0] in "PS" else character


def _without_filler(form: str) -> str:
    """One round of taking filler off both ends, and particles off every clause; "" when nothing else would be left."""
    form = _POLITE_ASIDE.sub(r"\1 ", form)
    for pattern in (_SUFFIX_ZH, _SUFFIX_EN, _PREFIX_ZH, _PREFIX_EN):
        form = pattern.sub("", form)
    form = ",".join(_SUFFIX_ZH.sub("", clause) for clause in _CLAUSE_BORDER.split(form))
    return _close_up(_without_punctuation(_folded(form)))
