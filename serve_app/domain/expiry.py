"""How long the words of an answer are true by the calendar: for good, until the day ends, or only now.

Read from the question, the answer and what it was built from. Words that may be general (周一到周五发货, same-day delivery) are
taken for general; one taken for today's costs a generation a day, one that is missed would be wrong tomorrow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from enum import IntEnum

from serve_app.domain.wording import zone


class Lasts(IntEnum):
    """In the order of how soon it ends."""

    FOR_GOOD = 0
    TODAY = 1  # until the shop's next midnight
    NOW = 2  # it may be another within the hour


def lasts(question: str, said: Iterable[str]) -> Lasts:
    """`said`: the answer, and what it was built from. Whoever asks about now gets an answer of now; a text that merely says
    现在 or "currently" speaks of these days."""
    if _NOW.search(question):
        return Lasts.NOW
    texts = (question, *said)
    return Lasts.TODAY if any(_DAY.search(text) for text in texts) else Lasts.FOR_GOOD


def day_ends_at(now: datetime, time_zone: str) -> datetime:
    """The first instant of the next day in the zone (an IANA name), in UTC; also where clocks are changed at midnight."""
    local = now.astimezone(zone(time_zone))
    tomorrow = local.date() + timedelta(days=1)
    # A midnight that summer time skips is read with the offset from before, which is the instant of the change.
    return datetime.combine(tomorrow, time(), tzinfo=local.tzinfo).astimezone(UTC)


def earliest(*instants: datetime | None) -> datetime | None:
    """The first of those that there are."""
    return min((instant for instant in instants if instant is not None), default=None)


def _pattern(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE)


_B, _E = r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])"
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
_PERIOD = rf"(?:week|weekend|month|quarter|year|season|spring|summer|autumn|fall|winter|morning|afternoon|evening|{_WEEKDAY})"

_NOW = _pattern(
    # The moment itself.
    r"现在|此刻|这会儿?|这个点|几点了",
    rf"{_B}(?:(?:right |just )?now|at the moment|at present|currently|what time is it){_E}",
    # What is left of a time.
    r"还(?:有|要|剩|差)(?:多久|多长时间|几个?(?:小时|分钟|钟头)|多少(?:个?小时|分钟|时间))|多久(?:以?后)?(?:开始|结束|截止|过期)|倒计时",
    rf"{_B}how (?:much longer|long (?:until|till?|before)){_E}",
    rf"{_B}(?:hours?|minutes?|time) (?:is |are )?(?:left|remaining){_E}",
    # Whether somebody is there.
    r"(?:营业|上班|开门|开着|在线|打烊|关门|下班)(?:了|着)?(?:吗|嘛|么|没|不|呢|吧)|(?:还|没)(?:在|有)?(?:营业|上班|开门|打烊|关门|下班)",
    rf"{_B}(?:are|is) (?:\w+ ){{1,3}}(?:open|closed|online|available){_E}(?! (?:for|to|in|at|as|with|from|on){_E})",
)
_DAY = _pattern(
    r"[今明昨][天日晚早晨儿夜年]|今(?:个?月|周|个?星期|春|夏|秋|冬)|(?:大?后|大?前)[天日](?!性)|[去前]年",
    r"[上下本这]一?个?(?:周|星期|礼拜|月|季度|旬)|[月年]底前",
    r"现在|目前|当前|近日|最近|近期|即日|这[几两]天|过几天|眼下|如今",
    r"还(?:有|剩|差)(?:几|多少|[\d一二两三四五六七八九十]+)个?(?:天|日|周|星期|月|小时)|只剩|最后(?:几|[\d一二两三]+)天",
    rf"{_B}(?:today|tonight|tomorrow|yesterday|nowadays|these days|currently|now|at the moment|at present|recent(?:ly)?){_E}",
    rf"{_B}(?:this|next|last|coming|following) {_PERIOD}{_E}",
    rf"{_B}(?:by|until|till|before|on) {_WEEKDAY}{_E}(?! ?(?:to|-|–|through) ?{_WEEKDAY})",
    rf"{_B}(?:hours?|days?|weeks?|months?) (?:left|remaining|to go|from now|ago){_E}",
    rf"{_B}how many (?:more )?(?:days|weeks) (?:are (?:there )?)?(?:left|until|till?){_E}",
)
