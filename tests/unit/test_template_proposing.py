"""Templates as a model proposes them."""

from __future__ import annotations

import json

import pytest

from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.errors import ConfigError
from serve_app.domain.intents import Intent
from serve_app.domain.policies import Policy
from serve_app.domain.pregeneration import CannotMake
from serve_app.domain.publication import filled
from serve_app.domain.template_check import check_template
from serve_app.domain.template_proposing import instructions, proposed, uncovered_by, wish

TIER = {"when": "", "zh": "您是{customer.tier_name}。", "en": "You are {customer.tier_name}."}


def said(*cases: dict[str, str]) -> str:
    return f"Sure:\n```json\n{json.dumps({'cases': list(cases)}, ensure_ascii=False)}\n```"


def test_words_become_a_template_that_is_checked_as_a_persons() -> None:
    template = proposed(said(TIER), Intent.TIER, None)
    assert (template.id, template.intent, len(template.cases)) == ("tier", Intent.TIER, 1)
    check_template(template)
    with pytest.raises(ConfigError, match="nickname"):
        check_template(proposed(said({**TIER, "en": "Hi {customer.nickname}."}), Intent.TIER, None))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("I cannot do that.", "no JSON object"),
        ("{not json}", "not of the form"),
        ('{"cases": []}', "not of the form that it was told: cases"),
        (said({"when": "", "zh": "好"}), "cases.0.en"),
        (said({**TIER, "zh": "满99元包邮。"}), "neither a slot nor a policy"),
        (said({**TIER, "en": "It takes 3 days."}), "neither a slot nor a policy"),
    ],
)
def test_words_that_are_no_template_say_what_is_wrong(words: str, complaint: str) -> None:
    with pytest.raises(CannotMake, match=complaint):
        proposed(words, Intent.TIER, None)


def test_figures_stand_in_slots_conditions_and_policies() -> None:
    case = {
        "when": "order_count > 1",
        "zh": "{policy.return_days}内可退，共{order_count}单。",
        "en": "{policy.return_days}, {order_count}.",
    }
    assert len(proposed(said(case), Intent.MY_ORDERS, None).cases) == 1


def test_cases_are_added_behind_those_that_there_are() -> None:
    payment = next(one for one in filled(demo_knowledge()).templates if one.intent is Intent.ORDER_PAYMENT)
    uncovered = uncovered_by(payment)
    assert uncovered
    more = {"when": "", "zh": "{order.label}没有付款。", "en": "Your {order.label} was not paid."}
    template = proposed(said(more), Intent.ORDER_PAYMENT, payment)
    assert (template.id, template.cases[:-1]) == (payment.id, payment.cases)
    check_template(template)
    assert uncovered_by(template) == ()
    asked = wish(Intent.ORDER_PAYMENT, payment, uncovered, [Policy("return_days", "days", 7)], "a problem")
    for told in (*uncovered, "{policy.return_days} (days)", "a problem", payment.cases[0].text["zh"]):
        assert told in asked


def test_the_model_is_told_every_condition_and_the_form() -> None:
    for told in ("no_parcel", "customer.tier_name", '"cases"'):
        assert told in instructions()
