"""Days and spans that are said in words: tomorrow, 明天, Monday, 周三, next month, "a couple of days".

Each is a figure, except today (今天, tonight): that is small talk as well ("How can I help you today?"), so it counts only
beside a word of delivery or payment, or a limit ("by today"), in the same sentence: within TODAY_CUE_CHARS before it, or next
after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

_BEGIN, _END = r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])"
TODAY_CUE_CHARS = 24

_EN_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_EN_OFFSETS = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1, "after": 2, "before": -2}
_CN_OFFSETS = {"大后": 3, "今": 0, "明": 1, "后": 2, "昨": -1, "前": -2}
_SHIFTS = {"next": 1, "last": -1, "this": 0, "下": 1, "上": -1, "本": 0, "这": 0}

_EN_CUE = (
    rf"{_BEGIN}(?:arriv(?:e|es|ed|ing)|deliver(?:s|ed|ing)?|ship(?:s|ped)?|dispatch(?:es|ed)?|refund(?:s|ed)?|pay|paid|sen[dt]"
    rf"|due|expires?|comes?|coming|by|before|until|till){_END}"
)
_CN_CUE = "送达|送到|到达|到货|到账|寄到|发货|发出|寄出|出库|退款|退回|退还|付款|支付|签收|派送|配送|截止|[于前]"
_FILL = r"[^.!?。！？\n]"
_AFTER_EN = (
    rf"[a-z', ]{{0,24}}?{_BEGIN}(?:arrives?|ships|comes|(?:be|is|gets?|was)\s+(?:delivered|shipped|sent|refunded|paid)){_END}"
)
_AFTER_CN = rf"(?:[就会能可以将]{{0,3}}[到前内发送]|{_FILL}{{0,8}}?(?:{_CN_CUE}))"
_TODAY = rf"(?:{_BEGIN}(?:today|tonight){_END}|今[天日晚])"
_CUED = rf"(?<=(?:{_EN_CUE}|{_CN_CUE}){_FILL}{{0,{TODAY_CUE_CHARS}}})"
_ON = rf"(?<={_BEGIN}(?:on|by|next|last|this|until|till|before|since|from)\s)"
_SPAN = r"(?:(?:more|business|working|full|whole)\s+)?(?:day|week|month|year|hour|minute)s?"

RELATIVE_PARTS = {
    "relative": rf"{_BEGIN}(?:tomorrow|yesterday|day\s+(?:after\s+tomorrow|before\s+yesterday)){_END}"
    rf"|大?后[天日]|[明昨][天日早晚]|前天|{_CUED}{_TODAY}",
    "today": rf"{_TODAY}(?=(?:{_AFTER_EN}|{_AFTER_CN}))",
    "weekday": rf"{_BEGIN}(?:(?:next|last|this)\s+)?(?:{'|'.join(_EN_WEEKDAYS)})(?:s|'s)?{_END}"
    rf"|{_ON}(?:mon|tues?|wed|thu(?:rs?)?|fri|sat|sun){_END}|(?:[上下本这]个?)?(?:周|星期|礼拜)[一二三四五六日天]",
    "period": rf"{_BEGIN}(?:(?:next|last|this|coming|following)\s+(?:week|month|year|weekend|fortnight|day)"
    rf"|overnight|same[\s-]day"
    rf"|an?\s+(?:(?:business|working|full|whole)\s+)?(?:week|month|year|fortnight|quarter)"
    rf"|(?:(?:an?\s+)?(?:couple|few)|several)\s+(?:of\s+)?{_SPAN}|within\s+(?:the|an?)\s+(?:hour|day)"
    rf"|end\s+of\s+(?:the\s+)?(?:day|week|month|year)){_END}"
    r"|[上下本这]个?(?:周末?|星期|礼拜|月)|(?:周|星期)末|[次翌隔当][天日]|[明去后]年|[几数](?:个?(?:工作日|小时|星期|月)|[天日周年])",
}
# For finding the open tail, what only looks ahead is read as well. What looks behind is taken as given: a partial search would
# take the beginning of the text for a match that may yet come.
RELATIVE_OPEN = {name: part.replace(_CUED, "").replace(_ON, _BEGIN) for name, part in RELATIVE_PARTS.items()} | {
    "today": rf"{_TODAY}(?:{_AFTER_EN}|{_AFTER_CN})"
}
RELATIVE_FIRST = "今明后昨前大周星礼上下本这次翌隔当去几数"
# Before a month that stands alone.
BEFORE_MONTH = rf"(?<={_BEGIN}(?:in|by|until|till|before|since|during|from|next|last|this|early|late|mid|of)[\s-])"


def read_relative(said: str) -> Iterator[tuple[object, ...]]:
    if said[0].isascii():
        yield ("r", next(offset for word, offset in _EN_OFFSETS.items() if word in _key_word(said)))
    else:
        yield ("r", next(offset for word, offset in _CN_OFFSETS.items() if said.startswith(word)))


def _key_word(said: str) -> str:
    return "after" if "after" in said else "before" if "before" in said else said


def read_weekday(said: str) -> Iterator[tuple[object, ...]]:
    shift = next((shift for word, shift in _SHIFTS.items() if said.startswith(word)), None)
    if said[0].isascii():
        weekday = next(n for n, name in enumerate(_EN_WEEKDAYS) if re.search(rf"\b{name[:3]}", said))
    else:
        weekday = "一二三四五六日".index(said[-1].replace("天", "日"))
    yield ("w", shift, weekday)


def days_meant(reading: tuple[object, ...], today: date) -> Iterator[date]:
    """The days that a reading means on `today`. A weekday alone is the last one or the next one."""
    match reading:
        case ("r", int(offset)):
            yield today + timedelta(days=offset)
        case ("w", None, int(weekday)):
            ahead = (weekday - today.weekday()) % 7
            yield today + timedelta(days=ahead)
            if ahead:
                yield today + timedelta(days=ahead - 7)
        case ("w", int(shift), int(weekday)):
            yield today + timedelta(days=weekday - today.weekday() + 7 * shift)
        case _:
            return
