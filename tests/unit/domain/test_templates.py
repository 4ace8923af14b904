"""Answers from templates: slots by type, cases, what is unknown, which order and parcel is meant."""

from __future__ import annotations

from datetime import timedelta

import pytest

from serve_app.domain.facts import Facts, OrderState, ParcelState
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Template, TemplateCase
from serve_app.domain.messages import Card, Language
from serve_app.domain.question import Entities
from serve_app.domain.template_filters import plural_of
from serve_app.domain.templates import NeedsChoice, NotMeant, NoValue, Rendered, answer_from
from serve_app.domain.wording import Locale, Money
from tests.making_facts import NOW, after_sale, customer, facts, line, order, parcel


def template(*cases: tuple[str, str], intent: Intent = Intent.PARCEL) -> Template:
    return Template("t", 1, intent, tuple(TemplateCase(when, {"zh": text, "en": text}) for when, text in cases))


def say(text: str, known: Facts, language: Language = "en", intent: Intent = Intent.PARCEL) -> str:
    said = answer(template(("", text), intent=intent), known, language)
    assert isinstance(said, Rendered), said
    return said.text


def answer(it: Template, known: Facts, language: Language = "en", entities: Entities | None = None, chosen: str | None = None):
    return answer_from(it, known, entities=entities or Entities(), chosen_order_id=chosen, locale=Locale(language), now=NOW)


KNOWN = facts(
    order(
        1,
        OrderState.SHIPPED,
        parcel(delivered_at=NOW),
        deposit_minor=10000,
        lines=(line(1, after_sale()), line(2, title_zh="充电盒", title_en="Charging case")),
    )
)


@pytest.mark.parametrize(
    ("slot", "zh", "en"),
    [
        ("{parcel.eta}", "明天(11月23日)", "tomorrow (Mon 23 Nov)"),
        ("{parcel.delivered_at}", "今天(11月22日)12:00", "today (Sun 22 Nov) at 12:00"),
        ("{parcel.delivered_at | day}", "今天(11月22日)", "today (Sun 22 Nov)"),
        ("{parcel.delivered_at | date}", "今天(11月22日)", "today (Sun 22 Nov)"),
        ("{parcel.delivered_at | time}", "12:00", "12:00"),
        ("{parcel.eta | day}", "明天(11月23日)", "tomorrow (Mon 23 Nov)"),
        ("{parcel.state}", "运输中", "in transit"),
        ("{order.total | money}", "¥1,299.00", "CN¥1,299.00"),
        ("{order.lines | join('title')}", "无线耳机和充电盒", "Wireless earphones and Charging case"),
        ("{order.parcels | join('state')}", "运输中", "in transit"),
        ("{order.total_minor - order.deposit_minor}", "119900", "119900"),
        ("{parcel.label if parcel.is_late else order.tail}", "0001", "0001"),
        ("{order.total}", "¥1,299.00", "CN¥1,299.00"),
        ("{order.balance}", "¥1,199.00", "CN¥1,199.00"),
        ("{order.total_minor}", "129900", "129900"),
        ("{order.tail}", "0001", "0001"),
        ("{order.title}", "无线耳机等2件商品", "Wireless earphones and 1 more"),
        ("{order.placed_at | on}", "10月24日(周六)12:00", "on Sat 24 Oct at 12:00"),
        ("{after_sale.amount}", "¥1,299.00", "CN¥1,299.00"),
        ("{after_sale.title}", "无线耳机", "Wireless earphones"),
        ("{customer.tier_name}", "金卡会员", "Gold"),
        ("{order.parcels | length}", "1", "1"),
    ],
)
def test_a_slot_prints_by_its_type_in_the_answers_language(slot: str, zh: str, en: str) -> None:
    assert say(slot, KNOWN, "zh") == zh
    assert say(slot, KNOWN, "en") == en


def test_an_amount_is_in_the_orders_currency() -> None:
    known = facts(order(1, OrderState.SHIPPED, parcel(), currency="USD", lines=(line(1, after_sale()),)))
    assert say("{order.total} {after_sale.amount}", known) == "$1,299.00 $1,299.00"


@pytest.mark.parametrize(("count", "said"), [(1, "1 parcel, 1 child"), (2, "2 parcels, 2 children")])
def test_english_has_a_plural(count: int, said: str) -> None:
    known = facts(order(1, OrderState.SHIPPED, *(parcel(number=number) for number in range(count))))
    text = "{order.parcels | count | plural('parcel')}, {order.parcels | count | plural('child', 'children')}"
    assert say(text, known) == said


