"""What a question was read as, and the readings that need nothing but an intent."""

from __future__ import annotations

from dataclasses import dataclass

from serve_app.domain.intents import ABOUT_THE_CUSTOMER, ACTIONS, REPLIES, TEMPLATED, Intent, kind_of
from serve_app.domain.messages import Kind
from serve_app.domain.question import Focus
from serve_app.domain.understanding import markers
from serve_app.domain.understanding.said import Said

OWN_INTENTS = TEMPLATED | ACTIONS
ABOUT_ONE_ORDER = OWN_INTENTS - ABOUT_THE_CUSTOMER
# Answered alike however they are said, so the intent alone is the key.
SAID_IN_MANY_WAYS = frozenset({Intent.GREETING, Intent.THANKS, Intent.GOODBYE, Intent.HUMAN})


@dataclass(frozen=True, slots=True)
class Reading:
    intent: Intent
    confidence: float
    kind: Kind
    canonical: str
    carried: bool = False
    chosen_order_id: str | None = None
    settled: bool = False
    things: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    definite: bool = False  # it speaks of one thing that there is, not of anyone's


UNRESOLVED = Reading(Intent.OTHER, 0.0, Kind.PERSONAL, "")


def of_rule(intent: Intent) -> Reading:
    """The rule that a question asks for with the help of what was said before."""
    return Reading(intent, 1.0, Kind.PUBLIC, f"@{intent}", carried=True)


def about_order(intent: Intent, order_id: str | None) -> Reading:
    """A question on an order, or its after-sale, that only what was said before makes whole."""
    kind = kind_of(intent) if intent in OWN_INTENTS else Kind.PERSONAL
    canonical = "" if kind is Kind.PERSONAL else f"@{intent}"
    return Reading(intent, 1.0, kind, canonical, carried=True, chosen_order_id=order_id)


def in_conversation(intent: Intent, form: str) -> Reading:
    if intent in SAID_IN_MANY_WAYS:
        return Reading(intent, 1.0, Kind.PUBLIC, f"@{intent}")
    return Reading(intent, 1.0, Kind.PERSONAL, "" if intent in REPLIES else form)


def continued_order(said: Said, intent: Intent, focus: Focus) -> str | None:
    """什么时候到 in the middle of a talk about an order is about that order; 我的快递到哪了 need not be."""
    goes_on = focus.intent in OWN_INTENTS and intent in ABOUT_ONE_ORDER
    return focus.order_id if goes_on and not said.entities.names_an_order and not markers.is_own(said.form) else None
