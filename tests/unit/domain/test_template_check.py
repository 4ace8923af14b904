"""What is found before a template is published: cases, branches, slots without a value."""

from __future__ import annotations

import pytest

from serve_app.domain.errors import ConfigError
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Template, TemplateCase
from serve_app.domain.template_check import check_template, problems_of


def template(*cases: tuple[str, str], intent: Intent = Intent.PARCEL) -> Template:
    return Template("t", 1, intent, tuple(TemplateCase(when, {"zh": text, "en": text}) for when, text in cases))


def problem(*cases: tuple[str, str], intent: Intent = Intent.PARCEL) -> str:
    """The only one."""
    found = [slip.message for slip in problems_of(template(*cases, intent=intent))]
    assert len({one.replace(", zh", "").replace(", en", "") for one in found}) == 1, found
    return found[0]


def test_a_template_that_has_words_for_everything_is_taken() -> None:
    check_template(
        template(
            ("order is not defined", "none"),
            ("lost", "lost: {order.label}"),
            ("parcel is defined and late", "{parcel.due | on}"),
            ("several_parcels", "{% for one in order.parcels %}{one.label}{% if not loop.last %}, {% endif %}{% endfor %}"),
            ("", "{order.label}: {order.state}"),
        )
    )


@pytest.mark.parametrize(
    ("when", "text", "said"),
    [
        ("order is defined", "{parcel.eta}", "parcel has no value in the situation 'several orders'"),
        ("parcel is defined", "{parcel.pickup_code}", "parcel.pickup_code has no value in the situation"),
        (
            "shipped",
            "{order.parcels | join('label')}",
            "a list without things, joined, has no value in the situation 'shipped, no track",
        ),
        ("", "{order.label}", "order has no value in the situation 'no order'"),
    ],
)
def test_a_slot_without_a_value_is_named_with_its_situation(when: str, text: str, said: str) -> None:
    found = problem((when, text))
    assert said in found
    assert found.startswith("template t, case 1, zh: ")
    assert "is defined" in found, "it says what to do"


def test_a_slot_may_be_asked_for_first() -> None:
    text = "{order.label}{% if parcel.pickup_code is defined %}, {parcel.pickup_code}{% endif %}"
    check_template(template(("order is defined", text)))


def test_what_a_source_may_leave_out_is_no_slip() -> None:
    check_template(template(("parcel is defined and parcel.is_delivered", "{parcel.delivered_at}")))


@pytest.mark.parametrize(
    ("text", "branch"),
    [
        ("{% if order.is_open and order.is_closed %}never{% endif %}x", "{% if order.is_open and order.is_closed %}"),
        ("{% if order.is_open or not order.is_open %}a{% else %}b{% endif %}", "the {% else %} of {% if order.is_open or not"),
        ("x{% if order.is_open %}a{% elif order.is_unpaid %}b{% endif %}", "{% if order.is_unpaid %}"),
        ("x{% for one in order.parcels if one.is_late and one.is_lost %}a{% endfor %}", "{% for one in order.parcels"),
        ("x{'a' if order.is_open and order.is_closed else 'b'}", "'a' if order.is_open and order.is_closed else 'b'"),
        ("{% for one in order.lines %}a{% else %}b{% endfor %}", "the {% else %} of {% for one in order.lines %}"),
    ],
)
def test_a_branch_that_is_never_reached_is_named(text: str, branch: str) -> None:
    found = problem(("order is defined", text))
    assert found.startswith(f"template t, case 1, zh: {branch}")
    assert "is never reached" in found


def test_of_two_branches_with_one_condition_both_are_looked_at() -> None:
    text = "x{% if order.is_open %}{% if lost %}a{% endif %}{% else %}{% if lost %}b{% endif %}{% endif %}"
    assert "{% if lost %} (2) is never reached" in problem(("order is defined", text))


def test_branches_that_only_less_told_facts_reach_are_reached() -> None:
    text = (
        "{order.label}{% if order.title is not defined %}, items unknown{% endif %}"
        "{% for one in order.parcels if one.is_at_pickup_point and one.pickup_point is not defined %}?{% endfor %}"
    )
    check_template(template(("order is defined and order.parcels is defined", text)))


def test_a_case_that_is_never_the_answer_is_named() -> None:
    assert "case 2: it is never the answer" in problem(("order is defined", "a"), ("lost", "b"))
    assert "case 1: it is never reached, because `unpaid and closed` holds in no sample" in problem(("unpaid and closed", "a"))


def test_a_condition_without_a_value_is_named_with_its_situation() -> None:
    found = problem(("order is not defined", "none"), ("parcel.is_lost", "a"), ("several_parcels", "b"), ("", "c"))
    assert found.startswith(
        "template t, case 2: parcel has no value in the situation 'several orders', so that no case answers"
    )
    assert "begin the condition with `parcel is defined and`" in found


def test_a_text_that_says_nothing_is_named() -> None:
    assert "nothing is said in the situation" in problem(("order is defined", "{% if lost %}lost{% endif %}"))


def test_all_problems_are_told_at_once() -> None:
    found = problems_of(template(("order is defined", "{order.nothing}"), ("losst", "x"), ("", " ")))
    assert [(one.message.partition(":")[0], one.part) for one in found] == [
        ("template t, case 1, zh", ("cases", 0, "zh")),
        ("template t, case 1, en", ("cases", 0, "en")),
        ("template t, case 2", ("cases", 1, "when")),
        ("template t, case 3", ("cases", 2, "zh")),
        ("template t, case 3", ("cases", 2, "en")),
    ]


def test_a_template_needs_an_intent_that_has_facts() -> None:
    with pytest.raises(ConfigError, match="the intent shipping_fee has no facts"):
        check_template(template(("", "x"), intent=Intent.SHIPPING_FEE))


@pytest.mark.parametrize("intent", [Intent.TIER, Intent.MY_ORDERS])
def test_templates_about_the_customer_are_tried_on_customers(intent: Intent) -> None:
    check_template(
        template(
            ("no_order", "{customer.tier_name}"),
            ("several_orders and no_coupons is defined", "{order_count}{% for order in orders %}{order.listed}{% endfor %}"),
            ("", "{customer.points}"),
            intent=intent,
        )
    )
