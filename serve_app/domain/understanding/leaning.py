"""What leans on an earlier turn: 那运费呢, 能退吗 after a question on deposits, "and that one?"."""

from __future__ import annotations

from dataclasses import replace

from serve_app.domain.intents import ACTIONS, Intent
from serve_app.domain.question import Focus
from serve_app.domain.understanding import markers
from serve_app.domain.understanding.following import (
    core_of,
    is_just_pointing,
    points_at_the_other,
    starts_follow_up,
    topic_after,
)
from serve_app.domain.understanding.guessing import Guesser
from serve_app.domain.understanding.reading import ABOUT_ONE_ORDER, OWN_INTENTS, UNRESOLVED, Reading, about_order, of_rule
from serve_app.domain.understanding.said import Said, own_intent
from serve_app.domain.understanding.subjects import is_short, names_no_subject, own_after, says_more, subject_of
from serve_app.domain.understanding.topics import named_in


def followed(said: Said, focus: Focus, guesser: Guesser) -> Reading:
    """A question that says itself that it goes on: by its first words, or by what it points at."""
    last = focus.intent
    if last is None or last is Intent.OTHER:
        return _attached_or_unresolved(said, None)
    topic = topic_after(said.text, last)
    if topic is not None:
        if topic in OWN_INTENTS:
            return about_order(topic, None if topic is Intent.TIER else focus.order_id)
        return of_rule(topic)
    if is_just_pointing(said.text) and last in OWN_INTENTS:
        if not points_at_the_other(said.text):
            return about_order(last, None)
        return about_order(last, _other_order(focus)) if focus.offered else UNRESOLVED
    goes_on = starts_follow_up(said.text)
    return with_subject(core_of(said.text), last, guesser, goes_on=goes_on) or _attached_or_unresolved(said, focus.order_id)


def subjectless(said: Said, focus: Focus, guesser: Guesser) -> Reading | None:
    """能退吗 after a question on deposits is about deposits; 退到哪里 after one's own refund is about that refund."""
    last = focus.intent
    if last is None or said.entities.names_an_order or not is_short(said.form):
        return None
    if last in OWN_INTENTS:
        intent, _, settled = guesser.guess(said.plain)
        own = own_after(last, intent) if settled and not markers.is_generic(said.form) else None
        return None if own is None else about_order(own, None if own is Intent.TIER else focus.order_id)
    carried = with_subject(said.form, last, guesser) if names_no_subject(said.form) else None
    if carried is None:
        return None
    alone, _, settled = guesser.guess(said.plain)
    return None if settled and says_more(said.form, alone, carried.intent) else carried


def with_subject(core: str, last: Intent, guesser: Guesser, *, goes_on: bool = False) -> Reading | None:
    """The rule that `core` asks for when what the last question was about is put before it. `goes_on`: its words say that it
    follows."""
    subject = subject_of(last, core)
    if not subject or not core:
        return None
    intent, _, settled = guesser.guess(f"{subject} {core}" if core.isascii() else f"{subject}{core}")
    named = named_in(core)
    # The same rule once more, for words that name nothing of it: 你好蠢 would be answered like the question before.
    empty = intent is last and not (named.things or (goes_on and named.aspects - {"order"}))
    # A bare name takes the last question's place in it, or none: 白金呢 after 金卡要消费多少 asks what platinum takes.
    names_alone = not named.aspects and named.things <= named_in(subject).things
    elsewhere = goes_on and intent is not last and names_alone
    if not settled or markers.is_own(core) or empty or elsewhere:
        return None
    return of_rule(intent)


def _attached_or_unresolved(said: Said, order_id: str | None) -> Reading:
    """An order that came along, or was last spoken of, is what 它 and "it" mean."""
    intent = own_intent(said.plain)
    if intent is not None and intent in ACTIONS:
        return about_order(intent, order_id)
    if intent is not None and intent in ABOUT_ONE_ORDER:
        named = said.entities.order_ids[0] if said.entities.order_ids else order_id
        if named is not None:
            return replace(about_order(intent, named), carried=order_id is not None)
    return replace(UNRESOLVED, intent=intent or Intent.OTHER)


def _other_order(focus: Focus) -> str | None:
    others = [option.id for option in focus.offered if option.id != focus.order_id]
    return others[0] if len(others) == 1 and len(focus.offered) == 2 else None
