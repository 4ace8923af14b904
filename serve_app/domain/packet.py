"""What a person needs who takes a conversation over: made by rules from what was said, never by a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from serve_app.domain.id_formats import Formats
from serve_app.domain.intents import REPLIES, Intent
from serve_app.domain.messages import AnswerSource, Language
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, Turn
from serve_app.domain.tickets import Author, Message

Mood = Literal["calm", "annoyed", "angry"]

_TRIED_MAX = 5
_ORDERS_MAX = 20
# Order numbers are looked for in so many of the last messages.
_NAMED_IN = 20
_QUOTED_CHARS = 60
# The mood is that of the last few messages.
_MOOD_OF = 6
# Says nothing of what the conversation is about.
_NO_TOPIC = REPLIES | {
    Intent.GREETING,
    Intent.THANKS,
    Intent.GOODBYE,
    Intent.HUMAN,
    Intent.CRISIS,
    Intent.COMPLAINT,
    Intent.OTHER,
}

_ANGRY = re.compile(
    r"投诉|差评|骗子|骗人|骗钱|骗我|垃圾(?!袋|桶|短信)|什么态度|气死|坑人|坑爹|12315|举报|黑店|受够|恶心|滚(?![筒动轮珠刷边])|废物|再也不(?:买|来)|曝光|起诉"
    r"|\b(?:scam(?:mers?)?|thie(?:f|ves)|liars?|fraud|worst|ridiculous|unacceptable|disgusting|pathetic|horrible|furious"
    r"|outrageous|lawyer|sue you|chargeback|fed up|sick of|wtf|bullshit"
    r"|never (?:buy|shop|order)(?:ing)? (?:here |from you )?again)\b",
    re.IGNORECASE,
)
_ANNOYED = re.compile(
    r"无语|太慢|太差|太(?:坑|烂|过分|离谱)|怎么(?:还|又|老是|总是)|还(?:没|不)(?:有)?(?:到|发|退|好|处理|解决)|到底|等了(?:好|这么|那么)?(?:久|多天|几天)|催"
    r"|没用|答非所问|听不懂|说了(?:几|好多|多少)遍|失望|不耐烦|急(?:死|用|!|！|$)"
    r"|\b(?:still (?:not|no|waiting|hasn'?t|haven'?t)|again and again|how many times|useless|terrible|awful|annoy(?:ed|ing)"
    r"|disappoint(?:ed|ing)|frustrat(?:ed|ing)|waste of time|not helpful|so slow|too long|asap|urgent)\b",
    re.IGNORECASE,
)
_LOUD = re.compile(r"[!！?？]{3,}")
_SHOUTED = re.compile(r"\b[A-Z]{3,}(?:[ ,]+[A-Z]{2,}){2,}\b")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said. `id` is the message's or the answer's own."""

    id: str
    author: Author
    text: str
    at: datetime
    name: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """An answer that was given: from where, which entries it cites, how it ended."""

    source: AnswerSource
    entries: tuple[str, ...]
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Packet:
    summary: str
    intent: Intent
    mood: Mood
    order_ids: tuple[str, ...]
    tried: tuple[Tried, ...]  # the last answers, oldest first
    transcript: tuple[Line, ...]


def packet_of(
    turns: Sequence[Turn],
    focus: Focus,
    messages: Iterable[Message],
    formats: Formats,
    language: Language,
    intent: Intent | None = None,
) -> Packet:
    """`turns` are the conversation's own, `messages` what the ticket holds; what stands in both is taken once. `intent` is the
    last question's, if it is known."""
    lines = transcript(turns, messages)
    said = [line.text for line in lines if line.author is Author.CUSTOMER]
    tried = tuple(_tried(turn.answer) for turn in turns if turn.answer is not None and turn.answer.source != "agent")
    unanswered = sum(one.finish_reason in ("handoff", "guard") for one in tried[-_TRIED_MAX:]) + focus.misses
    topic = intent if intent is not None and intent not in _NO_TOPIC else focus.intent or intent or Intent.OTHER
    return Packet(
        summary=_summary(said, tried, language),
        intent=topic,
        mood=mood_of(said, unanswered),
        order_ids=_orders(said, turns, focus, formats),
        tried=tried[-_TRIED_MAX:],
        transcript=lines,
    )


