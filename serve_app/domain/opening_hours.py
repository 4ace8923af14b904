"""When somebody is on duty: a week of wall-clock spans, written as people write them.

    09:00-22:00                             every day
    Mon-Fri 09:00-18:00, Sat 10:00-16:00    on these days only
    Fri-Sun 20:00-02:00                     each until two in the next morning

Spans are of the shop's own clock, so that summer time moves them as it moves the shop.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from serve_app.domain.messages import Language
from serve_app.domain.wording import zone

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYS_ZH = "一二三四五六日"
_EVERY_DAY = tuple(range(7))
_DAY_MINUTES = 24 * 60
_PART = re.compile(r"(?:([A-Za-z]{3})(?:\s*-\s*([A-Za-z]{3}))?\s+)?(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` until before `end`, in minutes of the day, on `days` (0 is Monday). An `end` beyond 1440 lies in the
    next day."""

    days: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class OpeningHours:
    spans: tuple[Span, ...]

    @classmethod
    def parse(cls, text: str) -> OpeningHours:
        """Raises ValueError, saying what to write."""
        parts = [part.strip() for part in re.split("[,，、]", text)]
        spans = tuple(map(_span, parts))
        if len({part[:1].isdigit() for part in parts}) > 1:
            raise ValueError("name the days of every span, or of none: Mon-Fri 09:00-18:00, Sat 10:00-16:00")
        return cls(spans)

    def is_open(self, now: datetime, time_zone: str) -> bool:
        """Whether the instant `now` lies in a span, by the clock of `time_zone` (an IANA name)."""
        local = now.astimezone(zone(time_zone))
        today, minute = local.weekday(), local.hour * 60 + local.minute
        return any(
            (today in span.days and span.begin <= minute < span.end)
            or ((today - 1) % 7 in span.days and minute < span.end - _DAY_MINUTES)
            for span in self.spans
        )

    def said(self, language: Language) -> str:
        """zh 周一至周五 09:00-18:00、周六 10:00-16:00; en Mon-Fri 09:00-18:00, Sat 10:00-16:00."""
        return ("、" if language == "zh" else ", ").join(_said(span, language) for span in self.spans)


def checked_hours(text: str) -> str:
    """The text, when it can be read. For the configuration. Raises ValueError."""
    OpeningHours.parse(text)
    return text


def _span(part: str) -> Span:
    found = _PART.fullmatch(part)
    if found is None:
        raise ValueError(f"{part!r} are no opening hours: write 09:00-22:00, or Mon-Fri 09:00-18:00, Sat 10:00-16:00")
    first, last, *clock = found.groups()
    begin, end = _minute(part, clock[0], clock[1]), _minute(part, clock[2], clock[3])
    if begin in (_DAY_MINUTES, end):
        raise ValueError(f"{part!r} has no length: for the whole day write 00:00-24:00")
    return Span(_days(first, last), begin, end if end > begin else end + _DAY_MINUTES)


def _minute(part: str, hour: str, minute: str) -> int:
    value = int(hour) * 60 + int(minute)
    if int(minute) > 59 or value > _DAY_MINUTES:
        raise ValueError(f"{part!r}: {hour}:{minute} is no time of day")
    return value


def _days(first: str | None, last: str | None) -> tuple[int, ...]:
    if first is None:
        return _EVERY_DAY
    begin = _day(first)
    end = begin if last is None else _day(last)
    return tuple((begin + step) % 7 for step in range((end - begin) % 7 + 1))


def _day(name: str) -> int:
    try:
        return DAYS.index(name.capitalize())
    except ValueError:
        raise ValueError(f"{name!r} is no day: write one of {', '.join(DAYS)}") from None


def _said(span: Span, language: Language) -> str:
    clock = f"{_clock(span.begin)}-{_clock(span.end)}"
    if span.days == _EVERY_DAY:
        return clock
    first, last = span.days[0], span.days[-1]
    if language == "zh":
        days = f"周{_DAYS_ZH[first]}" + (f"至周{_DAYS_ZH[last]}" if last != first else "")
    else:
        days = DAYS[first] + (f"-{DAYS[last]}" if last != first else "")
    return f"{days} {clock}"


def _clock(minute: int) -> str:
    hour, rest = divmod(minute if minute <= _DAY_MINUTES else minute - _DAY_MINUTES, 60)
    return f"{hour:02}:{rest:02}"
