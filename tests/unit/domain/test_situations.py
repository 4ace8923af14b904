"""The sample situations on which templates are tried."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from serve_app.domain.facts import AfterSaleStage, AfterSaleType, OrderState, ParcelState
from serve_app.domain.question import Entities
from serve_app.domain.sample_facts import SAMPLE_NOW
from serve_app.domain.scope import Scope
from serve_app.domain.situations import Situation, less_told, situations
from serve_app.domain.slot_table import SLOTS
from serve_app.domain.slot_types import Kind
from serve_app.domain.template_subject import CONDITIONS, ROOTS, Subject, subject_of
from serve_app.domain.template_view import View
from serve_app.domain.wording import Locale, Money

TYPES: dict[Kind, type | tuple[type, ...]] = {
    Kind.TEXT: str,
    Kind.NUMBER: int,
    Kind.MONEY: Money,
    Kind.DATE: date,
    Kind.INSTANT: datetime,
    Kind.STATE: StrEnum,
    Kind.CONDITION: bool,
    Kind.LIST: tuple,
    Kind.THING: View,
}


def subject(situation: Situation) -> Subject:
    facts = situation.facts
    scope = Scope(Locale("en"), SAMPLE_NOW, frozenset(facts.missing))
    return subject_of(facts, next(iter(facts.orders), None), Entities(), scope)


def test_each_has_a_name_of_its_own() -> None:
    names = [situation.name for situation in situations()]
    assert len(set(names)) == len(names)


def test_every_state_is_among_them() -> None:
    orders = [order for situation in situations() for order in situation.facts.orders]
    after_sales = [after_sale for order in orders for after_sale in order.after_sales]
    assert {order.state for order in orders} == set(OrderState)
    assert {parcel.state for order in orders for parcel in order.parcels} == set(ParcelState)
    assert {after_sale.stage for after_sale in after_sales} == set(AfterSaleStage)
    assert {after_sale.type for after_sale in after_sales} == set(AfterSaleType)


def test_every_condition_by_name_is_true_in_some_and_false_in_others() -> None:
    subjects = [subject(situation) for situation in situations()]
    nobody = [subject_of(one.facts, None, Entities(), one.scope) for one in subjects]
    for name in CONDITIONS:
        assert {one.value(name) for one in (*subjects, *nobody)} == {True, False}, name


def test_what_is_less_told_differs_from_what_is_told() -> None:
    dumped = [situation.facts.model_dump_json() for situation in (*situations(), *less_told())]
    assert len(set(dumped)) > len(situations()) + 500
    assert len(set(dumped[len(situations()) :])) == len(less_told())


def test_every_slot_has_the_type_that_its_table_says() -> None:
    seen: set[tuple[str, str]] = set()

    def look(value: object, kind: Kind) -> None:
        assert isinstance(value, TYPES[kind]), (value, kind)
        if isinstance(value, tuple):
            for item in value:
                look(item, Kind.THING)
        if isinstance(value, View):
            fact = type(value._fact)
            for name, slot in SLOTS[fact].items():
                inner = getattr(value, name)
                if type(inner).__name__ != "_Unknown":
                    seen.add((fact.__name__, name))
                    look(inner, slot.type.kind)

    for situation in situations():
        about = subject(situation)
        for name, root in ROOTS.items():
            value = about.value(name)
            if type(value).__name__ != "_Unknown":
                look(value, root.type.kind)
    assert seen == {(fact.__name__, name) for fact, slots in SLOTS.items() for name in slots}
