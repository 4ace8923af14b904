"""Answers from templates: shared words, one customer's live facts. Pure; the same facts give the same words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jinja2 import TemplateError

from serve_app.domain.cards import cards_of
from serve_app.domain.choosing import CannotTell, Chosen, NoneFits, NotAmongFacts, NotHeld, Several, choose_order
from serve_app.domain.errors import ConfigError
from serve_app.domain.facts import Facts
from serve_app.domain.intents import ABOUT_THE_CUSTOMER, Intent
from serve_app.domain.knowledge import Template
from serve_app.domain.messages import Card, Language, Option
from serve_app.domain.question import Entities
from serve_app.domain.scope import Scope
from serve_app.domain.slots import SLIPS, first_that_holds, render
from serve_app.domain.template_subject import Subject, subject_of
from serve_app.domain.template_view import NotKnown, UnknownName, View
from serve_app.domain.wording import Locale


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
    about = meant(template.intent, facts, entities, chosen_order_id, scope)
    return _render(template, about) if isinstance(about, Subject) else about


def meant(
    intent: Intent, facts: Facts, entities: Entities, chosen_order_id: str | None, scope: Scope
) -> Subject | Rendered | NeedsChoice | NoValue | NotMeant:
    """What of the facts a question is about; or what is said because that cannot be told."""
    if intent in ABOUT_THE_CUSTOMER:
        return subject_of(facts, None, entities, scope)
    language = scope.locale.language
    match choose_order(intent, facts, entities, chosen_order_id):
        case CannotTell(what):
            return NoValue(what)
        case NotAmongFacts(by_tracking_no):
            return Rendered((_NOT_FOUND_BY_TRACKING if by_tracking_no else _NOT_FOUND)[language])
        case Several(orders, more):
            options = tuple(Option(order.id, View(order, "order", scope).listed) for order in orders)
            return NeedsChoice((_WHICH_OF_MANY if more else _WHICH)[language], options)
        case NotHeld():
            return NotMeant()
        case NoneFits():
            return subject_of(facts, None, entities, scope)
        case Chosen(order):
            return subject_of(facts, order, entities, scope)


def _render(template: Template, subject: Subject) -> Rendered | NoValue:
    scope, order = subject.scope, subject.order
    try:
        number = first_that_holds(template.conditions, subject.value)
        text = "" if number is None else render(template.cases[number].text[scope.locale.language], subject.value, scope)
    except (NotKnown, UnknownName) as error:
        return NoValue(str(error))
    except (ConfigError, TemplateError, *SLIPS):
        # A template that was published was checked, but on sample facts: whatever else goes wrong gives no answer.
        return NoValue(template.id)
    if not text:
        return NoValue(template.id)
    cards = cards_of(template.intent, order, subject.parcel, subject.after_sale, scope)
    return Rendered(text, cards, order.id if order else None)


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
