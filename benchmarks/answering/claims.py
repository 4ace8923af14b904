"""What a text claims: the numbers, amounts, days and times in it, each with the words it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

ClaimKind = Literal[
    "order", "tracking", "code", "reference", "amount", "date", "weekday", "time", "span", "duration", "percent", "points",
    "count", "tail", "number",
]  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """`value` by kind: amount in minor units, date a `date`, duration (unit, number), count (thing, number), the rest text.

    `weekday` (0 is Monday) stands beside a date that names one.
    """

    kind: ClaimKind
    text: str
    value: Any
    weekday: int | None = None


def claims(text: str, today: date) -> tuple[Claim, ...]:
    """Every claim in the text. What one pattern took, the next ones do not see; order numbers go first, loose numbers last."""
    found: list[Claim] = []
    for kind, pattern in _PATTERNS:

        def take(match: re.Match[str], kind: ClaimKind = kind) -> str:
            made = list(_made(kind, match, today))
            found.extend(made)
            return "\x00" * len(match[0]) if made else match[0]

        text = pattern.sub(take, text)
    return tuple(found)


def contradictions(text: str, today: date) -> tuple[str, ...]:
    """Days that are named twice, each time another: 明天(11月25日) on the 22nd."""
    pairs = [(match[0], dates(match[1], today), dates(match[2], today)) for match in _NAMED_TWICE.finditer(text)]
    return tuple(said for said, one, other in pairs if one and other and one != other)


def dates(text: str, today: date) -> frozenset[date]:
    """The days that the text names, by date or as tomorrow, 后天 …"""
    return frozenset(claim.value for claim in claims(text, today) if claim.kind == "date")


def numeral(text: str) -> int | None:
    """两 → 2, 二十四 → 24, seven → 7, "12" → 12; None for what is no number below a hundred."""
    text = text.lower().replace(",", "")
    if text.isascii() and text.isdigit():
        return int(text)
    if text in _ENGLISH:
        return _ENGLISH[text]
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _DIGITS.get(text)
    high, low = (_DIGITS.get(tens) if tens else 1), (_DIGITS.get(ones) if ones else 0)
    return None if high is None or low is None else high * 10 + low


def _made(kind: ClaimKind, match: re.Match[str], today: date) -> Iterator[Claim]:
    said = match[0].strip()
    groups = {name: value for name, value in match.groupdict().items() if value is not None}
    if kind == "date":
        if (day := _day(groups, today)) is not None:
            yield Claim(kind, said, day, _weekday(groups.get("weekday")))
    elif kind == "weekday":
        yield Claim(kind, said, _weekday(said))
    elif kind == "amount":
        yield Claim(kind, said, round(float(groups["number"].replace(",", "")) * 100))
    elif kind == "duration":
        for name in ("number", "number2"):
            if name in groups and (number := numeral(groups[name])) is not None:
                yield Claim(kind, said, (_unit(groups["unit"]), number))
    elif kind == "count":
        number = numeral(groups["number"])
        if number is not None:
            yield Claim(kind, said, (_thing(groups["thing"]), number))
    elif kind in ("points", "percent", "number"):
        yield Claim(kind, said, float(groups["number"].replace(",", "")))
    elif kind == "span":
        yield Claim(kind, said, tuple(re.findall(r"\d?\d:\d\d", said)))
    elif kind in ("order", "tracking"):
        yield Claim(kind, said, re.sub(r"[ -]", "", said).upper())
    else:
        yield Claim(kind, said, groups.get("number", said))


def _day(groups: dict[str, str], today: date) -> date | None:
    if "relative" in groups:
        return today + timedelta(days=_RELATIVE[groups["relative"].lower()])
    month = groups["month"]
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
    years = [int(groups["year"])] if "year" in groups else [today.year - 1, today.year, today.year + 1]
    possible: list[date] = []
    for year in years:
        try:
            possible.append(date(year, number, int(groups["day"])))
        except ValueError:
            continue
    return min(possible, key=lambda day: abs(day - today), default=None)


def _weekday(said: str | None) -> int | None:
    if said is None:
        return None
    if said[-1] in "一二三四五六日天":
        return "一二三四五六日".index(said[-1].replace("天", "日"))
    return _WEEKDAYS.index(said[:3].lower())


def _unit(said: str) -> str:
    said = said.lower().replace("-", " ")
    return next(unit for words, unit in _UNITS if said.startswith(words))


def _thing(said: str) -> str:
    return next(thing for words, thing in _THINGS if any(word in said.lower() for word in words))


_DIGITS = {"零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_ENGLISH = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60, "ninety": 90,
}  # fmt: skip
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RELATIVE = {
    "大前天": -3, "前天": -2, "昨天": -1, "昨日": -1, "今天": 0, "今日": 0, "明天": 1, "明日": 1, "后天": 2, "大后天": 3,
    "the day before yesterday": -2, "yesterday": -1, "today": 0, "tomorrow": 1, "the day after tomorrow": 2,
}  # fmt: skip
_UNITS = (
    ("工作日", "workday"), ("working day", "workday"), ("business day", "workday"), ("天", "day"), ("日", "day"),
    ("day", "day"), ("小时", "hour"), ("hour", "hour"), ("个月", "month"), ("月", "month"), ("month", "month"), ("年", "year"),
    ("year", "year"), ("周", "week"), ("星期", "week"), ("week", "week"), ("分钟", "minute"), ("minute", "minute"),
)  # fmt: skip
_THINGS = (
    (("订单", "order"), "order"),
    (("包裹", "快递", "parcel", "package"), "parcel"),
    (("券", "coupon", "voucher"), "coupon"),
    (("商品", "宝贝", "item"), "item"),
    (("发票", "invoice"), "invoice"),
    (("more",), "more"),
    (("退款", "售后", "refund"), "after_sale"),
)  # fmt: skip

_NUMBER = r"(?P<number>\d[\d,]*(?:\.\d+)?)"
_NUMBER_WORDS = "two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|fifteen|thirty"
_COUNTED = rf"(?:(?<![\d.])(?<!\d,)\d+|[二两三四五六七八九十]+|\b(?:{_NUMBER_WORDS})\b)"
_DAY_NAMES = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:[a-z]*day)?"
_DAY_NAMES_ZH = r"周[一二三四五六日]|星期[一二三四五六日天]"
_BEFORE_DATE = rf"(?:(?P<weekday>{_DAY_NAMES}),? )?"
_MONTH = r"(?P<month>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*)"
_RELATIVE_DAYS = "|".join(sorted((rf"\b{word}" if word.isascii() else word for word in _RELATIVE), key=len, reverse=True))
_TO = r"\s?(?:-|–|—|~|～|至|到|to|and|or)\s?"
_UNIT_EN = r"(?:working|business)[ -]days?|days?|hours?|months?|years?|weeks?|minutes?"
_UNIT_ZH = r"工作日|天|日(?!常)|小时|个月|年|周|星期|分钟"
_THING_ZH = "订单|包裹|快递|优惠券|券|商品|宝贝|发票|退款|售后"
_THING_EN = "orders?|parcels?|packages?|coupons?|vouchers?|items?|invoices?|refunds?"

# Order matters: a tracking number is not an amount, a date not two numbers.
_FORMS: tuple[tuple[ClaimKind, str], ...] = (
    ("order", r"(?<![A-Za-z])ZW(?:[ -]?\d){12}(?!\d)"),
    ("tracking", r"(?<![A-Za-z])(?:SF|YT|JD|ZTO)\d{12,13}(?!\d)"),
    ("reference", r"(?<![A-Za-z])(?:R\d{10}|AS\d{6}|INV\d{6}|P\d{6}|CP-\d+-\d+|SKU-\d+)(?!\d)"),
    ("code", r"(?<![\d-])\d-\d-\d{4}(?!\d)"),
    (
        "date",
        r"(?:(?P<year>\d{4})年)?(?P<month>\d{1,2})月(?P<day>\d{1,2})[日号]"
        rf"(?:\s?[(（]?(?P<weekday>{_DAY_NAMES_ZH})[)）]?)?",
    ),
    ("date", rf"{_BEFORE_DATE}\b(?P<day>\d{{1,2}}) {_MONTH}(?: (?P<year>\d{{4}}))?\b"),
    ("date", rf"{_BEFORE_DATE}\b{_MONTH} (?P<day>\d{{1,2}})(?:,? (?P<year>\d{{4}}))?\b"),
    ("date", r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)"),
    ("date", rf"(?P<relative>{_RELATIVE_DAYS})"),
    ("weekday", rf"(?:{_DAY_NAMES_ZH})(?!至|到|-)|\b{_DAY_NAMES}\b"),
    ("span", rf"\d?\d:\d\d{_TO}\d?\d:\d\d"),
    ("time", r"(?<!\d)(?P<number>\d?\d:\d\d)(?!\d)"),
    ("amount", rf"(?:CN)?[¥￥]\s?{_NUMBER}"),
    ("amount", rf"{_NUMBER}\s?(?:元|块钱?(?!头)|yuan\b|RMB\b|CNY\b)"),
    ("amount", rf"\b(?:RMB|CNY)\s?{_NUMBER}"),
    ("percent", r"(?P<number>\d+(?:\.\d+)?)\s?(?:%|percent\b)"),
    ("points", rf"{_NUMBER}\s?(?:个)?(?:积分|points?\b)"),
    ("points", rf"积分(?:余额|数)?(?:是|为|有|:|：|还有|还剩|共)*\s?{_NUMBER}(?!\s?(?:%|天|年|个月))"),
    ("duration", rf"(?P<number>{_COUNTED})(?:{_TO}(?P<number2>{_COUNTED}))?\s?个?(?P<unit>{_UNIT_ZH})"),
    ("duration", rf"(?P<number>{_COUNTED})(?:{_TO}(?P<number2>{_COUNTED}))?[\s-]?(?P<unit>{_UNIT_EN})\b"),
    ("count", rf"(?P<number>{_COUNTED})\s?(?:个|笔|张|件|单|份|条)[^,，。;；\d]{{0,6}}?(?P<thing>{_THING_ZH})"),
    ("count", rf"(?P<number>{_COUNTED})\s(?:\w+\s){{0,2}}?(?P<thing>{_THING_EN})\b"),
    (
        "count",
        r"(?P<thing>优惠券|券|coupons?|vouchers?|订单|orders?|包裹|parcels?)[^,，。;；.\d\n]{0,14}[(（:：]\s?(?P<number>\d+)\b",
    ),
    ("count", r"(?P<thing>优惠券|券|订单|包裹)\s?(?P<number>\d+)\s?(?:个|张|笔|件|单)"),
    ("count", r"(?P<number>\d+) (?P<thing>more\b)"),
    ("tail", r"(?:尾号|末四位|后四位|ending(?: in| with)?|ends in)[^\d]{0,6}(?P<number>\d{4})(?!\d)"),
    ("number", r"(?<![\d.])(?P<number>\d[\d,]*(?:\.\d+)?)"),
)
_NAMED_TWICE = re.compile(rf"({_RELATIVE_DAYS})\s?[(（]([^()（）]*)[)）]", re.IGNORECASE)
_PATTERNS: list[tuple[ClaimKind, re.Pattern[str]]] = [(kind, re.compile(form, re.IGNORECASE)) for kind, form in _FORMS]
