"""A conversation as it is recorded: append-only, one turn a question."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from serve_app.domain.messages import AnswerSource, Kind, Language, Tier
from serve_app.domain.question import Focus


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """Written before generation starts."""

    tenant: str
    session_id: str
    message_id: str
    answer_id: str
    customer_id: str | None
    text: str
    asked_at: datetime
    new_session: bool  # the server makes this session now
    merged: tuple[str, ...] = ()  # further messages that this question was put together from


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """Written before `done` is sent.

    `events` are the answer's events between meta and done, as sent, with the deltas joined into `text`. `rendered` holds, per
    model, the token ids that this turn appended to the session's prompt (facts, question and answer).
    """

    answer_id: str
    text: str
    language: Language
    kind: Kind
    source: AnswerSource
    finish_reason: str
    finished_at: datetime
    model: str | None = None
    events: tuple[dict[str, Any], ...] = ()  # {"event": name, "data": {...}}
    rendered: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    facts_digest: str | None = None  # of the facts that the prompt now holds
    degraded: tuple[str, ...] = ()
    tier: Tier = "none"
    question_id: str | None = None  # where a machine decided it: under which a thumb down sets it aside

    @property
    def broke_off(self) -> bool:
        """It ended before it was whole: the same message, sent again, is answered anew."""
        return self.finish_reason in ("error", "cancelled")


@dataclass(frozen=True, slots=True)
class Turn:
    number: int  # from 1
    question: QuestionRecord
    answer: AnswerRecord | None = None  # None: still being answered, or cut off


@dataclass(frozen=True, slots=True)
class Session:
    tenant: str
    id: str
    customer_id: str | None
    turns: tuple[Turn, ...] = ()
    focus: Focus = field(default_factory=Focus)
    from_client: bool = False  # told by a client: nothing proves that it was said like that
    apart: bool = False  # the store is away: whose conversation it is, and what was said before, is not known


def first_shown(number: int, turns_max: int) -> int:
    """The first turn that turn `number` sees of those before it: at most `turns_max` (2 or more), at least half of them.

    It moves by half of them at a time, so that in between each turn sees what the one before saw, and more.
    """
    step = turns_max // 2
    return max(0, (number - 2) // step - 1) * step + 1


@dataclass(frozen=True, slots=True)
class Begun:
    """A question's turn has come. `repeated` is set when the same message was answered before: nothing was added."""

    session: Session  # the last turns before this one
    number: int
    repeated: AnswerRecord | None = None
    shared: bytes | None = None  # what stands under the answer key that was asked for in the same round trip
    text: str | None = None  # the question as recorded, where that matters: a message may be one of several that are one
    answered: bool = False  # its answer is recorded too; `session` has no turns then
    degraded: tuple[str, ...] = ()  # ("sessions",): it is kept in this process only, until the store is back
