"""What may be shared, under which key, and how long it is true."""

from __future__ import annotations

from dataclasses import astuple, fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.knowledge import SourceVersion
from serve_app.domain.messages import Citation, Kind
from serve_app.domain.sharing import (
    AnswerKeyParts,
    Candidate,
    Refusal,
    SharedAnswer,
    Stale,
    VersionView,
    answer_key,
    may_share,
    question_of,
    stale_because,
)

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)

PARTS = AnswerKeyParts(
    tenant="demo",
    shop="demo",
    kind=Kind.PUBLIC,
    language="zh",
    canonical="运费多少",
    prompt_version="1",
    system_digest="abc",
)

# Short texts over few characters, so that borders between fields are likely to be confused if they can be.
texts = st.text(alphabet=":s1n 运\ud800\udc00\U00010000", max_size=4)
maybe = st.none() | texts
parts = st.builds(AnswerKeyParts, **dict.fromkeys(("tenant", "shop", "prompt_version", "system_digest", "arm"), texts)).flatmap(
    lambda made: st.builds(
        replace,
        st.just(made),
        canonical=texts.filter(bool),
        model=maybe,
        adapter=maybe,
        order_id=maybe,
        sku_id=maybe,
    )
)


@given(parts, parts)
def test_two_different_questions_never_share_a_key(one: AnswerKeyParts, other: AnswerKeyParts):
    assert (answer_key(one) == answer_key(other)) == (astuple(one) == astuple(other))


@pytest.mark.parametrize("field", [field.name for field in fields(AnswerKeyParts)])
def test_every_part_changes_the_key(field: str):
    other = {"kind": Kind.TEMPLATED, "language": "en", "sampling": replace(PARTS.sampling, seed=7)}.get(field, "another")
    assert answer_key(replace(PARTS, **{field: other})) != answer_key(PARTS)


def test_a_value_does_not_pose_as_two():
    assert answer_key(replace(PARTS, tenant="a", shop="bc")) != answer_key(replace(PARTS, tenant="ab", shop="c"))
    assert answer_key(replace(PARTS, model=None)) != answer_key(replace(PARTS, model=""))
    assert answer_key(replace(PARTS, sampling=replace(PARTS.sampling, stop=("a", "b")))) != answer_key(
        replace(PARTS, sampling=replace(PARTS.sampling, stop=("ab",)))
    )


def test_equal_numbers_share_a_key():
    assert answer_key(replace(PARTS, sampling=replace(PARTS.sampling, temperature=0))) == answer_key(PARTS)


def test_a_question_that_is_not_self_contained_has_no_key():
    with pytest.raises(ValueError, match="self-contained"):
        answer_key(replace(PARTS, canonical=""))


SHAREABLE = Candidate(
    kind=Kind.PUBLIC, self_contained=True, finish_reason="stop", passed_guard=True, sources=(SourceVersion("shipping-fee", 1),)
)


def test_a_public_answer_with_all_its_sources_may_be_shared():
    assert may_share(SHAREABLE) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": Kind.PERSONAL}, Refusal.NOT_PUBLIC),
        ({"kind": Kind.TEMPLATED}, Refusal.NOT_PUBLIC),
        ({"kind": Kind.ACTION}, Refusal.NOT_PUBLIC),
        ({"self_contained": False}, Refusal.NOT_SELF_CONTAINED),
        ({"has_customer_facts": True}, Refusal.CUSTOMER_FACTS),
        ({"has_client_transcript": True}, Refusal.CLIENT_TRANSCRIPT),
        ({"missing": ("knowledge",)}, Refusal.SOURCE_MISSING),
        ({"degraded": ("shorter",)}, Refusal.DEGRADED),
        ({"sources": ()}, Refusal.NOTHING_CITED),
        ({"passed_guard": False}, Refusal.FILTERED),
        ({"finish_reason": "length"}, Refusal.CUT_OFF),
        ({"finish_reason": "cancelled"}, Refusal.CUT_OFF),
        ({"finish_reason": "guard"}, Refusal.CUT_OFF),
        ({"demo_model": True}, Refusal.DEMO_MODEL),
        ({"passing": True}, Refusal.PASSING),
        ({"set_aside": True}, Refusal.SET_ASIDE),
    ],
)
def test_each_reason_alone_keeps_an_answer_out(change: dict[str, object], reason: Refusal):
    assert may_share(replace(SHAREABLE, **change)) is reason