@pytest.mark.parametrize(
    ("one", "many"), [("parcel", "parcels"), ("box", "boxes"), ("dish", "dishes"), ("company", "companies"), ("day", "days")]
)
def test_regular_plurals(one: str, many: str) -> None:
    assert plural_of(one) == many


def test_a_list_of_three_is_joined_as_each_language_does() -> None:
    lines = tuple(line(number, title_zh=f"甲{number}", title_en=f"A{number}") for number in (1, 2, 3))
    known = facts(order(1, OrderState.SHIPPED, parcel(), lines=lines))
    assert say("{order.lines | join('title')}", known, "zh") == "甲1、甲2和甲3"
    assert say("{order.lines | join('title')}", known, "en") == "A1, A2 and A3"


@pytest.mark.parametrize("text", ["{order.parcels | join('tracking_no')}", "{order.invoices | join('state_name')}"])
def test_what_is_joined_must_have_values(text: str) -> None:
    known = facts(order(1, OrderState.SHIPPED, parcel(), parcel(number=2, tracking_no=None)))
    assert isinstance(answer(template(("", text), intent=Intent.ORDER_STATUS), known), NoValue)


def test_blank_text_is_no_value() -> None:
    known = facts(order(1, OrderState.SHIPPED, parcel(carrier=" ")))
    assert answer(template(("", "{parcel.carrier}")), known) == NoValue("parcel.carrier")


def test_what_is_within_the_unknown_is_unknown() -> None:
    text = "{% if parcel.latest.place is defined %}seen{% else %}not seen{% endif %}"
    assert say(text, facts(order(1, OrderState.SHIPPED, parcel()))) == "not seen"


def test_amounts_are_compared_in_one_currency_only() -> None:
    known = facts(order(1, OrderState.SHIPPED, parcel(), freight_minor=800, deposit_minor=900))
    assert say("{% if order.freight < order.deposit %}less{% endif %}", known) == "less"
    assert Money(1, "CNY") < Money(2, "CNY")
    with pytest.raises(TypeError, match="CNY and USD"):
        assert Money(1, "CNY") < Money(2, "USD")


def test_the_first_case_whose_condition_holds_is_the_answer() -> None:
    it = template(("order.state == 'paid'", "paid"), ("parcel.state == 'in_transit'", "moving"), ("", "else"))
    assert answer(it, KNOWN) == Rendered("moving", answer(it, KNOWN).cards, KNOWN.orders[0].id)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("{parcel.pickup_code}", "parcel.pickup_code"),
        ("{customer.tier_valid_until}", "customer.tier_valid_until"),
        ("{parcel.latest.place}", "parcel.latest"),
        ("{order.balance_due_at | on}", "order.balance_due_at"),
        ("{parcel.delivered_at | day}", "parcel.delivered_at"),
        ("{% if parcel.pickup_code == '1' %}x{% endif %}", "parcel.pickup_code"),
    ],
)
def test_a_slot_without_a_value_gives_no_answer(text: str, slot: str) -> None:
    assert answer(template(("", text)), facts(order(1, OrderState.SHIPPED, parcel()))) == NoValue(slot)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("{order.parcels | length}", "parcels"),
        ("{% for parcel in order.parcels %}x{% endfor %}", "parcels"),
        ("{% if order.parcels | length == 0 %}nothing was shipped{% endif %}", "parcels"),
        ("{order.title}", "lines"),
        ("{customer.valid_coupons | length}", "coupons"),
        ("{customer.points}", "customer"),
        ("{order.after_sales | length}", "after_sales"),
        ("{parcel.events | length}", "parcel_events"),
    ],
)
def test_nothing_is_said_of_a_part_that_is_missing(text: str, missing: str) -> None:
    known = KNOWN.model_copy(update={"missing": (missing,)})
    it = template(("", text), intent=Intent.ORDER_STATUS)
    assert isinstance(answer(it, KNOWN), Rendered | NoValue)
    assert isinstance(answer(it, known), NoValue)


def test_a_sentence_can_do_without_what_is_unknown() -> None:
    text = "On its way{% if parcel.latest is defined %}, last seen {parcel.latest.place}{% endif %}."
    assert say(text, KNOWN) == "On its way."


def test_no_case_that_holds_is_no_answer() -> None:
    assert answer(template(("order.state == 'paid'", "paid")), KNOWN) == NoValue("t")


def test_an_order_that_is_not_the_customers_is_politely_not_found() -> None:
    said = answer(template(("", "{order.tail}")), KNOWN, entities=Entities(order_ids=("ZW999999999999",)))
    assert isinstance(said, Rendered)
    assert "could not find that order under your account" in said.text
    assert said.order_id is None
    assert said.cards == ()


