"""Which of the offered orders or suggested questions a customer picks: by id, by ordinal, by an order's last digits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from serve_app.domain.mentions import named_among
from serve_app.domain.messages import Option
from serve_app.domain.question import Entities
from serve_app.domain.understanding.numerals import DIGIT_CLASS, NUMERAL_CLASS

_T = TypeVar("_T")

_NAMES = re.compile(
    r"zw(?:[ -]?\d){12}|\d{10,20}"
    rf"|(?:尾号|尾数|(?:后|末|最后|尾)[四4]位(?:数|数字)?)(?:是|为)?[ :]*[\d{DIGIT_CLASS}]{{4}}|\d{{4}}(?:结尾)?"
    r"|(?:ending|ends|end)(?: in| with)?|last (?:four|4)(?: digits?)?(?: are| is)?"
    rf"|(?:倒数)?第 ?[\d{NUMERAL_CLASS}]{{1,3}}|最后|最上面|上面|最下面|最前面|头一?|首"
    r"|\b(?:first|1st|second|2nd|third|3rd|fourth|4th|fifth|5th|last|one|two|three|four|five)\b|#?(?<!\d)\d{1,2}(?!\d)"
    rf"|^[{NUMERAL_CLASS}]$"
)
_AROUND = re.compile(
    r"订单号?|单号|包裹|快递|选择?|就是|就|我?要|我想?问的?是|我说的是|我的|我|是|那|这|的|吧|哦|啊|呢|了|号"
    r"|查一?下|查询?|看看?|一?[个件单笔条项款张包]|[ ,.。，!?？#、)）(]"
    r"|\b(?:the|one|order|parcel|package|option|number|no|choice|item|its|it is|i mean|i want|i choose|ill take"
    r"|please|pls|check|my|id|is|for|about|that|this)\b"
)


def option_named(entities: Entities, offered: Sequence[Option]) -> Option | None:
    """The one offered order that the entities name, or whose items the words name; None when none or several fit."""
    named = [option for option in offered if option.id in entities.order_ids]
    tailed = [option for option in offered if option.id.endswith(entities.order_tails)] if entities.order_tails else []
    fitting = named or tailed or named_among(entities.said, offered, lambda option: [option.label])
    if len(fitting) == 1:
        return fitting[0]
    return None if named or tailed else at_ordinal(offered, entities.ordinal)


def at_ordinal(items: Sequence[_T], ordinal: int | None) -> _T | None:
    """The item at 1, 2, … from the start or -1, -2, … from the end; None when there is none."""
    if not ordinal or abs(ordinal) > len(items):
        return None
    return items[ordinal - 1 if ordinal > 0 else ordinal]


def is_bare_pick(text: str) -> bool:
    """It says which one and nothing else: 第二个, "the last one", 尾号1234, an order number."""
    lower = text.casefold().strip()
    rest, names = _NAMES.subn("", lower)
    return names > 0 and not _AROUND.sub("", rest).strip()