candidates = st.builds(
    Candidate,
    kind=st.sampled_from(Kind),
    self_contained=st.booleans(),
    finish_reason=st.sampled_from(["stop", "length", "guard", "handoff", "cancelled"]),
    passed_guard=st.booleans(),
    sources=st.lists(st.builds(SourceVersion, st.text(max_size=3), st.integers(1, 3)), max_size=2).map(tuple),
    missing=st.lists(st.text(max_size=3), max_size=1).map(tuple),
    degraded=st.lists(st.text(max_size=3), max_size=1).map(tuple),
    has_customer_facts=st.booleans(),
    has_client_transcript=st.booleans(),
    demo_model=st.booleans(),
    passing=st.booleans(),
    set_aside=st.booleans(),
)


@given(candidates)
def test_no_customers_facts_can_enter(candidate: Candidate):
    if may_share(candidate) is None:
        assert candidate.kind is Kind.PUBLIC
        assert candidate.self_contained
        assert not candidate.has_customer_facts
        assert not candidate.has_client_transcript


ANSWER = SharedAnswer(
    text="满99元包邮。",
    language="zh",
    source="faq",
    created_at=NOW,
    citations=(Citation("shipping-fee", "运费"),),
    sources=(SourceVersion("shipping-fee", 3),),
)

answers = st.builds(
    SharedAnswer,
    text=st.text(st.characters(exclude_categories=["Cs"])),
    language=st.sampled_from(["zh", "en"]),
    source=st.sampled_from(["faq", "model"]),
    created_at=st.datetimes(timezones=st.just(UTC)),
    model=st.none() | st.just("m"),
    citations=st.lists(st.builds(Citation, st.just("id"), st.just("title"), st.none() | st.just("url"))).map(tuple),
    sources=st.lists(st.builds(SourceVersion, st.just("id"), st.integers(0, 99))).map(tuple),
    expires_at=st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(answers)
def test_an_answer_is_read_as_it_was_written(answer: SharedAnswer):
    assert SharedAnswer.loads(answer.dumps()) == answer


@given(st.binary() | st.integers(0, 60).map(lambda length: ANSWER.dumps()[:length]) | st.binary().map(lambda b: b"2 " + b))
def test_what_cannot_be_read_is_a_miss(data: bytes):
    assert SharedAnswer.loads(data) is None


def test_another_version_of_the_format_is_a_miss():
    assert SharedAnswer.loads(b"1 " + ANSWER.dumps()[2:]) is None


KEY = answer_key(PARTS)


def why_not(
    view: VersionView | None, answer: SharedAnswer = ANSWER, now: datetime = NOW, serve_stale_s: float = 1.0
) -> Stale | None:
    return stale_because(answer, KEY, view, now, monotonic_now=100.0, serve_stale_s=serve_stale_s)


def test_an_answer_holds_while_its_sources_do():
    assert why_not(VersionView({"shipping-fee": 3, "other": 9}, seen_at=99.5)) is None
    assert why_not(VersionView({"shipping-fee": 4}, seen_at=99.5)) is Stale.VERSION, "the source was edited"
    assert why_not(VersionView({}, seen_at=99.5)) is Stale.VERSION, "the source was withdrawn"
    assert why_not(VersionView({"shipping-fee": 3}, seen_at=98.9)) is Stale.VIEW, "the view is old"
    assert why_not(None) is Stale.VIEW, "there is no view yet"
    fresh = VersionView({"shipping-fee": 3}, seen_at=100.0)
    until_noon = replace(ANSWER, expires_at=NOW + timedelta(hours=1))
    assert why_not(fresh, until_noon) is None
    assert why_not(fresh, until_noon, NOW + timedelta(hours=1)) is Stale.EXPIRED


def test_an_answer_without_any_source_proves_nothing():
    assert why_not(VersionView({}, 100.0, knowledge_version=12), replace(ANSWER, sources=())) is Stale.VERSION


def test_what_is_set_aside_is_not_said_whatever_model_or_prompt_answers_the_question():
    view = VersionView({"shipping-fee": 3}, 100.0, set_aside=frozenset({question_of(KEY)}))
    assert why_not(view) is Stale.ASIDE
    other = answer_key(replace(PARTS, model="another", prompt_version="2", system_digest="changed"))
    assert other != KEY
    assert stale_because(ANSWER, other, view, NOW, 100.0, 1.0) is Stale.ASIDE
    another_question = answer_key(replace(PARTS, canonical="怎么退货"))
    assert stale_because(ANSWER, another_question, view, NOW, 100.0, 1.0) is None


@given(parts, parts)
def test_the_question_in_a_key_is_who_is_asked_what(one: AnswerKeyParts, other: AnswerKeyParts):
    def asked(of: AnswerKeyParts) -> tuple[object, ...]:
        return of.tenant, of.shop, of.language, of.canonical, of.order_id, of.sku_id

    assert (question_of(answer_key(one)) == question_of(answer_key(other))) == (asked(one) == asked(other))
