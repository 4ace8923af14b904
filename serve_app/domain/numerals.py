"""The values of numbers written in words: Chinese numerals, English number words."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

_EN_SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_EN_TEENS = ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_EN_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
EN_VALUES: dict[str, Decimal] = {
    **{word: Decimal(value) for value, word in enumerate([*_EN_SMALL, *_EN_TEENS])},
    **{word: Decimal(10 * value) for value, word in enumerate(_EN_TENS, 2)},
    "half": Decimal("0.5"),
    "twice": Decimal(2),
}
EN_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}

CN_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_CN_DIGITS = {"零": 0, "〇": 0, **{character: value for value, character in enumerate("一二三四五六七八九", 1)}}
_CN_VARIANTS = "壹贰叁肆伍陆柒捌玖拾佰仟萬億兩两", "一二三四五六七八九十百千万亿二二"
# Every character of which a Chinese numeral is made.
CN_CHARACTERS = "".join([*_CN_DIGITS, *CN_SCALES]) + _CN_VARIANTS[0] + "半"
_PLAIN = str.maketrans(*_CN_VARIANTS)


def en_value(text: str) -> Decimal:
    """two hundred and fifty is 250, one dozen is 12. Other words count nothing."""
    total = current = Decimal(0)
    for word in re.findall("[a-z]+", text):
        if word in EN_VALUES:
            current += EN_VALUES[word]
        elif word in EN_SCALES:
            current = (current or 1) * EN_SCALES[word]
            if EN_SCALES[word] >= 1000:
                total, current = total + current, Decimal(0)
    return (total + current).normalize()


def cn_value(text: str) -> Decimal | None:
    """三十 is 30, 一百零五 is 105, 两 is 2, 二〇二六 is 2026, 三点五 is 3.5, 半 is 0.5; None for what has no value."""
    whole, _, fraction = text.translate(_PLAIN).partition("点")
    half = Decimal("0.5") if whole.endswith("半") else Decimal(0)
    whole = whole.rstrip("半")
    try:
        decimals = Decimal(f"0.{_digits(fraction)}") if fraction else Decimal(0)
        value = _scaled(whole) if any(character in CN_SCALES for character in whole) else Decimal(_digits(whole) or 0)
    except (KeyError, InvalidOperation):
        return None
    return (value + decimals + half).normalize()


def _digits(text: str) -> str:
    return "".join(str(_CN_DIGITS[character]) for character in text)


def _scaled(text: str) -> Decimal:
    total = section = digit = Decimal(0)
    for character in text:
        scale = CN_SCALES.get(character)
        if scale is None:
            digit = Decimal(_CN_DIGITS[character])
        elif scale < 10**4:
            section += (digit or 1) * scale
            digit = Decimal(0)
        else:
            total = (total + section + digit or Decimal(1)) * scale
            section = digit = Decimal(0)
    return total + section + digit