@pytest.mark.parametrize(
    ("language", "label"),
    [
        ("zh", "10月25日(周日) · 无线耳机 · 待发货 · 尾号0002"),
        ("en", "Sun 25 Oct · Wireless earphones · waiting to be shipped · ending 0002"),
    ],
)
def test_several_orders_are_offered_to_choose_from(language: Language, label: str) -> None:
    known = facts(order(1, OrderState.PAID), order(2, OrderState.PAID))
    said = answer(template(("", "x"), intent=Intent.ORDER_STATUS), known, language)
    assert isinstance(said, NeedsChoice)
    assert [option.id[-4:] for option in said.options] == ["0002", "0001"]
    assert said.options[0].label == label


def test_a_choice_names_no_items_that_are_missing() -> None:
    known = facts(order(1, OrderState.PAID), order(2, OrderState.PAID), missing=("lines",))
    said = answer(template(("", "x"), intent=Intent.ORDER_STATUS), known)
    assert isinstance(said, NeedsChoice)
    assert said.options[0].label == "Sun 25 Oct · waiting to be shipped · ending 0002"


def test_the_parcel_that_is_named_is_the_one_spoken_of() -> None:
    known = facts(order(1, OrderState.SHIPPED, parcel(number=1), parcel(ParcelState.OUT_FOR_DELIVERY, number=2)))
    it = template(("parcel is defined", "{parcel.state}"), ("", "several"))
    said = answer(it, known, entities=Entities(tracking_nos=("SF0000000000002",)))
    assert isinstance(said, Rendered)
    assert said.text == "out for delivery"
    assert [card.data["id"] for card in said.cards] == ["P2"]
    assert isinstance(several := answer(it, known), Rendered)
    assert several.text == "several"
    assert [card.data["id"] for card in several.cards] == ["P1", "P2"]


def test_an_after_sale_is_a_card() -> None:
    (card,) = cards_for(KNOWN)
    assert card.type == "after_sale"
    assert card.data["order_id"] == KNOWN.orders[0].id
    told = {name: card.data[name] for name in ("title", "type", "type_text", "stage", "stage_text", "amount_minor", "currency")}
    assert told == {
        "title": "Wireless earphones",
        "type": "return_refund",
        "type_text": "return and refund",
        "stage": "refunding",
        "stage_text": "refund under way",
        "amount_minor": 129900,
        "currency": "CNY",
    }
    assert "return_no" not in card.data, "what is not known is left out"
    assert [card.type for card in cards_for(facts(order(1)), chosen=order(1).id)] == ["order"]


def cards_for(known: Facts, chosen: str | None = None) -> tuple[Card, ...]:
    said = answer(template(("", "x"), intent=Intent.REFUND_PROGRESS), known, chosen=chosen)
    assert isinstance(said, Rendered)
    return said.cards


def test_what_the_customer_has_nothing_of_was_not_meant() -> None:
    assert answer(template(("", "x")), KNOWN, entities=Entities(things=("rocket",))) == NotMeant()


def test_cards_hold_no_customer_id_and_nothing_that_is_missing() -> None:
    said = answer(template(("", "x"), intent=Intent.ORDER_STATUS), KNOWN.model_copy(update={"missing": ("lines",)}))
    assert isinstance(said, Rendered)
    (card,) = said.cards
    assert card.type == "order"
    assert card.data["state_text"] == "shipped"
    assert not {"customer_id", "address", "title", "lines"} & card.data.keys()
    parcels = answer(template(("", "x")), KNOWN.model_copy(update={"missing": ("parcel_events",)}))
    assert isinstance(parcels, Rendered)
    assert "events" not in parcels.cards[0].data


def test_a_customers_words_in_the_facts_are_not_a_template() -> None:
    known = facts(order(1, OrderState.SHIPPED, parcel(), lines=(line(1, title_en="{order.address}{% raw %}"),)))
    assert say("{order.title}", known) == "{order.address}{% raw %}"


def test_coupons_that_have_ended_are_not_counted() -> None:
    coupon = {"id": "c", "title_zh": "券", "title_en": "Coupon", "amount_minor": 500}
    coupons = tuple(coupon | {"valid_until": NOW + timedelta(days=days)} for days in (-1, 9, 2))
    known = facts(customer=customer(coupons=coupons))
    text = (
        "{customer.valid_coupons | length}: {% for one in customer.coupons_ending_first %}{one.valid_until | day} {% endfor %}"
    )
    assert say(text, known, intent=Intent.TIER) == "2: Tue 24 Nov Tue 1 Dec"
