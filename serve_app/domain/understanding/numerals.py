"""Numbers as customers write them: digits, Chinese numerals, a few English words."""

from __future__ import annotations

from decimal import Decimal

_DIGITS = {"零": 0, "〇": 0, "一": 1, "幺": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
NUMERAL_CLASS = "".join([*_DIGITS, *_UNITS])
DIGIT_CLASS = "".join(_DIGITS)

ENGLISH_ORDINALS = {
    "first": 1,
    "1st": 1,
    "second": 2,
    "2nd": 2,
    "third": 3,
    "3rd": 3,
    "fourth": 4,
    "4th": 4,
    "fifth": 5,
    "5th": 5,
    "last": -1,
}
ENGLISH_CARDINALS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


def number_of(text: str) -> int | None:
    """`12`, 十二, 两百, 一万二千 as an integer; None for anything else."""
    if text.isascii() and text.isdigit():
        return int(text)
    if not text or any(character not in NUMERAL_CLASS for character in text):
        return None
    total = section = digit = 0
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS[character]
            continue
        unit = _UNITS[character]
        if unit == 10_000:
            total, section = (total + section + digit) * unit, 0
        else:
            section += (digit or 1) * unit
        digit = 0
    return total + section + digit


def digits_of(text: str) -> str:
    """一二三四 and 1234 as "1234": numerals read out one by one."""
    return "".join(str(_DIGITS.get(character, character)) for character in text)


def minor_units(figure: str, scale: int = 1) -> int | None:
    """`1,299.5` (or 三百) times `scale` in hundredths; None when it is no number."""
    spelt = number_of(figure)
    if spelt is not None:
        return spelt * scale * 100
    try:
        return int((Decimal(figure.replace(",", "")) * scale * 100).to_integral_value())
    except ArithmeticError:
        return None
