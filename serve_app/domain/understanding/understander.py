"""From a customer's words to language, intent, entities, kind, and whether the question stands on its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Literal

from serve_app.domain.id_formats import DEMO_FORMATS, Formats
from serve_app.domain.intents import ABOUT_THE_CUSTOMER, Intent
from serve_app.domain.messages import Kind, Language
from serve_app.domain.normalise import clean
from serve_app.domain.question import Focus, Understanding
from serve_app.domain.understanding import markers
from serve_app.domain.understanding.conversation import CONVERSATION
from serve_app.domain.understanding.entities import entities_in
from serve_app.domain.understanding.following import starts_follow_up
from serve_app.domain.understanding.guessing import Classify, Guesser
from serve_app.domain.understanding.language import language_of
from serve_app.domain.understanding.leaning import followed, subjectless, with_subject
from serve_app.domain.understanding.offered import picked
from serve_app.domain.understanding.own_questions import OwnQuestion, own_question, thing_after
from serve_app.domain.understanding.picking import is_bare_pick
from serve_app.domain.understanding.reading import OWN_INTENTS, UNRESOLVED, Reading, continued_order, in_conversation
from serve_app.domain.understanding.rules import first_match
from serve_app.domain.understanding.said import Said, said_with
from serve_app.domain.understanding.standing import standing
from serve_app.domain.understanding.subjects import is_short, leaves_open, names_no_subject
from serve_app.domain.understanding.topics import named_in

Leaning = Literal["nothing", "subject", "conversation"]

_LANGUAGES: tuple[Language, ...] = ("zh", "en")
_SURE_OF_A_THING = 0.6  # that what nothing else says is the customer's own is something they bought
_LOOKED_AT = 1000  # characters searched for entities and the language
TOO_LONG_TO_READ = 200  # characters; bounds the time that patterns may take


class Understander:
    """`classify` gives intents with probabilities, best first; `detect` an ISO 639-1 code and its probability. Pure."""

    def __init__(self, classify: Classify, detect: Callable[[str], tuple[str, float]]) -> None:
        self._guesser = Guesser(classify)
        self._detect = detect

    def understand(
        self,
        text: str,
        focus: Focus,
        today: date,
        *,
        order_id: str | None = None,
        sku_id: str | None = None,
        locale: str | None = None,
        formats: Formats = DEMO_FORMATS,
        things: bool = True,
    ) -> Understanding:
        """`today` is the day in the shop's zone, `formats` are those of its ids; `order_id` and `sku_id` came along.

        Words that could be the name of something bought are taken for one with `things`.

        Never raises.
        """
        cleaned = clean(text)
        spoken = language_of(cleaned[:_LOOKED_AT], focus.language, locale, self._detect)
        looked_at = cleaned[:_LOOKED_AT]
        names = tuple(found.said for found in formats.order_id.found_in(looked_at))
        said = said_with(cleaned, entities_in(looked_at, today, formats), order_id, sku_id, names)
        said = replace(said, names_things=things)
        reading = self._reading(said, focus, foreign=spoken.foreign)
        return Understanding(
            text=text,
            language=spoken.language,
            foreign=spoken.foreign,
            intent=reading.intent,
            confidence=reading.confidence,
            entities=replace(said.entities, things=reading.things, marks=reading.marks),
            kind=reading.kind if reading.canonical else Kind.PERSONAL,
            canonical=reading.canonical,
            carried=reading.carried,
            chosen_order_id=reading.chosen_order_id,
            settled=reading.settled and reading.kind is Kind.PUBLIC,
        )

    def leaning(self, alone: Understanding) -> Leaning:
        """On what a question, read as `alone` without a conversation, leans in one that `is_about_a_rule`: on nothing, so that
        it is read the same; on the subject of the last question at most; or on more than can be told without looking."""
        if alone.kind is not Kind.PUBLIC or alone.foreign:
            return "conversation"
        cleaned = clean(alone.text)
        spoken = {language_of(cleaned[:_LOOKED_AT], language, None, self._detect).language for language in _LANGUAGES}
        said = said_with(cleaned, alone.entities, None, None)
        leans = (
            len(spoken) > 1
            or starts_follow_up(said.text)
            or markers.is_fragment(said.form)
            or is_bare_pick(said.numbered)
            or _points_outside(said.plain)
            or (is_short(said.form) and leaves_open(said.form, settled=alone.settled))
        )
        if leans:
            return "conversation"
        return "subject" if is_short(said.form) and (not alone.settled or names_no_subject(said.form)) else "nothing"

    @staticmethod
    def is_about_a_rule(focus: Focus) -> bool:
        """The conversation is about no order and nothing was offered in it: there is little to lean on."""
        return not focus.offered and not focus.suggested and focus.intent not in OWN_INTENTS

    def _reading(self, said: Said, focus: Focus, *, foreign: bool) -> Reading:
        if len(said.text) > TOO_LONG_TO_READ:
            return UNRESOLVED
        pick = picked(said, focus, self._guesser)
        if pick is not None:
            return pick
        return UNRESOLVED if foreign else self._read(said, focus)

    def _read(self, said: Said, focus: Focus) -> Reading:
        if said.talk is Intent.COMPLAINT:
            return self._complained(said, focus)
        if said.talk is not None:
            return in_conversation(said.talk, said.form)
        again = thing_after(said.plain, focus.intent) if starts_follow_up(said.text) else None
        own = _of_own(again or own_question(said.plain, focus.intent), said, focus)
        if own is not None and not own.things:
            return own
        reading = self._leaning_or_standing(said, focus)
        if own is not None and own.definite and reading.kind is Kind.PUBLIC:
            return own
        begins = focus.intent is None and not (own is not None and own.definite)
        alone = begins and (starts_follow_up(said.text) or markers.is_fragment(said.form))
        if alone or reading.kind in (Kind.PUBLIC, Kind.TEMPLATED, Kind.ACTION):
            return reading
        return own or _of_own(thing_after(said.plain, focus.intent), said, focus) or reading

    def _leaning_or_standing(self, said: Said, focus: Focus) -> Reading:
        if starts_follow_up(said.text) or markers.is_fragment(said.form) or _points_outside(said.plain):
            return followed(said, focus, self._guesser)
        elliptic = subjectless(said, focus, self._guesser)
        if elliptic is not None:
            return elliptic
        alone = standing(said, focus, self._guesser)
        amid = focus.intent is not None or focus.misses > 0
        is_open = amid and alone.kind in (Kind.PUBLIC, Kind.PERSONAL) and is_short(said.form)
        # After another question the same words would have the same key.
        if is_open and leaves_open(said.form, settled=alone.settled, of_own=focus.intent in OWN_INTENTS):
            return UNRESOLVED
        if alone.settled or alone.kind is Kind.TEMPLATED or focus.intent is None or not is_short(said.form):
            return alone
        return with_subject(said.form, focus.intent, self._guesser) or alone

    def _complained(self, said: Said, focus: Focus) -> Reading:
        """Anger beside a question leaves the question."""
        calm = [clause for clause in said.plain.split(",") if first_match(CONVERSATION, clause) is not Intent.COMPLAINT]
        if 0 < len(calm) < len(said.plain.split(",")) and not _points_outside(",".join(calm)):
            reading = standing(said, focus, self._guesser, ",".join(calm))
            if reading.settled or reading.kind is Kind.TEMPLATED:
                return reading
        if markers.wants_to_complain(said.plain):
            return Reading(Intent.COMPLAINT_CHANNEL, 1.0, Kind.PUBLIC, f"@{Intent.COMPLAINT_CHANNEL}")
        return in_conversation(Intent.COMPLAINT, said.form)


_CLAUSES = re.compile(r",| (?:and|but|so|because|if|when|or) | (?=(?:can|could|will|do|does|how|what|is) (?:i|you|u|it)\b)")


def _points_outside(plain: str) -> bool:
    """It refers to something that is not in an earlier clause of its own: 包装拆开了,这样还能退吗 needs nothing before it."""
    first, *later = _CLAUSES.split(plain)
    tells = bool(later) and bool(named_in(first).things)
    return markers.points_back(plain) and (not tells or markers.points_back(first))


def _of_own(question: OwnQuestion | None, said: Said, focus: Focus) -> Reading | None:
    if question is None or (question.things and not said.names_things):
        return None
    intent, order_id = question.intent, None
    if not question.things and not question.marks and intent not in ABOUT_THE_CUSTOMER:
        order_id = focus.order_id if question.leans else continued_order(said, intent, focus)
    return Reading(
        intent,
        1.0 if question.is_sure else _SURE_OF_A_THING,
        Kind.TEMPLATED,
        f"@{intent}" if question.leans or order_id else said.form,
        carried=question.leans or bool(order_id),
        chosen_order_id=order_id,
        things=question.things,
        marks=question.marks,
        definite=question.is_definite,
    )
