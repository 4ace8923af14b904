"""Dates in a question, relative to the shop's today. Weeks begin on Monday."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from serve_app.domain.understanding.numerals import NUMERAL_CLASS, number_of

_NUMBER = rf"(\d{{1,2}}|[{NUMERAL_CLASS}]{{1,3}})"
_RELATIVE_DAYS = {
    "大前天": -3,
    "前天": -2,
    "昨": -1,
    "今": 0,
    "明": 1,
    "大后天": 3,
    "后天": 2,
    "the day before yesterday": -2,
    "yesterday": -1,
    "today": 0,
    "tonight": 0,
    "the day after tomorrow": 2,
    "tomorrow": 1,
}
_RELATIVE = re.compile(
    r"(大前天|大后天|前天|后天|[昨今明](?=[天日早晚]|儿个?))"
    r"|\b(the day before yesterday|the day after tomorrow|yesterday|today|tonight|tomorrow)\b"
)
_MONTHS = {
    name: at for at, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
_MONTH = (
    r"(jan(?=\b|uary)|feb(?=\b|ruary)|mar(?=\b|ch\b)|apr(?=\b|il)|may|jun(?=e?\b)|jul(?=y?\b)|aug(?=\b|ust)|sep(?=t?\b"
    r"|tember)"
    r"|oct(?=\b|ober)|nov(?=\b|ember)|dec(?=\b|ember))[a-z]*\.?"
)
_WEEKDAYS = {name: at for at, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
_WEEKDAYS_ZH = {character: at for at, character in enumerate("一二三四五六")} | {"日": 6, "天": 6}

_FULL = re.compile(r"(?<!\d)(20\d\d)(?:[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)|年(\d{1,2})月(\d{1,2})[日号]?)")
_MONTH_DAY_ZH = re.compile(rf"(?<![年\d]){_NUMBER}月{_NUMBER}[日号]?")
_DAY_ZH = re.compile(rf"(?<![月\d{NUMERAL_CLASS}第大小]){_NUMBER}(?:日|号(?![楼店线色码仓门]))")
_MONTH_DAY_EN = re.compile(rf"\b{_MONTH} (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (20\d\d))?\b")
_DAY_MONTH_EN = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?: (20\d\d))?\b")
_WEEKDAY_ZH = re.compile(r"(上上?|下下?|这|本)?(?:个)?(?:周|星期|礼拜)([一二三四五六日天])")
_WEEKDAY_EN = re.compile(
    r"\b(?:(next|last|this|coming|past) )?(mon|tue|wed|thu|fri|sat(?=urday)|sun(?=day))"
    r"(?:day|s|sday|nesday|r|rs|rsday|urday)?\b(?! ?\d)"
)
_AGO = re.compile(rf"{_NUMBER} ?天(?:之|以)?前|\b(\d{{1,2}}) days? ago\b")


def dates_in(text: str, today: date) -> tuple[date, ...]:
    """The dates that the text names, in order, each once. A day without a year or month is the one nearest to `today`."""
    lower = text.lower()
    found: list[tuple[int, date]] = []
    for pattern, read in _READERS:
        for match in pattern.finditer(lower):
            day = read(match, today)
            if day is not None:
                found.append((match.start(), day))
    return tuple(dict.fromkeys(day for _, day in sorted(found)))


def _relative(match: re.Match[str], today: date) -> date:
    return today + timedelta(days=_RELATIVE_DAYS[match[1] or match[2]])


def _full(match: re.Match[str], _today: date) -> date | None:
    return _valid(int(match[1]), int(match[2] or match[4]), int(match[3] or match[5]))


def _month_day_zh(match: re.Match[str], today: date) -> date | None:
    return _nearest_year(number_of(match[1]), number_of(match[2]), today)


def _day_zh(match: re.Match[str], today: date) -> date | None:
    day = number_of(match[1])
    middle = today.replace(day=15)
    months = (middle - timedelta(days=30), middle, middle + timedelta(days=30))
    return _nearest(((month.year, month.month, day) for month in months), today)


def _month_day_en(match: re.Match[str], today: date) -> date | None:
    return _english(_MONTHS[match[1]], int(match[2]), match[3], today)


def _day_month_en(match: re.Match[str], today: date) -> date | None:
    return _english(_MONTHS[match[2]], int(match[1]), match[3], today)


def _weekday_zh(match: re.Match[str], today: date) -> date:
    weekday = _WEEKDAYS_ZH[match[2]]
    monday = today - timedelta(days=today.weekday())
    if match[1] is None:
        return _coming(weekday, today)
    weeks = {"上上": -2, "上": -1, "下": 1, "下下": 2}.get(match[1], 0)
    return monday + timedelta(days=weekday + 7 * weeks)


def _weekday_en(match: re.Match[str], today: date) -> date:
    weekday = _WEEKDAYS[match[2]]
    if match[1] == "next":
        return today - timedelta(days=today.weekday()) + timedelta(days=7 + weekday)
    coming = _coming(weekday, today)
    return coming - timedelta(days=7) if match[1] in ("last", "past") else coming


def _ago(match: re.Match[str], today: date) -> date | None:
    days = number_of(match[1] or match[2])
    return None if days is None else today - timedelta(days=days)


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]], ...] = (
    (_RELATIVE, _relative),
    (_FULL, _full),
    (_MONTH_DAY_ZH, _month_day_zh),
    (_DAY_ZH, _day_zh),
    (_MONTH_DAY_EN, _month_day_en),
    (_DAY_MONTH_EN, _day_month_en),
    (_WEEKDAY_ZH, _weekday_zh),
    (_WEEKDAY_EN, _weekday_en),
    (_AGO, _ago),
)


def _english(month: int, day: int, year: str | None, today: date) -> date | None:
    return _valid(int(year), month, day) if year else _nearest_year(month, day, today)


def _coming(weekday: int, today: date) -> date:
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def _nearest_year(month: int | None, day: int | None, today: date) -> date | None:
    return _nearest(((year, month, day) for year in (today.year - 1, today.year, today.year + 1)), today)


def _nearest(candidates: Iterator[tuple[int, int | None, int | None]], today: date) -> date | None:
    days = [day for day in (_valid(*candidate) for candidate in candidates) if day is not None]
    return min(days, key=lambda day: abs((day - today).days), default=None)


def _valid(year: int, month: int | None, day: int | None) -> date | None:
    try:
        return date(year, month or 0, day or 0)
    except ValueError:
        return None
