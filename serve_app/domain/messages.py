"""What is asked and what is answered: the values that cross the edge of the system.

Events are the contract's: a streamed answer is `Meta`, then any of the middle ones, then `Done` or `Failed`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import TypeAdapter

from serve_app.domain.generation import Sampling

Language = Literal["zh", "en"]
AnswerSource = Literal["cache", "template", "faq", "model", "agent"]
# What answered, the cheapest first: this process's memory, Redis (both exact), a template, a curated entry by its meaning, the
# model. "none": nothing did, and something is offered or a person is asked.
Tier = Literal["memory", "redis", "template", "faq", "model", "none"]


class Kind(StrEnum):
    """The four kinds of answer; each says what of it may be cached."""

    PUBLIC = "public"  # the same for everyone in the tenant: shared as text
    TEMPLATED = "templated"  # shared words, live facts
    PERSONAL = "personal"  # never shared across customers
    ACTION = "action"  # changes something: never cached


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a tenant's key, and the customer whose token came along (`None`: anonymous)."""

    tenant: str
    customer_id: str | None = None
    key_id: str = field(default="", compare=False)  # which of the tenant's keys; empty for a visitor's token


@dataclass(frozen=True, slots=True)
class Asides:
    """What a program asks of the model beyond the question. With any of it an answer is nobody else's: the shared tiers are
    passed by."""

    instructions: str = ""  # the client's own system text
    tools: bool = False  # the client offers tools; none is called
    sampling: Sampling | None = None  # None: ours


NO_ASIDES = Asides()


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. Exactly one of `question` and `choice` is set."""

    caller: Caller
    session_id: str
    message_id: str
    question: str | None = None
    choice: str | None = None
    order_id: str | None = None
    sku_id: str | None = None
    locale: str | None = None
    # "completions": the client holds the transcript, and no person can speak in it, so no ticket is opened.
    channel: Literal["chat", "completions"] = "chat"
    asides: Asides = NO_ASIDES
    # Further messages that are one question with the first: its text is all of theirs.
    merged: tuple[str, ...] = ()

    @property
    def message_ids(self) -> tuple[str, ...]:
        return (self.message_id, *self.merged)


@dataclass(frozen=True, slots=True)
class Meta:
    answer_id: str
    session_id: str
    kind: Kind
    source: AnswerSource
    language: Language
    model: str | None = None
    variant: str = "default"
    demo: bool = False  # the packaged model speaks: shown as "may be wrong"
    tier: Tier = "none"


@dataclass(frozen=True, slots=True)
class Delta:
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """A fact to show: `type` is "order" or "parcel", `data` what the fact holds."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Citation:
    id: str
    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Choices:
    prompt: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    id: str
    question: str


@dataclass(frozen=True, slots=True)
class Suggestions:
    items: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0  # of the prompt's


@dataclass(frozen=True, slots=True)
class Agent:
    """What a person said. It comes by itself, not as part of an answer; `id` is the message's own."""

    id: str
    text: str
    name: str
    at: datetime


class Conversation(StrEnum):
    """Who has a conversation."""

    BOT = "bot"
    QUEUED = "queued"  # waits for a person; the bot still answers what it can
    HUMAN = "human"  # a person has it; the bot is silent
    CLOSED = "closed"  # the person has ended it; the next question is the bot's again


@dataclass(frozen=True, slots=True)
class Handoff:
    """The state of a conversation changed. `hours` are told always, `wait_s` while somebody is on duty, for as long."""

    state: Conversation
    ticket_id: str
    hours: str
    on_duty: bool
    wait_s: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """`finish_reason`: stop, length, guard (a figure without a source), handoff, cancelled."""

    finish_reason: str
    usage: Usage = field(default_factory=Usage)
    timings_ms: dict[str, float] = field(default_factory=dict[str, float])
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """`error` is what clients receive; `status` and `retry_after_s` are for an answer that is not streamed."""

    error: dict[str, Any]
    status: int = 500
    retry_after_s: int | None = None


# What may stand between the first event and the last.
Middle = Delta | Card | Citation | Choices | Suggestions | Handoff
Event = Meta | Middle | Done | Failed
# What comes into a conversation by itself, from the desk.
DeskEvent = Agent | Handoff

EVENT_NAMES: dict[type, str] = {
    Meta: "meta",
    Delta: "delta",
    Card: "card",
    Citation: "citation",
    Choices: "choices",
    Suggestions: "suggestions",
    Agent: "agent",
    Handoff: "handoff",
    Done: "done",
    Failed: "error",
}


_MIDDLES: dict[str, type[Middle]] = {
    "delta": Delta,
    "card": Card,
    "citation": Citation,
    "choices": Choices,
    "suggestions": Suggestions,
    "handoff": Handoff,
}


def middle_of(name: str, data: dict[str, Any]) -> Middle:
    """An event as it was recorded: `{"event": name, "data": data}`. Raises KeyError or ValidationError for what is none."""
    return TypeAdapter[Middle](_MIDDLES[name]).validate_python(data)
