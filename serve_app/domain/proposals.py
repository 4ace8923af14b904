"""Proposed variants: what customers asked before they tapped a suggestion, kept for a person to accept or to reject."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from serve_app.domain.messages import Language
from serve_app.domain.normalise import canonical_form, clean
from serve_app.domain.session import Session

State = Literal["proposed", "accepted", "rejected"]

# Of a tenant, waiting for a person. Anybody may tap, and nobody reads more.
PROPOSED_MAX = 5000
# A longer text is a story, which nobody tells twice.
_LONGEST = 100
# Numbers of orders, phones and flats; addresses of houses, mail and web; how people name themselves. Nobody's own things become
# public, and nothing that a spreadsheet would take for a formula. A proposal too few costs nothing.
_OWN = re.compile(
    r"^[=+@-]|\d|[零〇一二三四五六七八九幺]{4,}|@|https?:|www\.|微信|(?<![a-z])(?:wechat|vx|qq)(?![a-z])"
    r"|我叫|我姓|我是(?!不是|否)|姓名|名字是|收[件货]人|住在|家住|门牌|身份证|生日是(?![哪什几多])"
    r"|地址(?:是|:)|[省市区县].{1,8}[区县镇乡村路街道]|[路街道弄巷].{0,4}号|小区.{0,6}[楼栋幢单室]|[一二三四五六七八九十]号楼"
    r"|\bmy (?:name|address|phone|number|email)\b|\b(?:i am|i'm|this is) (?-i:[A-Z])|\bi (?:am called|live)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One more way to ask for an entry."""

    entry_id: str
    language: Language
    text: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A variant as it is kept: how often it was asked, never by whom."""

    id: str
    variant: Variant
    count: int
    first_seen: datetime
    last_seen: datetime
    state: State = "proposed"
    decided_by: str = ""
    decided_at: datetime | None = None


def proposal_id(variant: Variant) -> str:
    """The same for all that mean the same, within a tenant."""
    told = "\0".join((variant.entry_id, variant.language, canonical_form(variant.text)))
    return f"var_{hashlib.blake2b(told.encode(), digest_size=8).hexdigest()}"


def may_be_kept(text: str) -> bool:
    """Whether a text is short, and holds nothing that could be somebody's own: no figure, no address, no name."""
    return 0 < len(text) <= _LONGEST and _OWN.search(text) is None


def variant_tapped(choice: str, session: Session) -> Variant | None:
    """What was asked before the suggestion `choice` of the last answer was tapped; None when it must not be kept."""
    if all(suggestion.id != choice for suggestion in session.focus.suggested):
        return None
    answered = [turn for turn in session.turns if turn.answer is not None]
    if not answered or answered[-1].answer is None:
        return None
    text = clean(answered[-1].question.text)
    return Variant(choice, answered[-1].answer.language, text) if may_be_kept(text) else None
