"""A session's records as JSON, and back. Exact: tuples, enumerations and instants return as they were."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from serve_app.domain.errors import Conflict, Forbidden, MalformedRequest, NotFound, StoreFailed, TooLong
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, QuestionRecord, Turn

# A record longer than this is refused: one turn must not fill the store, nor slow every later read of its session.
RECORD_BYTES_MAX = 256 * 1024
# A session with so many turns takes no further one.
SESSION_TURNS_MAX = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Line:
    """One element of the transcript: turn `n`'s question or its answer."""

    n: int
    q: QuestionRecord | None = None
    a: AnswerRecord | None = None


_LINE = TypeAdapter(_Line)
_FOCUS = TypeAdapter(Focus)


def question_json(question: QuestionRecord) -> bytes:
    """Raises MalformedRequest (text that is not Unicode) or TooLong."""
    try:
        record = orjson.dumps(question)
    except TypeError as error:
        raise MalformedRequest("the question is not valid Unicode text") from error
    if len(record) > RECORD_BYTES_MAX:
        raise TooLong(f"the question takes {len(record)} bytes, more than {RECORD_BYTES_MAX}: ask a shorter one")
    return record


def answer_line(number: int, answer: AnswerRecord) -> bytes:
    """Raises StoreFailed for an answer that cannot be kept."""
    return b'{"n":%d,"a":%s}' % (number, answer_json(answer))


def answer_json(answer: AnswerRecord) -> bytes:
    """Raises StoreFailed for an answer that cannot be kept."""
    record = _dumps(answer)
    if len(record) > RECORD_BYTES_MAX:
        raise StoreFailed(f"the answer's record takes {len(record)} bytes, more than {RECORD_BYTES_MAX}")
    return record


def focus_json(focus: Focus) -> bytes:
    return _dumps(focus)


def focus_of(data: bytes | None) -> Focus:
    return Focus() if data is None else _read(_FOCUS, data)


def turns_of(lines: Iterable[bytes]) -> tuple[Turn, ...]:
    """The turns, in order, of a transcript. Raises StoreFailed when it cannot be read."""
    questions: dict[int, QuestionRecord] = {}
    answers: dict[int, AnswerRecord] = {}
    for data in lines:
        line = _read(_LINE, data)
        if line.q is not None:
            questions[line.n] = line.q  # the later one has more messages
        if line.a is not None and (line.n not in answers or answers[line.n].broke_off):
            answers[line.n] = line.a
    return tuple(Turn(number, questions[number], answers.get(number)) for number in sorted(questions))


def unknown_session() -> NotFound:
    return NotFound("there is no such session: leave `session_id` out to start one", param="session_id")


def foreign_session(customer_id: str | None) -> Forbidden:
    """For `customer_id` (None: anonymous), who asked for a session that is another's."""
    if customer_id is None:
        return Forbidden("this session belongs to a customer: send the customer's token", param="session_id")
    return Forbidden("this session belongs to another customer", param="session_id")


def asked_apart() -> Conflict:
    return Conflict("some of these messages were asked before, without the others", param="message_id")


def full_session(turns: int) -> TooLong:
    return TooLong(
        f"this conversation has {turns} turns, as many as one may have: begin a new conversation", param="session_id"
    )


def _dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise StoreFailed(f"a record cannot be written: {error}") from error


def _read(adapter: TypeAdapter[T], data: bytes) -> T:
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        raise StoreFailed(f"a record cannot be read: {error.error_count()} fields are not as expected") from error
