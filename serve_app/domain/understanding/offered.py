"""A pick from what was offered, and what is asked of it: 第二个, "the last one", 尾号1234, 好的 after a single offer."""

from __future__ import annotations

from serve_app.domain.intents import Intent, kind_of
from serve_app.domain.messages import Kind, Option, Suggestion
from serve_app.domain.normalise import canonical_form
from serve_app.domain.question import Focus
from serve_app.domain.understanding.guessing import Guesser
from serve_app.domain.understanding.picking import at_ordinal, is_bare_pick, option_named
from serve_app.domain.understanding.reading import ABOUT_ONE_ORDER, UNRESOLVED, Reading, about_order
from serve_app.domain.understanding.said import Said, own_intent
from serve_app.domain.understanding.subjects import is_short
from serve_app.domain.understanding.topics import named_in


def picked(said: Said, focus: Focus, guesser: Guesser) -> Reading | None:
    """None when the text picks nothing."""
    offered, suggested = _chosen_by_id(said.text, focus)
    agreed = said.talk is Intent.AFFIRM
    bare = is_bare_pick(said.numbered)
    if offered is None and focus.offered:
        offered = focus.offered[0] if agreed and len(focus.offered) == 1 else option_named(said.entities, focus.offered)
    if offered is not None:
        return _picked_order(said, offered, focus, bare=bare or agreed or said.text == offered.id)
    if bare and focus.offered and said.entities.ordinal is not None:
        return about_order(focus.intent or Intent.ORDER_STATUS, None)  # there is no such one: which, then?
    if suggested is None and focus.suggested:
        if agreed and len(focus.suggested) == 1:
            suggested = focus.suggested[0]
        elif bare:
            suggested = at_ordinal(focus.suggested, said.entities.ordinal)
    if suggested is not None:
        return _picked_question(suggested, guesser)
    return _named_order(said, focus) if bare else None


def _picked_order(said: Said, option: Option, focus: Focus, *, bare: bool) -> Reading:
    intent = focus.intent or Intent.ORDER_STATUS
    if not bare:
        intent = own_intent(said.plain) or (intent if is_short(said.form) and not named_in(said.form).things else Intent.OTHER)
    return about_order(intent, option.id)


def _picked_question(suggestion: Suggestion, guesser: Guesser) -> Reading:
    canonical = canonical_form(suggestion.question)
    intent, confidence = guesser.best(canonical)
    if kind_of(intent) is not Kind.PUBLIC:
        intent = Intent.OTHER
    return Reading(intent, confidence, Kind.PUBLIC, canonical, carried=True)


def _chosen_by_id(text: str, focus: Focus) -> tuple[Option | None, Suggestion | None]:
    option = next((option for option in focus.offered if option.id == text), None)
    suggestion = next((suggestion for suggestion in focus.suggested if text in (suggestion.id, suggestion.question)), None)
    return option, suggestion


def _named_order(said: Said, focus: Focus) -> Reading:
    """A bare order number, or its last digits: the last question about an order is asked of this one."""
    if not said.entities.names_an_order or (said.attached and not is_bare_pick(said.numbered)):
        return UNRESOLVED
    if focus.intent is not None and focus.intent in ABOUT_ONE_ORDER:
        return about_order(focus.intent, None)
    # Its last digits alone may mean anything; a whole number can only mean the order.
    canonical = said.form if said.entities.order_ids else ""
    return Reading(Intent.ORDER_STATUS, 0.6, Kind.TEMPLATED, canonical)
