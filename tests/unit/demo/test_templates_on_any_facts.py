"""Whatever the facts are, the demo's templates say clean words, of this customer only, or nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.facts import (
    AfterSaleStage,
    AfterSaleType,
    Coupon,
    Customer,
    Facts,
    FreightPayer,
    Invoice,
    Order,
    OrderState,
    ParcelEvent,
    ParcelState,
    RefundChannel,
)
from serve_app.domain.intents import TEMPLATED, Intent
from serve_app.domain.knowledge import Template, TemplateCase
from serve_app.domain.messages import Language
from serve_app.domain.question import Entities
from serve_app.domain.slot_table import SLOTS
from serve_app.domain.slot_types import PRINTED, THINGS, Kind
from serve_app.domain.template_subject import ROOTS
from serve_app.domain.templates import NeedsChoice, NoValue, Rendered, answer_from
from serve_app.domain.wanted import parts_wanted
from serve_app.domain.wording import Locale
from tests.demo_templates import answer, templates
from tests.making_facts import NOW, TODAY, after_sale, customer, facts, line, order, parcel

PARTS = ["customer", "coupons", "orders", "lines", "parcels", "parcel_events", "after_sales", "invoices"]
LEAKS = re.compile(r"[{}]|None|Undefined|View|_|\bby on\b|\d{4}-\d\d-\d\d|  ")
LANGUAGES = st.sampled_from(["zh", "en"])


def test_every_templated_intent_has_a_template() -> None:
    assert set(templates()) == TEMPLATED


@pytest.mark.parametrize(
    ("intent", "missing"),
    [(Intent.PARCEL, "parcels"), (Intent.REFUND_PROGRESS, "after_sales"), (Intent.TIER, "customer")]
    + [(intent, "orders") for intent in TEMPLATED - {Intent.TIER}],
)
def test_what_is_missing_is_not_guessed(intent: Intent, missing: str) -> None:
    known = facts(order(1, OrderState.SHIPPED, parcel(), lines=(line(1, after_sale()),)), missing=(missing,))
    assert isinstance(answer(intent, known), NoValue)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


# What a source may send for a text, besides the text.
def _text(mark: str) -> st.SearchStrategy[Any]:
    return st.sampled_from([None, "", " ", mark])


_dates = st.integers(-9, 9).map(lambda days: TODAY + timedelta(days=days))
_instants = st.integers(-9, 9).map(lambda days: NOW + timedelta(days=days))
_title = st.sampled_from(["甲", "", " "])
_amounts = st.integers(0, 10**9)


@st.composite
def _customers(draw: st.DrawFn, mark: str) -> Customer:
    coupons = tuple(
        Coupon(
            id=f"c{number}",
            title_zh=f"券{mark}",
            title_en=f"Coupon {mark}",
            amount_minor=draw(_amounts),
            minimum_minor=draw(_amounts),
            valid_until=draw(_instants),
        )
        for number in range(draw(st.integers(0, 7)))
    )
    tier, until = draw(_maybe(st.sampled_from(["gold", f"own {mark}"]))), draw(_maybe(_instants))
    return customer(id=mark, name=mark, tier=tier, tier_valid_until=until, points=draw(_maybe(st.integers(0))), coupons=coupons)


@st.composite
def _orders(draw: st.DrawFn, mark: str, number: int = 1) -> Order:
    parcels = st.builds(
        parcel,
        st.sampled_from(ParcelState),
        estimated_date=_maybe(_dates),
        promised_date=_maybe(_dates),
        delivered_at=_maybe(_instants),
        tracking_no=_text(f"SF{mark}"),
        carrier=_text("SF Express"),
        pickup_code=_text(f"1-{mark}"),
        pickup_point=_text(f"Gate {mark}"),
        events=st.sampled_from([(), (ParcelEvent(at=NOW, state=ParcelState.PICKED_UP, place="Hangzhou"),)]),
    )
    after_sales = st.builds(
        after_sale,
        st.sampled_from(AfterSaleStage),
        st.sampled_from(AfterSaleType),
        amount_minor=_maybe(_amounts),
        deadline=_maybe(_instants),
        refunded_at=_maybe(_instants),
        return_no=_text(f"R{mark}"),
        freight_payer=_maybe(st.sampled_from(FreightPayer)),
        refund_channel=_maybe(st.sampled_from(RefundChannel)),
    )
    invoices = st.builds(
        Invoice,
        id=st.just("I"),
        kind=st.just("personal"),
        state=st.sampled_from(["requested", "issued", "red"]),
        amount_minor=_amounts,
        issued_at=_maybe(_instants),
    )
    first = line(1, *draw(st.lists(after_sales, max_size=2)), title_zh=draw(_title), title_en=f"A {mark}")
    return order(
        number,
        draw(st.sampled_from(OrderState)),
        *draw(st.lists(parcels, max_size=3)),
        id=f"ZW{mark}{number}",
        lines=draw(st.sampled_from([(), (line(1),), (first,), (first, line(2))])),
        invoices=tuple(draw(st.lists(invoices, max_size=2))),
        paid_at=draw(_maybe(_instants)),
        freight_minor=draw(_maybe(_amounts)),
        deposit_minor=draw(_maybe(st.just(100))),
        balance_due_at=draw(_maybe(_instants)),
    )


@st.composite
def _facts(draw: st.DrawFn, mark: str = "QQ") -> Facts:
    orders = [draw(_orders(mark, number)) for number in range(1, draw(st.integers(0, 3)) + 1)]
    return facts(
        *orders,
        customer=draw(_customers(mark)),
        order_count=len(orders) + draw(st.sampled_from([0, 5])),
        missing=tuple(draw(st.sets(st.sampled_from(PARTS), max_size=2))),
    )


def _entities(known: Facts) -> st.SearchStrategy[Entities]:
    named = [Entities(order_ids=(order.id,)) for order in known.orders]
    return st.sampled_from([Entities(), Entities(marks=("unpaid",)), Entities(marks=("lost",)), *named])


@given(st.data(), _facts(), st.sampled_from(sorted(TEMPLATED)), LANGUAGES)
def test_the_answer_is_clean_words_or_none(data: st.DataObject, known: Facts, intent: Intent, language: Language) -> None:
    said = answer(intent, known, language, data.draw(_entities(known)))
    if isinstance(said, Rendered):
        assert said.text.strip()
        assert not LEAKS.search(said.text), said.text
    elif isinstance(said, NeedsChoice):
        assert len(said.options) > 1
        assert not any(LEAKS.search(option.label) for option in said.options)


@given(_facts("AAAA"), _facts("BBBB"), st.sampled_from(sorted(TEMPLATED)), LANGUAGES)
def test_nothing_of_the_last_customer_is_said_to_the_next(one: Facts, other: Facts, intent: Intent, language: Language) -> None:
    for known, foreign in ((one, "BBBB"), (other, "AAAA"), (one, "BBBB")):
        assert foreign not in repr(answer(intent, known, language))


@given(_orders("QQ"), LANGUAGES)
def test_whole_facts_always_give_an_answer_about_an_order(known: Order, language: Language) -> None:
    for intent in (Intent.ORDER_STATUS, Intent.PARCEL):
        assert isinstance(answer(intent, facts(known), language), Rendered)


def _printing() -> list[tuple[str, str]]:
    """For each slot that is printed, a text with it between marks; of a list's things, one text each."""
    texts = [(f"{name}.{slot}", f"<{{{name}.{slot}}}>") for name, slot in _slots_of_roots()]
    for thing in THINGS:
        for name, slot in SLOTS[thing].items():
            if slot.type.kind is Kind.LIST and slot.type.of and slot.type.of.fact and THINGS[thing] in ROOTS:
                for inner, printed in SLOTS[slot.type.of.fact].items():
                    if printed.type.kind in PRINTED:
                        path = f"{THINGS[thing]}.{name}"
                        text = f"<>{{% for it in {path} %}}<{{it.{inner}}}>{{% endfor %}}".removeprefix("<>")
                        texts.append((f"{path}[].{inner}", text))
                        texts.append((f"{path} | join('{inner}')", f"<{{{path} | join('{inner}')}}>"))
    return texts


