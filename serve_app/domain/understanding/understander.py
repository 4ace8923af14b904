"""From a customer's words to language, intent, entities, kind, and whether the question stands on its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from serve_app.domain.id_formats import DEMO_FORMATS, Formats
from serve_app.domain.intents import ABOUT_THE_CUSTOMER, ACTIONS, REPLIES, TEMPLATED, Intent, kind_of
from serve_app.domain.messages import Kind, Option, Suggestion
from serve_app.domain.normalise import canonical_form, clean
from serve_app.domain.question import Focus, Understanding
from serve_app.domain.understanding import markers
from serve_app.domain.understanding.conversation import CONVERSATION
from serve_app.domain.understanding.entities import entities_in
from serve_app.domain.understanding.following import (
    core_of,
    is_just_pointing,
    points_at_the_other,
    starts_follow_up,
    topic_after,
)
from serve_app.domain.understanding.language import language_of
from serve_app.domain.understanding.own_questions import OwnQuestion, own_question, thing_after
from serve_app.domain.understanding.own_things import ACTING, OWN_THINGS
from serve_app.domain.understanding.picking import at_ordinal, is_bare_pick, option_named
from serve_app.domain.understanding.rules import first_match
from serve_app.domain.understanding.said import Said, own_intent, said_with
from serve_app.domain.understanding.subjects import is_short, names_no_subject, own_after, subject_of
from serve_app.domain.understanding.topics import ANYONES, CASES, TOLD, TOPICS, Named, fits, named_in, only_rule

# Below these the classifier's best guess counts for nothing. A wrong template or entry is worse than a miss.
_SURE_OF_RULES = 0.58  # that a rule is asked for, whichever
_SURE_WITH_WORDS = 0.35  # that it is this one, when the words name it and nothing else
_SURE_OF_CLAUSE = 0.8
_CHANCE_OF_ONLY = 0.06  # of the only rule that the words fit
_CHANCE_OF_SECOND = 0.04  # of a rule that the words fit when they exclude the best guess
_SURE_OF_CLAUSE_WITH_WORDS = 0.4
_SURE_OF_SMALL_TALK = 0.7
_SURE_OF_PRODUCT = 0.5
_SURE_OF_A_THING = 0.6  # that what nothing else says is the customer's own is something they bought
_TOO_LONG_FOR_A_RULE = 80  # characters: a story, not a question about a rule
_LOOKED_AT = 1000  # characters searched for entities and the language
_TOO_LONG_TO_READ = 200  # bounds the time that patterns may take

_OWN_INTENTS = TEMPLATED | ACTIONS
_ABOUT_ONE_ORDER = _OWN_INTENTS - ABOUT_THE_CUSTOMER
# Answered alike however they are said, so the intent alone is the key.
_SAID_IN_MANY_WAYS = frozenset({Intent.GREETING, Intent.THANKS, Intent.GOODBYE, Intent.HUMAN})
_TOLD_BY_WEEKDAYS = frozenset({Intent.SHIPPING_TIME, Intent.SUPPORT_HOURS, Intent.DELIVERY_SLOT, Intent.CAMPAIGN})


@dataclass(frozen=True, slots=True)
class _Reading:
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


_UNRESOLVED = _Reading(Intent.OTHER, 0.0, Kind.PERSONAL, "")


class Understander:
    """`classify` gives intents with probabilities, best first; `detect` an ISO 639-1 code and its probability. Pure."""

    def __init__(
        self, classify: Callable[[str], Sequence[tuple[str, float]]], detect: Callable[[str], tuple[str, float]]
    ) -> None:
        self._classify = classify
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

    def _reading(self, said: Said, focus: Focus, *, foreign: bool) -> _Reading:
        if len(said.text) > _TOO_LONG_TO_READ:
            return _UNRESOLVED
        picked = self._picked(said, focus)
        if picked is not None:
            return picked
        return _UNRESOLVED if foreign else self._read(said, focus)

    def _read(self, said: Said, focus: Focus) -> _Reading:
        if said.talk is Intent.COMPLAINT:
            return self._complained(said, focus)
        if said.talk is not None:
            return _conversation(said.talk, said.form)
        again = thing_after(said.plain, focus.intent) if starts_follow_up(said.text) else None
        own = _of_own(again or own_question(said.plain, focus.intent), said, focus)
        if own is not None and not own.things:
            return own
        reading = self._leaning_or_standing(said, focus)
        if own is not None and own.definite and reading.kind is Kind.PUBLIC:
            return own
        alone = focus.intent is None and (starts_follow_up(said.text) or markers.is_fragment(said.form))
        if alone or reading.kind in (Kind.PUBLIC, Kind.TEMPLATED, Kind.ACTION):
            return reading
        return own or _of_own(thing_after(said.plain, focus.intent), said, focus) or reading

    def _leaning_or_standing(self, said: Said, focus: Focus) -> _Reading:
        if starts_follow_up(said.text) or markers.is_fragment(said.form) or _points_outside(said.plain):
            return self._followed(said, focus)
        elliptic = self._subjectless(said, focus)
        if elliptic is not None:
            return elliptic
        standing = self._standing(said, focus)
        if standing.settled or standing.kind is Kind.TEMPLATED or focus.intent is None or not is_short(said.form):
            return standing
        return self._with_subject(said.form, focus.intent) or standing

    def _complained(self, said: Said, focus: Focus) -> _Reading:
        """Anger beside a question leaves the question."""
        calm = [clause for clause in said.plain.split(",") if first_match(CONVERSATION, clause) is not Intent.COMPLAINT]
        if 0 < len(calm) < len(said.plain.split(",")) and not _points_outside(",".join(calm)):
            reading = self._standing(said, focus, ",".join(calm))
            if reading.settled or reading.kind is Kind.TEMPLATED:
                return reading
        if markers.wants_to_complain(said.plain):
            return _Reading(Intent.COMPLAINT_CHANNEL, 1.0, Kind.PUBLIC, f"@{Intent.COMPLAINT_CHANNEL}")
        return _conversation(Intent.COMPLAINT, said.form)

    # A pick from what was offered

    def _picked(self, said: Said, focus: Focus) -> _Reading | None:
        offered, suggested = _chosen_by_id(said.text, focus)
        agreed = said.talk is Intent.AFFIRM
        bare = is_bare_pick(said.numbered)
        if offered is None and focus.offered:
            offered = focus.offered[0] if agreed and len(focus.offered) == 1 else option_named(said.entities, focus.offered)
        if offered is not None:
            return self._picked_order(said, offered, focus, bare=bare or agreed or said.text == offered.id)
        if bare and focus.offered and said.entities.ordinal is not None:
            return _about_order(focus.intent or Intent.ORDER_STATUS, None)  # there is no such one: which, then?
        if suggested is None and focus.suggested:
            if agreed and len(focus.suggested) == 1:
                suggested = focus.suggested[0]
            elif bare:
                suggested = at_ordinal(focus.suggested, said.entities.ordinal)
        if suggested is not None:
            return self._picked_question(suggested)
        return _named_order(said, focus) if bare else None

    def _picked_order(self, said: Said, option: Option, focus: Focus, *, bare: bool) -> _Reading:
        intent = focus.intent or Intent.ORDER_STATUS
        if not bare:
            intent = own_intent(said.plain) or (
                intent if is_short(said.form) and not named_in(said.form).things else Intent.OTHER
            )
        return _about_order(intent, option.id)

    def _picked_question(self, suggestion: Suggestion) -> _Reading:
        canonical = canonical_form(suggestion.question)
        best, confidence = self._classify(canonical)[0]
        intent = Intent(best)
        if kind_of(intent) is not Kind.PUBLIC:
            intent = Intent.OTHER
        return _Reading(intent, confidence, Kind.PUBLIC, canonical, carried=True)

    # What leans on an earlier turn

    def _followed(self, said: Said, focus: Focus) -> _Reading:
        last = focus.intent
        if last is None or last is Intent.OTHER:
            return self._attached_or_unresolved(said, None)
        topic = topic_after(said.text, last)
        if topic is not None:
            if topic in _OWN_INTENTS:
                return _about_order(topic, None if topic is Intent.TIER else focus.order_id)
            return _Reading(topic, 1.0, Kind.PUBLIC, f"@{topic}", carried=True)
        if is_just_pointing(said.text) and last in _OWN_INTENTS:
            return _about_order(last, _other_order(focus) if points_at_the_other(said.text) else None)
        return self._with_subject(core_of(said.text), last) or self._attached_or_unresolved(said, focus.order_id)

    def _subjectless(self, said: Said, focus: Focus) -> _Reading | None:
        """能退吗 after a question on deposits is about deposits; 退到哪里 after one's own refund is about that refund."""
        last = focus.intent
        if last is None or said.entities.names_an_order or not is_short(said.form):
            return None
        if last in _OWN_INTENTS:
            intent, _, settled = self._guess(said.plain)
            own = own_after(last, intent) if settled and not markers.is_generic(said.form) else None
            return None if own is None else _about_order(own, None if own is Intent.TIER else focus.order_id)
        return self._with_subject(said.form, last) if names_no_subject(said.form) else None

    def _with_subject(self, core: str, last: Intent) -> _Reading | None:
        subject = subject_of(last, core)
        if not subject or not core:
            return None
        intent, _, settled = self._guess(f"{subject} {core}" if core.isascii() else f"{subject}{core}")
        if not settled or markers.is_own(core):
            return None
        return _Reading(intent, 1.0, Kind.PUBLIC, f"@{intent}", carried=True)

    def _attached_or_unresolved(self, said: Said, order_id: str | None) -> _Reading:
        """An order that came along, or was last spoken of, is what 它 and "it" mean."""
        intent = own_intent(said.plain)
        if intent is not None and intent in ACTIONS:
            return _about_order(intent, order_id)
        if intent is not None and intent in _ABOUT_ONE_ORDER:
            named = said.entities.order_ids[0] if said.entities.order_ids else order_id
            if named is not None:
                return replace(_about_order(intent, named), carried=order_id is not None)
        return replace(_UNRESOLVED, intent=intent or Intent.OTHER)

    # What stands on its own

    def _standing(self, said: Said, focus: Focus, plain: str | None = None) -> _Reading:
        """`plain` is what is to be read of it, if not all."""
        plain = plain or said.plain
        if self._mixes_topics(plain):
            return _Reading(Intent.OTHER, 0.0, Kind.PERSONAL, said.form)
        ruled = first_match(OWN_THINGS, plain) or first_match(ACTING, plain)
        if ruled is Intent.WITHDRAW_RETURN or (ruled is not None and fits(ruled, named_in(plain))):
            if ruled in ACTIONS - {Intent.WITHDRAW_RETURN} and markers.is_reversed(plain):
                return _Reading(Intent.OTHER, 0.0, Kind.PERSONAL, said.form)
            order_id = _continued_order(said, ruled, focus)
            canonical = f"@{ruled}" if order_id else said.form
            return _Reading(ruled, 1.0, kind_of(ruled), canonical, carried=bool(order_id), chosen_order_id=order_id)
        intent, confidence, settled = self._guess(plain)
        asked = None if settled else self._asked_in_a_clause(plain)
        if asked is not None:
            intent, settled = asked, True
        return _Reading(intent, confidence, _kind(said, plain, intent), said.form, settled=settled)

    def _asked_in_a_clause(self, plain: str) -> Intent | None:
        """The rule that one clause asks for, where the others only tell of what that rule is about."""
        clauses = [clause for clause in plain.split(",") if len(clause) >= 3]
        if len(clauses) < 2 or len(plain) > _TOO_LONG_FOR_A_RULE or any(self._own(clause) for clause in clauses):
            return None
        asked: set[Intent] = set()
        for clause in clauses:
            intent, confidence, settled = self._guess(clause)
            if settled and confidence >= _SURE_OF_CLAUSE_WITH_WORDS:
                asked.add(intent)
        things = named_in(plain)
        fitting = [intent for intent in asked if fits(intent, replace(things, unknown=0)) and not _turned(plain, intent)]
        return fitting[0] if len(asked) == 1 and fitting else None

    def _own(self, clause: str) -> bool:
        return (first_match(OWN_THINGS, clause) or first_match(ACTING, clause)) is not None

    def _guess(self, plain: str) -> tuple[Intent, float, bool]:
        """The intent, its probability, and whether the words settle it."""
        guesses = self._classify(plain)
        intent, confidence, settled = Intent(guesses[0][0]), guesses[0][1], False
        if intent is Intent.CHITCHAT:
            sure = confidence >= _SURE_OF_SMALL_TALK and not markers.speaks_of_the_shop(plain)
        elif intent in (Intent.PRODUCT, Intent.COMPLAINT):
            sure = confidence >= _SURE_OF_PRODUCT
        elif kind_of(intent) is not Kind.PUBLIC or intent in _SAID_IN_MANY_WAYS:
            # Whose things are meant, and what is to be done with them, only rules tell well enough.
            sure = False
        else:
            settled = (
                confidence >= _SURE_WITH_WORDS and fits(intent, named_in(plain), confidence) and not _turned(plain, intent)
            )
            if not settled:
                second = _only_fitting(guesses, named_in(plain))
                if second is not None and not _turned(plain, second[0]):
                    return (*second, True)
            of_rules = sum(chance for guess, chance in guesses if Intent(guess) in TOPICS)
            sure = settled or (of_rules >= _SURE_OF_RULES and not _turned(plain, intent))
        return (intent, confidence, settled) if sure else (Intent.OTHER, confidence, False)

    def _mixes_topics(self, plain: str) -> bool:
        """Several clauses that each are another question."""
        clauses = [clause for clause in plain.split(",") if len(clause) >= 4]
        if len(clauses) < 2:
            return False
        intents = {self._clause_intent(clause) for clause in clauses} - {None}
        return len(intents) > 1

    def _clause_intent(self, clause: str) -> Intent | None:
        ruled = first_match(OWN_THINGS, clause) or first_match(ACTING, clause)
        if ruled is not None:
            return ruled
        best, confidence = self._classify(clause)[0]
        is_rule = (
            confidence >= _SURE_OF_CLAUSE and kind_of(Intent(best)) is Kind.PUBLIC and fits(Intent(best), named_in(clause))
        )
        return Intent(best) if is_rule else None


