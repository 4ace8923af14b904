"""Answers that customers found wrong: set aside until a person of the shop has looked.

What a machine decided (a model's words, an entry found by its meaning or its intent) goes out of the shared tiers and of the
search by meaning. An exact published wording is the shop's own text, at which a person has looked already: it stays, and is
listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from serve_app.domain.errors import Conflict, NotFound
from serve_app.domain.session import Session

# "aside" and "dropped" are not said: one waits for a person, of the other a person has found that it is wrong. "restored": a
# person found it right. "listed": a published wording, said as before.
State = Literal["aside", "dropped", "restored", "listed"]
STATES: tuple[State, ...] = get_args(State)
NOT_SAID: tuple[State, ...] = ("aside", "dropped")
# Those that wait for a person.
WAITING: tuple[State, ...] = ("aside", "listed")
Decision = Literal["restored", "dropped"]

# Of a tenant, in all states. Anybody may complain, and nobody reads more.
SET_ASIDE_MAX = 1000
# Of the texts that are kept for a person to read.
CHARS_MAX = 4000
_PUBLISHED = "entry."


@dataclass(frozen=True, slots=True)
class Complaint:
    """A thumb down. `id`: the question's (`domain.sharing.question_id`), or for a published wording its entry's."""

    id: str
    question: str
    answer: str
    source: str
    entry_ids: tuple[str, ...]
    model: str | None
    by_machine: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class SetAside:
    """What is kept of the complaints about one question: the words that were first complained of, and how many did."""

    id: str
    question: str
    answer: str
    source: str
    entry_ids: tuple[str, ...]
    model: str | None
    state: State
    count: int
    first_at: datetime
    last_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None


def complaint_on(session: Session, answer_id: str, now: datetime) -> Complaint | None:
    """None where there is nothing to set aside: a template's words are facts, a personal answer is nobody else's."""
    turn = next((turn for turn in session.turns if turn.answer is not None and turn.answer.answer_id == answer_id), None)
    if turn is None or turn.answer is None:
        return None
    answer = turn.answer
    cited = tuple(event["data"]["id"] for event in answer.events if event["event"] == "citation")
    is_published = answer.question_id is None and answer.source == "faq" and bool(cited)
    if answer.question_id is None and not is_published:
        return None
    return Complaint(
        id=answer.question_id or f"{_PUBLISHED}{cited[0]}",
        question=turn.question.text[:CHARS_MAX],
        answer=answer.text[:CHARS_MAX],
        source=answer.source,
        entry_ids=cited,
        model=answer.model,
        by_machine=not is_published,
        at=now,
    )


def after(complaint: Complaint, known: SetAside | None) -> SetAside:
    """A person's decision holds for the words that the person saw: other words under the same question are set aside anew."""
    if known is not None and not (known.state == "restored" and known.answer != complaint.answer):
        return replace(known, count=known.count + 1, last_at=complaint.at)
    return SetAside(
        id=complaint.id,
        question=complaint.question,
        answer=complaint.answer,
        source=complaint.source,
        entry_ids=complaint.entry_ids,
        model=complaint.model,
        state="aside" if complaint.by_machine else "listed",
        count=1 if known is None else known.count + 1,
        first_at=complaint.at if known is None else known.first_at,
        last_at=complaint.at,
    )


def not_said(rows: Sequence[SetAside]) -> frozenset[str]:
    return frozenset(row.id for row in rows if row.state in NOT_SAID)


def decided(known: SetAside | None, aside_id: str, decision: Decision, by: str, now: datetime) -> SetAside:
    """Raises NotFound, and Conflict where a published wording is to be dropped."""
    if known is None:
        raise NotFound(f"Nothing is set aside as {aside_id}; `list` shows what is.")
    if known.id.startswith(_PUBLISHED) and decision == "dropped":
        raise Conflict(f"{aside_id} is a published wording: edit or withdraw its entry instead, then restore it here.")
    return replace(known, state=decision, decided_by=by, decided_at=now)
