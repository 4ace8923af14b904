"""What the bot itself says when no entry, template or model answers, and when a person takes over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from serve_app.domain.messages import Language
from serve_app.domain.opening_hours import OpeningHours


class Phrase(StrEnum):
    MISS = "miss"
    HANDOFF = "handoff"
    HANDOFF_ASKED = "handoff_asked"
    HANDOFF_CRISIS = "handoff_crisis"
    HANDOFF_MISSING = "handoff_missing"
    HANDOFF_FOREIGN = "handoff_foreign"
    HANDOFF_ACTION = "handoff_action"
    HANDOFF_GUARD = "handoff_guard"
    SIGN_IN = "sign_in"
    JOINED = "joined"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Queue:
    """Where a customer stands who waits for a person. `wait_s` None: nobody is on duty, or not for as long as that."""

    wait_s: int | None
    on_duty: bool = True


@dataclass(frozen=True, slots=True)
class Desk:
    """How a person is reached. `hours` as the shop writes them, in its own zone: 09:00-22:00."""

    hours: str
    contact: dict[Language, str]  # empty: only the hours are told
    time_zone: str = "Asia/Shanghai"
    expected_wait_s: int = 120  # for each conversation that waits before

    def on_duty(self, now: datetime) -> bool:
        return OpeningHours.parse(self.hours).is_open(now, self.time_zone)

    def queue(self, now: datetime, before: int) -> Queue:
        """The place of one in front of whom `before` others wait. No wait is told that ends when nobody is there any more."""
        wait_s, on_duty = self.expected_wait_s * before, self.on_duty(now)
        return Queue(wait_s if on_duty and self.on_duty(now + timedelta(seconds=wait_s)) else None, on_duty)

    def hours_said(self, language: Language) -> str:
        return OpeningHours.parse(self.hours).said(language)


# A hand-over begins with why, and ends with how it goes on.
_PHRASES: dict[Phrase, dict[Language, str]] = {
    Phrase.MISS: {
        "zh": "这个问题我还没有确切的答案。您是不是想问：",
        "en": "I do not have a sure answer to that. Did you mean:",
    },
    Phrase.HANDOFF: {
        "zh": "这个问题需要人工客服为您处理。",
        "en": "A person needs to look at this. ",
    },
    Phrase.HANDOFF_ASKED: {"zh": "好的。", "en": "Of course. "},
    Phrase.HANDOFF_CRISIS: {
        "zh": "听到您这样说，我很担心您。如果您现在有危险，请马上拨打 120 或 110；全国统一心理援助热线 12356 也随时有人倾听。",
        "en": (
            "I am worried to hear that. If you are in danger now, please call your local emergency number (120 or 110 in "
            "mainland China); 12356 is China's psychological support line. "
        ),
    },
    Phrase.HANDOFF_MISSING: {
        "zh": "暂时查不到您的相关信息，我先不作猜测。",
        "en": "I cannot reach that part of your data right now, and I would rather not guess. ",
    },
    Phrase.HANDOFF_FOREIGN: {
        "zh": "我只能用中文和英文回答。",
        "en": "I can answer in Chinese and in English only. ",
    },
    Phrase.HANDOFF_ACTION: {
        "zh": "这一步我不能替您操作，需要人工客服确认后办理。",
        "en": "I cannot do that for you myself; a person has to confirm it. ",
    },
    Phrase.HANDOFF_GUARD: {
        "zh": "……抱歉，后面的内容我无法核实，不再继续。",
        "en": "… I am sorry, I cannot verify what comes next, so I stop here. ",
    },
    Phrase.SIGN_IN: {
        "zh": "这需要查看您的账户信息，请先登录后再问我。",
        "en": "That needs your account. Please sign in and ask me again.",
    },
    Phrase.JOINED: {"zh": "人工客服已接入。", "en": "A person has joined."},
    Phrase.ENDED: {
        "zh": "人工服务已结束，有问题可以继续问我。",
        "en": "Our team has ended the conversation. You can go on asking me.",
    },
}
_NO_TICKET: dict[Language, str] = {
    "zh": "请联系人工客服：客服时间 {hours}{contact}。",
    "en": "Our team answers {hours} (shop time){contact}.",
}
_NEXT: dict[Language, str] = {
    "zh": "已为您转接人工客服，很快会有人在这里回复您{contact}。",
    "en": "I have told our team; somebody will reply here shortly{contact}.",
}
_WAITING: dict[Language, str] = {
    "zh": "已为您转接人工客服，会有人在这里回复您，预计等待约 {minutes} 分钟{contact}。",
    "en": "I have told our team; somebody will reply here in about {minutes}{contact}.",
}
_LONG: dict[Language, str] = {
    "zh": "已为您转接人工客服。前面等待的人较多，可能要到下一个服务时段（{hours}）才有人在这里回复您{contact}。",
    "en": "I have told our team. Many are waiting; a reply may come only in the next hours, {hours} (shop time){contact}.",
}
_OFF_DUTY: dict[Language, str] = {
    "zh": "现在不是人工服务时间（{hours}）。您可以把问题留在这里，上班后会有人回复您{contact}。",
    "en": "Our team is away now. Leave your question here, and it will reply when it is back, {hours} (shop time){contact}.",
}


def say(phrase: Phrase, language: Language) -> str:
    return _PHRASES[phrase][language]


def say_handoff(phrase: Phrase, language: Language, desk: Desk, queue: Queue | None = None) -> str:
    """Why a person is needed, and how it goes on: with the place in the `queue`, or, without one (no ticket was opened), how
    a person is reached."""
    return _PHRASES[phrase][language] + _way_on(language, desk, queue)


def _way_on(language: Language, desk: Desk, queue: Queue | None) -> str:
    words = _NO_TICKET
    minutes = 0
    if queue is not None:
        minutes = -(-(queue.wait_s or 0) // 60)
        untold = _LONG if queue.on_duty else _OFF_DUTY
        words = untold if queue.wait_s is None else _WAITING if minutes else _NEXT
    return words[language].format(
        hours=desk.hours_said(language),
        contact=_contact(desk.contact[language], language, asks=queue is None),
        minutes=minutes if language == "zh" else f"{minutes} minute{'s' if minutes > 1 else ''}",
    )


def _contact(contact: str, language: Language, *, asks: bool) -> str:
    if not contact:
        return ""
    if language == "zh":
        return f"，您{'' if asks else '也'}可以{contact}"
    return f": {contact}" if asks else f". You can also: {contact}"
