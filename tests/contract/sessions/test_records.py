"""What is recorded of a turn is read back as it was, with every keeper of sessions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind, Option, Suggestion
from serve_app.domain.question import Entities, Focus
from serve_app.domain.session import AnswerRecord
from tests.contract.sessions.keeping import FOCUS, Kept, answer, start


async def test_records_return_exactly_as_they_were(kept: Kept):
    question = start(text='"}\n{运费\u2028"\\', customer_id="C\n1001 {x}")
    given_answer = replace(
        answer(),
        model="m",
        events=({"event": "card", "data": {"type": "order", "lines": [1, 2.5, None, {"a": "b"}]}},),
        rendered={"model": tuple(range(4096))},
        facts_digest="d",
        degraded=("parcels",),
    )
    await kept.begin(question)
    await kept.finish(question, 1, given_answer)
    session = await kept.read(question, question.customer_id)
    assert session.focus == FOCUS
    assert (session.turns[0].question, session.turns[0].answer) == (question, given_answer)
    again = session.turns[0].answer
    assert again is not None
    assert isinstance(again.kind, Kind)
    assert isinstance(again.rendered["model"], tuple)
    assert again.finished_at.tzinfo is not None


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
instants = st.datetimes(timezones=st.just(UTC))
answers = st.builds(
    AnswerRecord,
    answer_id=texts,
    text=texts,
    language=st.sampled_from(["zh", "en"]),
    kind=st.sampled_from(Kind),
    source=st.sampled_from(["cache", "template", "faq", "model", "agent"]),
    finish_reason=texts,
    finished_at=instants,
    model=st.none() | texts,
    events=st.lists(st.dictionaries(texts, values, max_size=3), max_size=2).map(tuple),
    rendered=st.dictionaries(texts, st.lists(st.integers(0, 200_000)).map(tuple), max_size=2),
    facts_digest=st.none() | texts,
    degraded=st.lists(texts, max_size=2).map(tuple),
)
entities = st.builds(
    Entities,
    order_ids=st.lists(texts, max_size=2).map(tuple),
    dates=st.lists(st.dates(), max_size=2).map(tuple),
    ordinal=st.none() | st.integers(-1, 9),
)
focuses = st.builds(
    Focus,
    language=st.sampled_from([None, "zh", "en"]),
    intent=st.none() | st.sampled_from(Intent),
    entities=entities,
    order_id=st.none() | texts,
    offered=st.lists(st.builds(Option, texts, texts), max_size=2).map(tuple),
    suggested=st.lists(st.builds(Suggestion, texts, texts), max_size=2).map(tuple),
    misses=st.integers(0, 9),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts, message_id=texts, customer_id=texts.filter(bool), asked_at=instants, given_answer=answers, focus=focuses)
async def test_whatever_is_recorded_is_read_back(
    kept: Kept,
    text: str,
    message_id: str,
    customer_id: str,
    asked_at: datetime,
    given_answer: AnswerRecord,
    focus: Focus,
):
    question = start(text=text, message_id=message_id, customer_id=customer_id, asked_at=asked_at)
    await kept.begin(question)
    await kept.finish(question, 1, given_answer, focus)
    session = await kept.read(question, customer_id)
    assert (session.turns[0].question, session.turns[0].answer, session.focus) == (question, given_answer, focus)


async def test_an_answer_is_found_by_its_id_within_its_tenant(kept: Kept):
    question = start()
    given = replace(answer(), answer_id=uuid4().hex)
    begun = await kept.begin(question)
    assert await kept.sessions.session_of("demo", given.answer_id) is None
    await kept.finish(question, begun.number, given)
    assert await kept.sessions.session_of("demo", given.answer_id) == question.session_id
    assert await kept.sessions.session_of("other", given.answer_id) is None
