"""Answers from templates: shared words, one customer's live facts. Pure; the same facts give the same words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from jinja2 import TemplateError

from serve_app.domain.cards import cards_of
from serve_app.domain.choosing import (
    CannotTell,
    Chosen,
    NoneFits,
    NotAmongFacts,
    NotHeld,
    Several,
    after_sales_in_progress,
    choose_order,
)
from serve_app.domain.errors import ConfigError
from serve_app.domain.facts import AfterSale, Facts, Order, Parcel
from serve_app.domain.intents import ABOUT_THE_CUSTOMER, TEMPLATED
from serve_app.domain.knowledge import Template, TemplateCase
from serve_app.domain.messages import Card, Language, Option
from serve_app.domain.question import Entities
from serve_app.domain.sample_facts import SAMPLE_NOW, sample_facts
from serve_app.domain.slots import holds, render
from serve_app.domain.template_view import NotKnown, Scope, UnknownName, View, seen, unknown
from serve_app.domain.wording import Locale

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer. `order_id` is the order that it speaks of."""

    text: str
    cards: tuple[Card, ...] = ()
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class NeedsChoice:
    """Several orders fit: an option's id is the order's id."""

    prompt: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class NotMeant:
    """The customer has nothing of what the question names: it asks for something else."""


@dataclass(frozen=True, slots=True)
class NoValue:
    """The facts do not hold what the answer needs: a slot (`parcel.eta`) or a part (`parcels`). The caller hands over."""

    slot: str


def answer_from(
    template: Template,
    facts: Facts,
    *,
    entities: Entities,
    chosen_order_id: str | None,
    locale: Locale,
    now: datetime,
) -> Rendered | NeedsChoice | NoValue | NotMeant:
    """The template's answer for the one customer whose facts these are. `now` is an aware instant. Raises nothing."""
    scope = Scope(locale, now, frozenset(facts.missing))
    if template.intent in ABOUT_THE_CUSTOMER:
        return _render(template, facts, None, entities, scope)
    match choose_order(template.intent, facts, entities, chosen_order_id):
        case CannotTell(what):
            return NoValue(what)
        case NotAmongFacts(by_tracking_no):
            return Rendered(_NOT_FOUND_BY_TRACKING[locale.language] if by_tracking_no else _NOT_FOUND[locale.language])
        case Several(orders, more):
            prompt = (_WHICH_OF_MANY if more else _WHICH)[locale.language]
            return NeedsChoice(prompt, tuple(Option(order.id, View(order, "order", scope).listed) for order in orders))
        case NotHeld():
            return NotMeant()
        case NoneFits():
            return _render(template, facts, None, entities, scope)
        case Chosen(order):
            return _render(template, facts, order, entities, scope)


def check_template(template: Template) -> None:
    """Renders every case on sample facts in both languages. Raises ConfigError naming the template, the case and the slot."""
    if template.intent not in TEMPLATED:
        allowed = ", ".join(sorted(TEMPLATED))
        raise ConfigError(f"template {template.id}: the intent {template.intent} has no facts; write one of {allowed}")
    facts = sample_facts()
    order = facts.orders[0]
    for number, case in enumerate(template.cases, start=1):
        where = f"template {template.id}, case {number}"
        for language in LANGUAGES:
            if not case.text.get(language, "").strip():
                raise ConfigError(f"{where}: there is no text in {language}")
            scope = Scope(Locale(language), SAMPLE_NOW)
            context = _context(facts, order, order.parcels[0], order.after_sales[0], scope)
            _check_case(f"{where}, {language}", case, language, context, scope)


def _check_case(where: str, case: TemplateCase, language: Language, context: Mapping[str, object], scope: Scope) -> None:
    try:
        holds(case.when, context)
        render(case.text[language], context, scope)
    except NotKnown as error:
        raise ConfigError(f"{where}: {error} is always empty here") from error
    except UnknownName as error:
        raise ConfigError(f"{where}: there is no slot {error}") from error
    except (ConfigError, TemplateError, *_SLIPS) as error:
        raise ConfigError(f"{where}: {error}") from error


def _render(template: Template, facts: Facts, order: Order | None, entities: Entities, scope: Scope) -> Rendered | NoValue:
    parcel = _parcel_meant(order, entities) if order and not scope.missing & {"parcels"} else None
    after_sale = _after_sale_meant(order) if order and not scope.missing & {"lines", "after_sales"} else None
    context = _context(facts, order, parcel, after_sale, scope)
    try:
        case = next((case for case in template.cases if holds(case.when, context)), None)
        if case is None:
            return NoValue(template.id)
        text = render(case.text[scope.locale.language], context, scope)
    except (NotKnown, UnknownName) as error:
        return NoValue(str(error))
    except (ConfigError, TemplateError, *_SLIPS):
        # A template that was published was checked, but on sample facts: whatever else goes wrong gives no answer.
        return NoValue(template.id)
    return Rendered(text, cards_of(template.intent, order, parcel, after_sale, scope), order.id if order else None)


# What a sandboxed expression can raise besides Jinja's own errors.
_SLIPS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)


def _context(
    facts: Facts, order: Order | None, parcel: Parcel | None, after_sale: AfterSale | None, scope: Scope
) -> dict[str, object]:
    of_order = Scope(scope.locale, scope.now, scope.missing, order)
    return {
        "customer": unknown("customer") if "customer" in scope.missing else seen(facts.customer, "customer", scope),
        "order": seen(order, "order", scope),
        "parcel": seen(parcel, "parcel", of_order),
        "after_sale": seen(after_sale, "after_sale", of_order),
        "orders": seen(None if "orders" in scope.missing else facts.orders, "orders", scope),
        "order_count": seen(None if "orders" in scope.missing else facts.order_count, "order_count", scope),
        "open_count": seen(_open_count(facts), "open_count", scope),
        "orders_seen": len(facts.orders),
        "open_seen": sum(order.state.is_open for order in facts.orders),
    }


def _open_count(facts: Facts) -> int | None:
    """None while there may be others that the facts do not hold."""
    if "orders" in facts.missing or facts.order_count != len(facts.orders):
        return None
    return sum(order.state.is_open for order in facts.orders)


def _parcel_meant(order: Order, entities: Entities) -> Parcel | None:
    """The parcel with the tracking number that was named, else the only one."""
    named = [parcel for parcel in order.parcels if parcel.tracking_no in entities.tracking_nos]
    parcels = named or order.parcels
    return parcels[0] if len(parcels) == 1 else None


def _after_sale_meant(order: Order) -> AfterSale | None:
    """The only one in progress, else the only one."""
    after_sales = after_sales_in_progress(order) or order.after_sales
    return after_sales[0] if len(after_sales) == 1 else None


_WHICH: dict[Language, str] = {"zh": "请问您问的是哪一个订单？", "en": "Which order do you mean?"}
_WHICH_OF_MANY: dict[Language, str] = {
    "zh": "请问您问的是哪一个订单？如果不在下面，请告诉我订单号。",
    "en": "Which order do you mean? If it is not listed here, tell me its number.",
}
_NOT_FOUND: dict[Language, str] = {
    "zh": "在您的账户下没有找到这个订单，请核对一下订单号再发给我。",
    "en": "I could not find that order under your account. Please check the order number and send it again.",
}
_NOT_FOUND_BY_TRACKING: dict[Language, str] = {
    "zh": "在您最近的订单里没有找到这个运单号，请核对一下，或者把订单号发给我。",
    "en": "I could not find that tracking number among your recent orders. Please check it, or send me the order number.",
}
