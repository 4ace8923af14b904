"""What a customer thought of an answer, or of the whole conversation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from serve_app.domain.errors import NotFound
from serve_app.domain.session import Session, Turn

About = Literal["answer", "conversation"]
Thumb = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """`rating` is up or down for an answer, 1 to 5 for a conversation. Only the session says whose it is, while it lives."""

    about: About
    session_id: str
    answer_id: str
    rating: str
    reason: str
    question: str
    source: str
    entry_ids: tuple[str, ...]
    given_at: datetime

    @property
    def subject(self) -> str:
        """What was rated; a later rating of it takes the place of the earlier one."""
        return self.answer_id if self.about == "answer" else self.session_id


def feedback_on(session: Session, answer_id: str, rating: Thumb | int, reason: str, now: datetime) -> Feedback:
    """Raises NotFound when the session has no such answer."""
    turn = _turn(session, answer_id)
    answer = turn.answer
    cited = () if answer is None else tuple(event["data"]["id"] for event in answer.events if event["event"] == "citation")
    return Feedback(
        about="answer" if isinstance(rating, str) else "conversation",
        session_id=session.id,
        answer_id=answer_id,
        rating=str(rating),
        reason=reason,
        question=turn.question.text,
        source="" if answer is None else answer.source,
        entry_ids=cited,
        given_at=now,
    )


def _turn(session: Session, answer_id: str) -> Turn:
    for turn in session.turns:
        if turn.answer is not None and turn.answer.answer_id == answer_id:
            return turn
    raise unknown_answer()


def unknown_answer() -> NotFound:
    """The same for an answer that never was, one that is forgotten, and another customer's."""
    return NotFound("There is no such answer in a conversation of yours.", param="answer_id")
