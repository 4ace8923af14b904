"""What a question adds to the counts of the tiers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.messages import AnswerSource, Kind, Tier
from serve_app.domain.tier_counts import Tally, Told, tally

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
TOLD = Told("demo", Kind.PUBLIC, "memory", "cache", shareable=True)

tolds = st.builds(
    Told,
    tenant=st.just("demo"),
    kind=st.sampled_from(Kind),
    tier=st.sampled_from(get_args(Tier)),
    source=st.sampled_from([*get_args(AnswerSource), "error"]),
    shareable=st.booleans(),
    has_customer=st.booleans(),
    model_may=st.booleans(),
    in_head=st.booleans(),
    created_at=st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(tolds)
def test_no_tier_answers_more_than_it_could(told: Told):
    counted = tally(told, NOW)
    assert counted.tier == told.tier
    assert told.source == "agent" or told.tier == "none" or told.tier in counted.eligible
    assert "none" not in counted.eligible
    assert counted.age_s is None or counted.age_s >= 0


@pytest.mark.parametrize(
    ("told", "eligible"),
    [
        (TOLD, {"memory", "redis", "faq"}),
        (Told("demo", Kind.PUBLIC, "model", "model", shareable=True, model_may=True), {"memory", "redis", "faq", "model"}),
        (Told("demo", Kind.TEMPLATED, "none", "template", has_customer=True), {"template"}),
        (Told("demo", Kind.TEMPLATED, "none", "template"), set()),
        (Told("demo", Kind.PERSONAL, "memory", "faq"), {"memory"}),
        (Told("demo", Kind.ACTION, "none", "template"), set()),
        (Told("demo", Kind.PUBLIC, "none", "error", shareable=True), {"memory", "redis", "faq"}),
    ],
)
def test_which_tiers_could_have_answered(told: Told, eligible: set[Tier]):
    assert tally(told, NOW).eligible == eligible


def test_while_a_person_has_the_conversation_no_tier_is_asked():
    counted = tally(Told("demo", Kind.PUBLIC, "none", "agent", shareable=True, model_may=True, in_head=True), NOW)
    assert counted == Tally("demo", "none", "agent", Kind.PUBLIC, frozenset(), in_head=False, age_s=None, refused=())


def test_the_age_of_a_shared_answer():
    told = Told("demo", Kind.PUBLIC, "redis", "cache", shareable=True, created_at=NOW - timedelta(hours=2))
    assert tally(told, NOW).age_s == 7200
