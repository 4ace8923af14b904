"""What the bot itself says when no entry, template or model answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from serve_app.domain.messages import Language


class Phrase(StrEnum):
    MISS = "miss"
    HANDOFF = "handoff"
    HANDOFF_MISSING = "handoff_missing"
    HANDOFF_FOREIGN = "handoff_foreign"
    HANDOFF_ACTION = "handoff_action"
    HANDOFF_GUARD = "handoff_guard"
    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class Desk:
    """How a person is reached. `hours` as the shop writes them: "09:00-22:00", in its own zone."""

    hours: str
    contact: dict[Language, str]  # empty: only the hours are told


_PHRASES: dict[Phrase, dict[Language, str]] = {
    Phrase.MISS: {
        "zh": "这个问题我还没有确切的答案。您是不是想问：",
        "en": "I do not have a sure answer to that. Did you mean:",
    },
    Phrase.HANDOFF: {
        "zh": "这个问题需要人工客服为您处理。客服时间 {hours}{contact}。",
        "en": "A person needs to look at this. Our team answers {hours} (shop time){contact}.",
    },
    Phrase.HANDOFF_MISSING: {
        "zh": "暂时查不到您的相关信息，我先不作猜测。请稍后再试，或联系人工客服：客服时间 {hours}{contact}。",
        "en": (
            "I cannot reach that part of your data right now, and I would rather not guess. Please try again shortly, "
            "or ask our team, {hours} (shop time){contact}."
        ),
    },
    Phrase.HANDOFF_FOREIGN: {
        "zh": "",
        "en": "I can answer in Chinese and in English only. Our team can help you further, {hours} (shop time){contact}.",
    },
    Phrase.HANDOFF_ACTION: {
        "zh": "这一步我不能替您操作，需要人工客服确认后办理。客服时间 {hours}{contact}。",
        "en": "I cannot do that for you myself; a person has to confirm it. Our team answers {hours} (shop time){contact}.",
    },
    Phrase.HANDOFF_GUARD: {
        "zh": "……抱歉，后面的内容我无法核实，不再继续。请联系人工客服：客服时间 {hours}{contact}。",
        "en": "… I am sorry, I cannot verify what comes next, so I stop here. Our team answers {hours} (shop time){contact}.",
    },
    Phrase.SIGN_IN: {
        "zh": "这需要查看您的账户信息，请先登录后再问我。",
        "en": "That needs your account. Please sign in and ask me again.",
    },
}


def say(phrase: Phrase, language: Language, desk: Desk) -> str:
    """The phrase in `language`, with the desk's hours and contact where it names them."""
    contact = desk.contact[language]
    if contact:
        contact = f"，您可以{contact}" if language == "zh" else f": {contact}"
    return _PHRASES[phrase][language].format(hours=desk.hours, contact=contact)