def _slots_of_roots() -> list[tuple[str, str]]:
    roots = [(name, root.type.fact) for name, root in ROOTS.items() if root.type.fact]
    return [(name, slot) for name, fact in roots for slot, it in SLOTS[fact].items() if it.type.kind in PRINTED]


@given(st.sampled_from(_printing()), _facts(), st.sampled_from([Intent.ORDER_STATUS, Intent.TIER]), LANGUAGES)
def test_any_slot_is_printed_whole_or_stops_the_answer(
    printing: tuple[str, str], known: Facts, intent: Intent, language: Language
) -> None:
    template = Template("t", 1, intent, (TemplateCase("", {"zh": printing[1], "en": printing[1]}),))
    said = answer_from(template, known, entities=Entities(), chosen_order_id=None, locale=Locale(language), now=NOW)
    if isinstance(said, Rendered) and "没有找到" not in said.text and "could not find" not in said.text:
        assert said.text
        assert not re.search(r"[{}]|<\s*>|None|Undefined|View", said.text), said.text


def _only(parts: frozenset[str], known: Facts) -> Facts:
    """What is gathered where no other part is wanted."""

    def order_of(order: Order) -> Order:
        parcels = tuple(
            parcel if "parcel_events" in parts else parcel.model_copy(update={"events": ()}) for parcel in order.parcels
        )
        lines = tuple(one if "after_sales" in parts else one.model_copy(update={"after_sales": ()}) for one in order.lines)
        return order.model_copy(
            update={
                "lines": lines if "lines" in parts else (),
                "parcels": parcels if "parcels" in parts else (),
                "invoices": order.invoices if "invoices" in parts else (),
            }
        )

    who = known.customer if "customer" in parts else None
    if who is not None and "coupons" not in parts:
        who = who.model_copy(update={"coupons": ()})
    return known.model_copy(
        update={
            "customer": who,
            "orders": tuple(map(order_of, known.orders)) if "orders" in parts else (),
            "order_count": known.order_count if "orders" in parts else None,
            "named_orders_known": known.named_orders_known and "orders" in parts,
            "missing": tuple(part for part in PARTS if part in known.missing or part not in parts),
        }
    )


