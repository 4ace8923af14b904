"""What a question names: orders, parcels, SKUs, amounts, dates, a place in a list. By rules, on the cleaned text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from serve_app.domain.id_formats import DEMO_FORMATS, Formats
from serve_app.domain.question import Entities
from serve_app.domain.understanding.dates import dates_in
from serve_app.domain.understanding.numerals import (
    DIGIT_CLASS,
    ENGLISH_CARDINALS,
    ENGLISH_ORDINALS,
    NUMERAL_CLASS,
    digits_of,
    minor_units,
    number_of,
)

_PLAIN_NUMBER = re.compile(r"(?<![a-z0-9¥$.,-])\d{10,20}(?![a-z0-9]|[.,]\d)", re.IGNORECASE)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_SAYS_ORDER = re.compile(r"(?:订单号?码?|单号|编号|order(?: (?:number|no\.?|id))?)(?:是|为|is)?[ :#]*$", re.IGNORECASE)
_SAYS_PARCEL = re.compile(
    r"(?:快递|运单|物流)单?号?码?(?:是|为)?[ :]*$|tracking(?: (?:number|no\.?|code))?(?: is)?[ :#]*$", re.I
)
_TRACKING = re.compile(
    r"(?<![a-z0-9])(?:(?:sf|yt|yto|jd[a-z]{0,2}|zto|sto|yd|yunda|ems|jt|jtsd|dpk|db|ht|tt|zjs|lp|cne)\d{10,15}"
    r"|1z[a-z0-9]{16}|[a-z]{2}\d{9}[a-z]{2})(?![a-z0-9])",
    re.IGNORECASE,
)

_FOUR = rf"(\d{{4}}|[{DIGIT_CLASS}]{{4}})(?![\d{DIGIT_CLASS}年月元块])"
_TAIL = re.compile(
    rf"(?:尾号|尾数|(?:后|末|最后|尾)[四4]位(?:数|数字)?)(?:是|为)?[ :]*{_FOUR}"
    rf"|\b(?:ending|ends|end)(?: in| with)?[ :#]+{_FOUR}|\blast (?:four|4)(?: digits?| numbers?)?(?: are| is|:)? ?#?{_FOUR}"
    rf"|(?:订单|单号|\border)(?: (?:number|no\.?))? ?[:#]?{_FOUR}(?![-/.]\d)|#{_FOUR}",
    re.IGNORECASE,
)
_TAIL_AFTER = re.compile(r"(?<!\d)(\d{4}) ?(?:结尾|(?:的|那个|那)(?:订单|那个|那单|那笔|单)|那[个单笔])")
_BARE_TAIL = re.compile(r"^(\d{4})(?:的|吧|那个|那单|[.。!])?$")

_FIGURE = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d+(?:\.\d{1,2})?"
_MONEY_BEFORE = re.compile(rf"(?:[¥$]|\brmb|\bcny|\busd)\s?({_FIGURE})", re.IGNORECASE)
_MONEY_AFTER = re.compile(
    rf"(?<![\d.,])({_FIGURE}|[{NUMERAL_CLASS}]{{1,8}}) ?(?:(万)?(?:元|块钱?|圆)([1-9{DIGIT_CLASS}])?(?![1-9])"
    r"|(?:yuan|rmb|cny|dollars?|bucks?|kuai)\b)",
    re.IGNORECASE,
)

_SAID_MAX = 200  # characters in which an item may be named
_MEASURE = "[个单件笔条项款张种包份箱家]"
_ORDINAL_ZH = re.compile(rf"(倒数)?第 ?(\d{{1,2}}|[{NUMERAL_CLASS}]{{1,3}}) ?(?:{_MEASURE}|$)")
_LAST_ZH = re.compile(rf"最后(?:面)?的?(?:[一那这]?{_MEASURE}|的)|最下面|最底下|末尾")
_FIRST_ZH = re.compile(rf"(?:最?上面|最前面)(?:的|那|这)*(?:一?{_MEASURE})?|头一?{_MEASURE}|首{_MEASURE}|最新的?那{_MEASURE}")
_ORDINAL_EN = re.compile(
    r"\b(?:the )?(first|1st|second|2nd|third|3rd|fourth|4th|fifth|5th|last)"
    r"(?= (?:one|order|parcel|package|item|option|choice)\b|$)"
)
_NUMBERED = re.compile(
    r"(?:^|\b)(?:#|(?:number|no\.?|option|choice)[ #]?|选择?第?|我?选|按)"
    r"(\d{1,2}|one|two|three|four|five|[一二三四五六七八九十])(?!\d)"
)
_BARE_ORDINAL = re.compile(rf"^(?:就|要|那就)?(\d{{1,2}}|[{NUMERAL_CLASS}])(?:号|吧|[.。、)!])*$")


def entities_in(text: str, today: date, formats: Formats = DEMO_FORMATS) -> Entities:
    """The entities of a cleaned text. Ids are as `formats` writes them; amounts are minor units."""
    tracking = [match[0].upper() for match in _TRACKING.finditer(text)]
    orders = [found.id for found in formats.order_id.found_in(text)]
    for match in _PLAIN_NUMBER.finditer(text):
        before = text[: match.start()]
        if _SAYS_PARCEL.search(before):
            tracking.append(match[0])
        elif not _MOBILE.fullmatch(match[0]) or _SAYS_ORDER.search(before):
            orders.append(match[0])
    return Entities(
        order_ids=_once(orders),
        order_tails=_tails(text),
        sku_ids=_once(found.id for found in formats.sku_id.found_in(text)),
        tracking_nos=_once(tracking),
        amounts_minor=_amounts(text),
        dates=dates_in(text, today),
        ordinal=_ordinal(text.lower()),
        said=text[:_SAID_MAX],
    )


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _tails(text: str) -> tuple[str, ...]:
    said = [next(group for group in match.groups() if group) for match in _TAIL.finditer(text)]
    said += [match[1] for pattern in (_TAIL_AFTER, _BARE_TAIL) for match in pattern.finditer(text)]
    return _once(digits_of(tail) for tail in said)


def _amounts(text: str) -> tuple[int, ...]:
    found = [(match.start(), minor_units(match[1])) for match in _MONEY_BEFORE.finditer(text)]
    for match in _MONEY_AFTER.finditer(text):
        amount = minor_units(match[1], 10_000 if match[2] else 1)
        if amount is not None and match[3]:
            amount += 10 * int(digits_of(match[3]))  # 九块五 is 9.50
        found.append((match.start(1), amount))
    return tuple(dict.fromkeys(amount for _, amount in sorted(found, key=lambda pair: pair[0]) if amount is not None))


def _ordinal(lower: str) -> int | None:
    if match := _ORDINAL_ZH.search(lower):
        number = number_of(match[2])
        return -number if number and match[1] else number
    if _LAST_ZH.search(lower):
        return -1
    if _FIRST_ZH.search(lower):
        return 1
    if match := _ORDINAL_EN.search(lower):
        return ENGLISH_ORDINALS[match[1]]
    if match := _NUMBERED.search(lower) or _BARE_ORDINAL.search(lower):
        return ENGLISH_CARDINALS.get(match[1]) or number_of(match[1])
    return None