def transcript(turns: Iterable[Turn], messages: Iterable[Message]) -> tuple[Line, ...]:
    """Everything that was said, by time, each once: a message that stands in a turn is told as the turn tells it."""
    lines: list[Line] = []
    for turn in turns:
        lines.append(Line(turn.question.message_id, Author.CUSTOMER, turn.question.text, turn.question.asked_at))
        if turn.answer is not None and turn.answer.text:
            lines.append(Line(turn.answer.answer_id, Author.BOT, turn.answer.text, turn.answer.finished_at))
    told = {line.id for line in lines}
    lines += [
        Line(message.known_as, message.author, message.text, message.at, message.name)
        for message in messages
        if message.known_as not in told
    ]
    return tuple(sorted(lines, key=lambda line: line.at))


def with_messages(packet: Packet, messages: Iterable[Message], newer: Sequence[Line] = ()) -> Packet:
    """The packet with everything else that was said: the ticket's messages, and `newer` lines. A message that was sent again
    with more added is told as it was last."""
    heard = [Line(one.known_as, one.author, one.text, one.at, one.name) for one in messages]
    lines = {line.id: line for line in (*packet.transcript, *heard, *newer)}
    return replace(packet, transcript=tuple(sorted(lines.values(), key=lambda line: line.at)))


def mood_of(said: Sequence[str], unanswered: int = 0) -> Mood:
    """How a customer who wrote these messages, oldest first, is likely to feel. `unanswered`: how many questions nothing could
    answer of late."""
    recent = said[-_MOOD_OF:]
    angry = sum(bool(_ANGRY.search(text)) for text in recent)
    annoyed = sum(bool(_ANNOYED.search(text)) for text in recent)
    loud = sum(bool(_LOUD.search(text) or _SHOUTED.search(text)) for text in recent)
    asked = [_plain(text) for text in recent]
    repeated = len(asked) - len(set(asked))
    if angry or (annoyed and loud) or loud > 1:
        return "angry"
    return "annoyed" if annoyed or loud or repeated or unanswered > 2 else "calm"


def _tried(answer: AnswerRecord) -> Tried:
    entries = [event["data"]["id"] for event in answer.events if event["event"] == "citation"]
    return Tried(answer.source, tuple(entries), answer.finish_reason)


def _orders(said: Sequence[str], turns: Iterable[Turn], focus: Focus, formats: Formats) -> tuple[str, ...]:
    """Those in focus first, then those named or shown, the last first."""
    found: list[str] = [] if focus.order_id is None else [focus.order_id]
    found += focus.entities.order_ids
    for turn in reversed(list(turns)):
        found += [shown for event in (turn.answer.events if turn.answer else ()) if (shown := _order_of(event))]
    for text in reversed(said[-_NAMED_IN:]):
        found += [one.id for one in formats.order_id.found_in(text)]
    return tuple(dict.fromkeys(found))[:_ORDERS_MAX]


def _order_of(event: dict[str, Any]) -> str | None:
    """The order that a card shows, or belongs to."""
    if event["event"] != "card":
        return None
    card: dict[str, Any] = event["data"]["data"]
    return card.get("id") if event["data"]["type"] == "order" else card.get("order_id")


def _summary(said: Sequence[str], tried: Sequence[Tried], language: Language) -> str:
    asked = [text for text in said if len(_plain(text)) > 1]
    if not asked:
        return (
            "客户请求人工客服，还没有提问。"
            if language == "zh"
            else "The customer asks for a person and has asked nothing yet."
        )
    answered = sum(one.finish_reason == "stop" for one in tried)
    if language == "zh":
        first = f"客户问了 {len(asked)} 次，最先问「{_quoted(asked[0])}」"
        last = f"，最后说「{_quoted(asked[-1])}」" if len(asked) > 1 else ""
        return f"{first}{last}。机器人答复了 {answered} 次，转交 {len(tried) - answered} 次。"
    first = f"The customer wrote {_times(len(asked))}, first “{_quoted(asked[0])}”"
    last = f", last “{_quoted(asked[-1])}”" if len(asked) > 1 else ""
    return f"{first}{last}. The bot answered {_times(answered)} and handed over {_times(len(tried) - answered)}."


def _plain(text: str) -> str:
    """Two writings of one text are the same in it. It is built on a customer's path, so it is a cheap one."""
    return "".join(filter(str.isalnum, text.lower()))


def _quoted(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _QUOTED_CHARS else flat[: _QUOTED_CHARS - 1] + "…"


def _times(count: int) -> str:
    return {0: "0 times", 1: "once", 2: "twice"}.get(count, f"{count} times")