_CLAUSES = re.compile(r",| (?:and|but|so|because|if|when|or) | (?=(?:can|could|will|do|does|how|what|is) (?:i|you|u|it)\b)")


def _only_fitting(guesses: Sequence[tuple[str, float]], named: Named) -> tuple[Intent, float] | None:
    """The only rule that the words fit: of all, or of the guesses where the best one does not know a thing that they name."""
    best = TOPICS.get(Intent(guesses[0][0]))
    fitting = only_rule(named)
    if fitting is not None:
        chance = next((chance for guess, chance in guesses if guess == fitting), 0.0)
        return (fitting, chance) if chance >= _CHANCE_OF_ONLY else None
    if best is None or named.things <= best.knows or len(named.things) < 2:
        return None
    likely = [(Intent(guess), chance) for guess, chance in guesses if Intent(guess) in TOPICS and fits(Intent(guess), named)]
    return likely[0] if len(likely) == 1 and likely[0][1] >= _CHANCE_OF_SECOND else None


def _points_outside(plain: str) -> bool:
    """It refers to something that is not in an earlier clause of its own: 包装拆开了,这样还能退吗 needs nothing before it."""
    first, *later = _CLAUSES.split(plain)
    tells = bool(later) and bool(named_in(first).things)
    return markers.points_back(plain) and (not tells or markers.points_back(first))


