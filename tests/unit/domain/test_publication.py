"""What must hold before anything is published."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from serve_app.domain.errors import ConfigError
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Template, TemplateCase
from serve_app.domain.policies import Policy
from serve_app.domain.publication import Publication, doubts, filled


def entry(**fields: Any) -> Entry:
    known: dict[str, Any] = {
        "id": "returns",
        "version": 0,
        "intent": Intent.RETURN_POLICY,
        "questions": {"zh": ("能退货吗",), "en": ("can I return it",)},
        "answers": {"zh": "{policy.return_days}内可退。", "en": "Within {policy.return_days}."},
    }
    return Entry(**(known | fields))


def tier(text: str) -> Template:
    return Template("tier", 0, Intent.TIER, (TemplateCase("", {"zh": text, "en": text}),))


DAYS = Policy("return_days", "days", 7)


def test_figures_stand_in_the_answers_with_their_units() -> None:
    (shown,) = filled(Publication((entry(),), policies=(DAYS,))).entries
    assert shown.answers == {"zh": "7天内可退。", "en": "Within 7 days."}


def test_a_template_keeps_its_own_slots() -> None:
    template = tier("{customer.points} / {policy.return_days}")
    (shown,) = filled(Publication(templates=(template,), policies=(DAYS,))).templates
    assert shown.cases[0].text == {"zh": "{customer.points} / 7天", "en": "{customer.points} / 7 days"}


@pytest.mark.parametrize(
    ("policy", "zh", "en"),
    [
        (Policy("p", "days", 1), "1天", "1 day"),
        (Policy("p", "workdays", 3), "3个工作日", "3 working days"),
        (Policy("p", "hours", 48), "48小时", "48 hours"),
        (Policy("p", "months", 1), "1个月", "1 month"),
        (Policy("p", "years", 2), "2年", "2 years"),
        (Policy("p", "percent", 20), "20%", "20%"),
        (Policy("p", "count", 3), "3", "3"),
        (Policy("p", "minor", 9900, "CNY"), "¥99.00", "CN¥99.00"),
        (Policy("p", "time_span", "09:00-22:00"), "09:00-22:00", "09:00–22:00"),
    ],
)
def test_a_policy_is_said_in_both_languages(policy: Policy, zh: str, en: str) -> None:
    assert policy.said("zh") == zh
    assert policy.said("en") == en


JUNE, JULY, AUGUST = (datetime(2027, month, 1, tzinfo=UTC) for month in (6, 7, 8))
OTHER = replace(entry(), id="other", questions={"zh": ("别的",), "en": ("something else",)})


@pytest.mark.parametrize(
    ("publication", "complaint"),
    [
        (Publication((entry(),)), "entry returns, zh: there is no policy 'return_days'"),
        (
            Publication((entry(),), policies=(replace(DAYS, id="return_day"),)),
            "there is no policy 'return_days': did you mean return_day?",
        ),
        (Publication((entry(answers={"zh": "{order.id}", "en": "x"}),)), "entry returns, zh: an answer may hold"),
        (
            Publication((entry(answers={"zh": "好"}),), policies=(DAYS,)),
            "entry returns: it needs questions and an answer in en",
        ),
        (Publication((entry(), entry()), policies=(DAYS,)), "the id 'returns' is given twice"),
        (Publication((entry(), replace(entry(), id="tier")), (tier("x"),), (DAYS,)), "the id 'tier' is given twice"),
        (
            Publication((entry(), replace(OTHER, questions={"zh": ("请问，能退货吗？",), "en": ("x",)})), policies=(DAYS,)),
            "belongs to the entries returns (as '能退货吗') and other",
        ),
        (Publication((entry(valid_from=JULY, valid_to=JUNE),), policies=(DAYS,)), "valid_from must be earlier"),
        (Publication(templates=(tier("{customer.nope}"),)), "template tier, case 1, zh"),
        (
            Publication(templates=(tier("x"), replace(tier("y"), id="level"))),
            "the intent tier belongs to the templates tier and level",
        ),
        (Publication(policies=(Policy("p", "days", "7"),)), "policy p: the value must be a whole number of days"),
        (Publication(policies=(Policy("p", "days", -1),)), "policy p: the value must be a whole number"),
        (Publication(policies=(Policy("p", "minor", 1),)), "policy p: an amount in minor units needs a currency"),
        (Publication(policies=(Policy("p", "time_span", "9-22"),)), "policy p: write the value of a time span"),
    ],
)
def test_what_cannot_be_published_says_why(publication: Publication, complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        filled(publication)
    assert complaint in str(error.value)


def test_an_intent_of_two_entries_at_the_same_time_is_told() -> None:
    before = entry(valid_to=JULY)
    other = replace(OTHER, intent=Intent.RETURN_POLICY)
    assert doubts(Publication((before, replace(other, valid_from=JULY)))) == ()
    assert doubts(Publication((replace(before, intent=Intent.OTHER), replace(other, intent=Intent.OTHER)))) == ()
    (told,) = doubts(Publication((before, other)))
    assert "return_policy belongs to the entries returns and other" in told


def test_two_entries_may_answer_one_question_at_different_times() -> None:
    before = entry(valid_to=JULY)
    after = entry(id="returns-new", valid_from=JULY, valid_to=AUGUST)
    assert len(filled(Publication((before, after), policies=(DAYS,))).entries) == 2
