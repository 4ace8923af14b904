"""The fields of an entry as people write them in a table or in a text."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from serve_app.domain.drafting import Given
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Language

FIELDS = ("intent", "valid_from", "valid_to", "suggested")
_IN_CHINESE = {
    "编号": "id",
    "语言": "language",
    "问题": "questions",
    "问法": "questions",
    "答案": "answer",
    "意图": "intent",
    "生效时间": "valid_from",
    "失效时间": "valid_to",
    "推荐": "suggested",
}
_LANGUAGES: dict[str, Language] = {
    **dict.fromkeys(("zh", "zh-cn", "中文", "chinese"), "zh"),
    **dict.fromkeys(("en", "en-us", "en-gb", "英文", "english"), "en"),
}
_YES = frozenset({"", "yes", "true", "1", "是"})
_NO = frozenset({"no", "false", "0", "否"})
_INSTANT = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?(?: ?(Z|[+-]\d{2}:?\d{2}))?", re.ASCII
)


def name_of(text: str) -> str:
    """A field's or a column's name as it was meant: in any case or width, also in Chinese."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold().replace(" ", "_")
    return _IN_CHINESE.get(plain, plain)


def is_language(text: str) -> bool:
    return _plain_language(text) in _LANGUAGES


def language_of(text: str) -> Language:
    """Raises ValueError saying what to write."""
    language = _LANGUAGES.get(_plain_language(text))
    if language is None:
        raise ValueError(f"there is no language {text!r}: write zh or en")
    return language


def _plain_language(text: str) -> str:
    return name_of(text).replace("_", "-")


def given_field(name: str, text: str, time_zone: str) -> Given:
    """The field `name` of `FIELDS`; an empty text is its default. Raises ValueError saying what to write."""
    if name == "intent":
        return {"intent": _intent(text)}
    if name == "suggested":
        return {"suggested": _yes(text)}
    border = instant_of(name, text, time_zone) if text else None
    return {"valid_from": border} if name == "valid_from" else {"valid_to": border}


def _intent(text: str) -> Intent:
    try:
        return Intent(text.casefold()) if text else Intent.OTHER
    except ValueError:
        raise ValueError(f"there is no intent {text!r}: leave it empty, and the entry answers to its questions alone") from None


def _yes(text: str) -> bool:
    said = text.casefold()
    if said not in _YES | _NO:
        raise ValueError(f"suggested is {text!r}: write yes or no")
    return said in _YES


def instant_of(name: str, text: str, time_zone: str) -> datetime:
    """ISO 8601, also with slashes, as spreadsheets write it. Without an offset in the shop's zone; a day is its beginning.

    Raises ValueError saying what to write for the field `name`.
    """
    found = _INSTANT.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        local = datetime(year, month, day, hour, minute, second, tzinfo=ZoneInfo(time_zone))
    except ValueError:
        raise ValueError(
            f"{name} is {text!r}: write it as 2026-12-10 00:00 (the shop's time) or 2026-12-10T00:00+08:00"
        ) from None
    offset = found[7]
    if offset == "Z":
        return local.replace(tzinfo=UTC)
    return datetime.fromisoformat(f"{local.replace(tzinfo=None).isoformat()}{offset}") if offset else local
