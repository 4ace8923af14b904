"""Which answers a thumb down sets aside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from serve_app.domain.aside import Complaint, complaint_on
from serve_app.domain.messages import Kind
from serve_app.domain.session import AnswerRecord, QuestionRecord, Session, Turn

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
ANSWER = AnswerRecord(
    "a1", "可以。", "zh", Kind.PUBLIC, "model", "stop", NOW, "capable",
    events=({"event": "citation", "data": {"id": "delivery-area", "title": "配送范围"}},),
    question_id="0123456789abcdef",
)  # fmt: skip


def complaint(answer: AnswerRecord | None) -> Complaint | None:
    question = QuestionRecord("demo", "s", "m", "a1", "C1", "能寄到南极吗", NOW, new_session=False)
    return complaint_on(Session("demo", "s", "C1", (Turn(1, question, answer),)), "a1", NOW)


def test_what_a_machine_decided_is_set_aside_by_its_question():
    told = complaint(ANSWER)
    assert told is not None
    assert (told.id, told.question, told.answer) == ("0123456789abcdef", "能寄到南极吗", "可以。")
    assert (told.entry_ids, told.model, told.by_machine) == (("delivery-area",), "capable", True)
    by_meaning = complaint(replace(ANSWER, source="faq", model=None))
    assert by_meaning is not None
    assert by_meaning.by_machine
    again = complaint(replace(ANSWER, source="cache"))
    assert again is not None
    assert again.by_machine


def test_a_published_wording_is_only_listed():
    told = complaint(replace(ANSWER, source="faq", question_id=None, model=None))
    assert told is not None
    assert (told.id, told.by_machine) == ("entry.delivery-area", False)


def test_nothing_is_set_aside_of_what_only_one_customer_got():
    assert complaint(replace(ANSWER, question_id=None)) is None
    assert complaint(replace(ANSWER, source="template", question_id=None, events=())) is None
    assert complaint(replace(ANSWER, source="faq", question_id=None, events=())) is None, "suggestions"
    assert complaint(None) is None


def test_texts_are_bounded():
    told = complaint(replace(ANSWER, text="长" * 10_000))
    assert told is not None
    assert len(told.answer) == 4000