def _of_own(question: OwnQuestion | None, said: Said, focus: Focus) -> _Reading | None:
    if question is None or (question.things and not said.names_things):
        return None
    intent, order_id = question.intent, None
    if not question.things and not question.marks and intent not in ABOUT_THE_CUSTOMER:
        order_id = focus.order_id if question.leans else _continued_order(said, intent, focus)
    return _Reading(
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


def _conversation(intent: Intent, form: str) -> _Reading:
    if intent in _SAID_IN_MANY_WAYS:
        return _Reading(intent, 1.0, Kind.PUBLIC, f"@{intent}")
    return _Reading(intent, 1.0, Kind.PERSONAL, "" if intent in REPLIES else form)


def _chosen_by_id(text: str, focus: Focus) -> tuple[Option | None, Suggestion | None]:
    option = next((option for option in focus.offered if option.id == text), None)
    suggestion = next((suggestion for suggestion in focus.suggested if text in (suggestion.id, suggestion.question)), None)
    return option, suggestion


def _named_order(said: Said, focus: Focus) -> _Reading:
    """A bare order number, or its last digits: the last question about an order is asked of this one."""
    if not said.entities.names_an_order or (said.attached and not is_bare_pick(said.numbered)):
        return _UNRESOLVED
    if focus.intent is not None and focus.intent in _ABOUT_ONE_ORDER:
        return _about_order(focus.intent, None)
    # Its last digits alone may mean anything; a whole number can only mean the order.
    canonical = said.form if said.entities.order_ids else ""
    return _Reading(Intent.ORDER_STATUS, 0.6, Kind.TEMPLATED, canonical)


def _about_order(intent: Intent, order_id: str | None) -> _Reading:
    kind = kind_of(intent) if intent in _OWN_INTENTS else Kind.PERSONAL
    canonical = "" if kind is Kind.PERSONAL else f"@{intent}"
    return _Reading(intent, 1.0, kind, canonical, carried=True, chosen_order_id=order_id)


def _other_order(focus: Focus) -> str | None:
    others = [option.id for option in focus.offered if option.id != focus.order_id]
    return others[0] if len(others) == 1 and len(focus.offered) == 2 else None


def _continued_order(said: Said, intent: Intent, focus: Focus) -> str | None:
    """什么时候到 in the middle of a talk about an order is about that order; 我的快递到哪了 need not be."""
    goes_on = focus.intent in _OWN_INTENTS and intent in _ABOUT_ONE_ORDER
    return focus.order_id if goes_on and not said.entities.names_an_order and not markers.is_own(said.form) else None


def _turned(plain: str, intent: Intent) -> bool:
    if intent is Intent.SCAM_WARNING or intent in TOLD:
        return False
    if intent in CASES:
        return markers.is_event(markers.without_why(plain)) and not markers.asks_what_to_do(plain)
    told = markers.is_event(plain) or markers.is_request(plain)
    return markers.is_reversed(plain) or (told and not markers.asks_what_to_do(plain))


def _kind(said: Said, plain: str, intent: Intent) -> Kind:
    """What mixes own facts with a rule is personal; so is what asks of one order or product, or of one day."""
    kind = kind_of(intent)
    if kind is not Kind.PUBLIC:
        return kind
    particular = (
        (markers.is_own(plain) and intent not in ANYONES)
        or (said.entities.names_an_order and not said.attached)
        or (bool(said.entities.sku_ids) and not said.attached)
        or (said.attached and markers.asks_of_this_one(plain))
        or (bool(said.entities.dates) and intent not in _TOLD_BY_WEEKDAYS)
        or len(plain) > _TOO_LONG_FOR_A_RULE
    )
    return Kind.PERSONAL if particular else Kind.PUBLIC
