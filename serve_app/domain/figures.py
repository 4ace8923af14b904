"""Figures in text: numbers, amounts, dates and times in Chinese and English, and what each of them may mean.

A figure is compared by its meaning: 1,299.00 is 1299, 七 is 7, 11月24日 is Nov 24 and the 24 Nov of 2026-11-24. One that has
several readings (7日 is seven days or the seventh) has them all. Relative days, weekdays and spans in words are figures too
(relative_dates.py). Not figures: 一 as an article or in a word (一个, 一下, 十分), "one" without a unit, ordinals in words
(第一, first), today in small talk.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Protocol, cast

import regex

from serve_app.domain.numerals import CN_CHARACTERS, CN_SCALES, EN_SCALES, EN_VALUES, cn_value, en_value
from serve_app.domain.relative_dates import (
    BEFORE_MONTH,
    RELATIVE_FIRST,
    RELATIVE_OPEN,
    RELATIVE_PARTS,
    days_meant,
    read_relative,
    read_weekday,
)

# ("n", value) a number; ("d", year, month, day) a date, 0 for what is not said; ("t", hour, minute); ("r", days) from today;
# ("w", weeks from this one or None, weekday from 0); ("s", text) as it stands.
Reading = tuple[object, ...]


class Match(Protocol):
    """What is used of a match of the library `regex`, which has no types."""

    lastgroup: str | None

    def start(self) -> int: ...
    def end(self) -> int: ...
    def group(self) -> str: ...


class _Pattern(Protocol):
    def search(self, text: str, pos: int = 0, *, partial: bool = False) -> Match | None: ...


# Borders of a word in Latin letters; beside a Chinese character there is one too.
_BEGIN, _END = r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])"
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WORD = rf"(?:{'|'.join(sorted([*EN_VALUES, *EN_SCALES], key=len, reverse=True))}){_END}"
# What makes "one" a figure.
_ONE_OF = (
    r"[\s-]+(?:(?:business|working|calendar|full)[\s-]+)?"
    rf"(?:day|week|month|year|hour|minute|second|yuan|rmb|dollar|cent|percent|night)s?{_END}"
)
_CN = f"[{CN_CHARACTERS}]"
# What 一 counts in earnest; before other measure words it is an article.
_HARD_UNIT = (
    "个?(?:工作日|自然日|小时|钟头|星期|礼拜|季度)|个半?月|分钟|刻钟|天|日|周|年|秒|元|块钱|折|倍|成|毛|角|圆|美元|港币"
)
_SOFT_UNIT = "公斤|千克|厘米|公里|毫升|[个件次人家张单包箱瓶份台只双本名位笔斤克吨米升岁层楼号月时分块码]"
_PART = rf"(?:\d{{1,4}}|{_CN}+)"  # of a Chinese date or time
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_SCALE = rf"千克|千米|\s?[万亿千百]+|\s(?:hundred|thousand|million|billion){_END}|(?:k|st|nd|rd|th){_END}"
_AM_PM = rf"(?:\s?[ap]\.?m{_END}\.?)"

_PARTS = {
    # A counter at the start of a line: 1. or 2) or 3、
    "list": r"(?<=\n[ \t*#>(（\-]{0,6})\d[.)）、](?=\D)|[①-⑨]",
    "iso": r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
    "en_date": rf"\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}{_END}(?:,?\s+\d{{4}}{_END})?"
    rf"|{_BEGIN}{_MONTH}\s+(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?{_END}(?:,?\s+\d{{4}}{_END})?|{_BEGIN}{_MONTH}\s+\d{{4}}{_END}",
    "month": rf"{BEFORE_MONTH}{_MONTH}{_END}",
    "cn_date": rf"(?:{_PART}年\s?)?{_PART}月(?:\s?{_PART}[日号])?|{_PART}年|{_PART}[日号](?:之?内|以内|后)?",
    "time": rf"\d{{1,2}}[:：]\d{{2}}(?:[:：]\d{{2}})?{_AM_PM}?|\d{{1,2}}{_AM_PM}",
    "cn_time": rf"{_PART}[点时](?:{_PART}分?|整|钟)?",
    "day": r"\d{1,2}/\d{1,2}",
    "number": rf"(?:[¥￥$€£]\s?)?{_NUMBER}(?:{_SCALE})?",
    "words": rf"{_BEGIN}{_WORD}(?:[\s-]+(?:and\s+)?{_WORD})*(?:{_ONE_OF})?",
    "cn": rf"半价|(?:[百千]分之)?{_CN}+(?:点{_CN}+)?(?:{_HARD_UNIT}|{_SOFT_UNIT})?",
    "other": r"[\p{No}\p{Nl}]",
}
# What a figure begins with; tried first, because most characters begin none.
_FIRST = rf"(?=[\d¥￥$€£\p{{No}}\p{{Nl}}{CN_CHARACTERS}{RELATIVE_FIRST}]|{_BEGIN}[a-z])"


def _any_of(parts: Mapping[str, str]) -> str:
    return _FIRST + "(?:" + "|".join(f"(?P<{name}>{part})" for name, part in parts.items()) + ")"


FIGURE = cast(_Pattern, regex.compile(_any_of(RELATIVE_PARTS | _PARTS), regex.IGNORECASE))
# For a partial search alone: finds where the last part of a text begins that may yet become a figure, or a longer one. It
# ends in a character that no text holds, so whatever it finds reaches the end of the text.
OPEN = cast(
    _Pattern,
    regex.compile(rf"(?:{_any_of(RELATIVE_OPEN | _PARTS | {'month': f'{_BEGIN}{_MONTH}{_END}'})})\x00", regex.IGNORECASE),
)


def plain(text: str) -> str:
    """The same text with decimal digits, letters and the percent sign in their ASCII forms; no position moves."""
    return "".join(map(_plain_character, text)) if not text.isascii() or "\x00" in text else text


@functools.lru_cache(maxsize=8192)
def _plain_character(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if character == "\x00":
        return " "
    return chr(ord(character) - 0xFEE0) if "Ａ" <= character <= "ｚ" or character == "％" else character


def figures(text: str) -> Iterator[frozenset[Reading]]:
    """The readings of every figure in `text`, in order. The counters of lists are left out."""
    text = "\n" + plain(text)
    position = 1
    while (found := FIGURE.search(text, position)) is not None:
        readings = readings_of(found, text)
        if readings is not None and found.lastgroup != "list":
            yield readings
        position = found.end()


def allowed_by(text: str) -> set[Reading]:
    """All that may be said when `text` is known; of a whole date also its parts."""
    allowed = {reading for readings in figures(text) for reading in readings}
    for _, year, month, day in [reading for reading in allowed if reading[0] == "d"]:
        parts = {(0, month, day), (year, month, 0), (0, month, 0), (0, 0, day), (year, 0, 0)}
        allowed |= {("d", *part) for part in parts if any(part)}
    return allowed


def readings_of(found: Match, text: str, today: date | None = None) -> frozenset[Reading] | None:
    """What the match in `text` may mean; None when it is no figure. With `today` a relative day is its date as well."""
    said = found.group().strip().lower()
    kind = found.lastgroup or ""
    if kind in ("cn", "cn_time", "cn_date") and _is_idiom(said, text[: found.start()][-2:]):
        return None
    if kind == "words" and said == "one":
        return None
    literal: Reading = ("s", "".join(said.split()))
    readings = {literal, *_READERS[kind](said)}
    if today is not None:
        days = [day for reading in readings for day in days_meant(reading, today)]
        readings |= {("d", year, day.month, day.day) for day in days for year in (0, day.year)}
    return frozenset(readings)


def _is_idiom(said: str, before: str) -> bool:
    """Whether a Chinese numeral is part of a word: 第一, 周三, 一下, 十分, 三点 (three points), 万一, 这两个."""
    numerals = _matched(rf"(?:[百千]分之)?{_CN}+", said)
    unit = said.removeprefix(numerals)
    if not numerals or said == "半价":
        return False
    if before.endswith("第") or (before.endswith(("这", "那", "哪", "每")) and numerals in ("一", "两")):
        return True
    if unit in ("点", "时"):
        return before[-1:] not in ("午", "晨", "晚", "上", "夜", "早")
    if not unit:
        return len(numerals) == 1 or numerals in ("万一", "千万", "一一", "万万")
    if numerals == "一":
        return _matched(f"(?:{_HARD_UNIT})|月.*|号", unit) != unit
    return (numerals, unit) == ("十", "分")


def _matched(pattern: str, text: str) -> str:
    found = re.match(pattern, text)
    return found.group() if found else ""


def _found_all(pattern: str, text: str) -> list[str]:
    return re.findall(pattern, text)


def _read_number(said: str) -> Iterator[Reading]:
    """A code (a leading zero) is its digits; 3万 and 5k are what they amount to; 24th is a day as well."""
    digits = _found_all(_NUMBER, said)[0]
    suffix = said.partition(digits)[2].strip()
    digits = digits.replace(",", "")
    if len(digits) > 1 and digits[0] == "0" and "." not in digits:
        yield ("s", digits)
        return
    yield ("n", (Decimal(digits) * _scale(suffix)).normalize())
    if suffix in ("st", "nd", "rd", "th"):
        yield from _date(0, 0, int(Decimal(digits)))


def _scale(suffix: str) -> int:
    if suffix in ("千克", "千米"):
        return 1
    scale = EN_SCALES.get(suffix, 1000 if suffix == "k" else 1)
    for character in suffix:
        scale *= CN_SCALES.get(character, 1)
    return scale


def _read_iso(said: str) -> Iterator[Reading]:
    year, month, day = (int(part) for part in _found_all(r"\d+", said))
    yield from _date(year, month, day)


def _read_day(said: str) -> Iterator[Reading]:
    first, second = (int(part) for part in said.split("/"))
    yield from _date(0, first, second)
    yield from _date(0, second, first)


def _read_en_date(said: str) -> Iterator[Reading]:
    month = _MONTHS.index(_found_all("|".join(_MONTHS), said)[0]) + 1
    numbers = _found_all(r"\d+", said)
    year = next((int(number) for number in numbers if len(number) == 4), 0)
    day = next((int(number) for number in numbers if len(number) < 3), 0)
    yield from _date(year, month, day)


def _read_cn_date(said: str) -> Iterator[Reading]:
    spoken = {mark: _value(said_part) for said_part, mark in re.findall(rf"({_PART})\s?([年月日号])", said)}
    year, month, day = spoken.get("年", 0), spoken.get("月", 0), spoken.get("日", spoken.get("号", 0))
    if year is None or month is None or day is None:
        return
    alone = len(spoken) == 1
    is_span = alone and said[-1] in "内后"
    if not is_span and not (alone and 0 < year < 1900):
        yield from _date(int(year), int(month), int(day))
    if alone:
        yield ("n", Decimal(year or month or day).normalize())


def _read_time(said: str) -> Iterator[Reading]:
    hour, minute = [*(int(number) for number in _found_all(r"\d+", said)), 0][:2]
    if "m" in said:
        hour = hour % 12 + (12 if "p" in said else 0)
    yield ("t", hour, minute)


def _read_cn_time(said: str) -> Iterator[Reading]:
    hour, _, rest = said.replace("时", "点").partition("点")
    minute = rest.rstrip("分整钟")
    hours, minutes = _value(hour), Decimal(30) if minute == "半" else _value(minute or "0")
    if hours is not None and minutes is not None:
        yield ("t", int(hours), int(minutes))
    if minute == rest and not hour.isdecimal() and (value := cn_value(f"{hour}点{rest}")) is not None:
        yield ("n", value)


def _read_words(said: str) -> Iterator[Reading]:
    yield ("n", en_value(said))


def _read_cn(said: str) -> Iterator[Reading]:
    numerals = _matched(rf"{_CN}+(?:点{_CN}+)?", said.removeprefix("百分之").removeprefix("千分之"))
    if (value := cn_value(numerals)) is not None:
        yield ("n", value)


def _read_other(said: str) -> Iterator[Reading]:
    yield ("n", Decimal(repr(unicodedata.numeric(said))).normalize())


def _read_nothing(_said: str) -> Iterator[Reading]:
    yield from ()


def _value(text: str) -> Decimal | None:
    return Decimal(text) if text.isdecimal() else cn_value(text)


def _date(year: int, month: int, day: int) -> Iterator[Reading]:
    if month <= 12 and day <= 31:
        yield ("d", year + 2000 if 0 < year < 100 else year, month, day)


_READERS = {
    "relative": read_relative,
    "today": read_relative,
    "weekday": read_weekday,
    "period": _read_nothing,
    "month": _read_en_date,
    "list": _read_nothing,
    "iso": _read_iso,
    "en_date": _read_en_date,
    "cn_date": _read_cn_date,
    "time": _read_time,
    "cn_time": _read_cn_time,
    "day": _read_day,
    "number": _read_number,
    "words": _read_words,
    "cn": _read_cn,
    "other": _read_other,
}