_PRINTED = [
    Template("t", 1, intent, (TemplateCase(when, {"zh": text, "en": text}), TemplateCase("", {"zh": "-", "en": "-"})))
    for intent in (Intent.ORDER_STATUS, Intent.TIER)
    for when, text in [("", text) for _, text in _printing()]
    + [(name, name) for name, root in ROOTS.items() if root.type.kind is Kind.CONDITION]
    + [("orders_seen > 0", "{open_seen}"), ("", "{orders | join('title')}"), ("order_count > 0", "{orders | length}")]
]


@given(st.data(), _facts(), st.sampled_from([*templates().values(), *_PRINTED]), LANGUAGES)
def test_parts_that_are_not_wanted_change_no_answer(
    data: st.DataObject, known: Facts, template: Template, language: Language
) -> None:
    entities = data.draw(_entities(known))
    chosen = data.draw(st.sampled_from([None, *(order.id for order in known.orders)]))
    less = _only(parts_wanted(template, entities, language), known)
    of_all, of_less = (
        answer_from(template, told, entities=entities, chosen_order_id=chosen, locale=Locale(language), now=NOW)
        for told in (known, less)
    )
    assert of_all == of_less or (isinstance(of_all, NoValue) and isinstance(of_less, NoValue))


@pytest.mark.parametrize("template", _PRINTED, ids=lambda template: template.cases[0].when or template.cases[0].text["zh"])
def test_every_slot_wants_what_it_is_made_from(template: Template) -> None:
    event = ParcelEvent(at=NOW, state=ParcelState.PICKED_UP, place="Hangzhou", text="It left")
    whole = order(1, OrderState.SHIPPED, parcel(events=(event,)), lines=(line(1, after_sale()), line(2)))
    for language in ("zh", "en"):
        wanted = parts_wanted(template, Entities(), language)
        of_all, of_less = (
            answer_from(template, told, entities=Entities(), chosen_order_id=None, locale=Locale(language), now=NOW)
            for told in (facts(whole), _only(wanted, facts(whole)))
        )
        assert of_less == of_all


@pytest.mark.parametrize(
    ("intent", "wanted"),
    [
        (Intent.TIER, {"customer", "coupons"}),
        (Intent.MY_ORDERS, {"customer", "orders", "lines"}),
        (Intent.PARCEL, {"customer", "orders", "lines", "parcels", "parcel_events"}),
        (Intent.OWN_INVOICE, {"customer", "orders", "lines", "invoices"}),
    ],
)
def test_what_a_question_needs_of_the_shop(intent: Intent, wanted: set[str]) -> None:
    for language in ("zh", "en"):
        assert parts_wanted(templates()[intent], Entities(), language) == wanted
