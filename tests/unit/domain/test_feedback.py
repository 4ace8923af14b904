"""What is kept of a rating."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from serve_app.domain.errors import NotFound
from serve_app.domain.feedback import feedback_on
from serve_app.domain.messages import Kind
from serve_app.domain.session import AnswerRecord, QuestionRecord, Session, Turn

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
CITED = ({"event": "citation", "data": {"id": "freight", "title": "运费"}}, {"event": "suggestions", "data": {"items": []}})
SESSION = Session(
    "demo",
    "s",
    "C1001",
    (
        Turn(
            1,
            QuestionRecord("demo", "s", "m", "a1", "C1001", "运费?", NOW, new_session=True),
            AnswerRecord("a1", "8元", "zh", Kind.PUBLIC, "faq", "stop", NOW, events=CITED),
        ),
        Turn(2, QuestionRecord("demo", "s", "n", "a2", "C1001", "还在吗", NOW, new_session=False)),
    ),
)


def test_a_thumb_is_for_the_answer() -> None:
    given = feedback_on(SESSION, "a1", "down", "不对", NOW)
    assert (given.about, given.subject, given.rating, given.reason) == ("answer", "a1", "down", "不对")
    assert (given.question, given.source, given.entry_ids) == ("运费?", "faq", ("freight",))


def test_stars_are_for_the_conversation() -> None:
    given = feedback_on(SESSION, "a1", 4, "", NOW)
    assert (given.about, given.subject, given.rating) == ("conversation", "s", "4")


@pytest.mark.parametrize("answer_id", ["a2", "other"])
def test_what_was_not_answered_cannot_be_rated(answer_id: str) -> None:
    with pytest.raises(NotFound):
        feedback_on(SESSION, answer_id, "up", "", NOW)
