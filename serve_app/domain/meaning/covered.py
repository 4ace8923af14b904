"""Whether an entry speaks of a question's own case, although no wording agrees with the question in everything.

For a question whose rule is certain, and an entry that is worded in several ways: what they say shows what may vary within the
rule. Each clause of the question must speak of what the wordings speak of, and nothing in it may be new but a place: no thing,
verb, number, name, event or condition that is not said, and no negation that no wording has.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from serve_app.domain.meaning.gates import (
    PARTICULARS,
    Gate,
    all_negated,
    directions,
    one_language,
    payers,
    question_agrees,
    small_counts,
)
from serve_app.domain.meaning.names import goods_in, names_in, places_named
from serve_app.domain.meaning.opposites import contradict
from serve_app.domain.meaning.sense import Sense, sense_of
from serve_app.domain.meaning.tokens import Part
from serve_app.domain.understanding.things import THINGS
from serve_app.domain.understanding.topics import named_in

WORDINGS_MIN = 4  # in the question's language; fewer show too little of what may vary
# Asked of anything, and told apart by the words that ask.
_OF_ANYTHING = frozenset({
    "when", "where", "who", "howto", "what_if", "cost", "meaning", "which", "able", "apply", "order", "buy", "number",
    "parcels", "policy", "arrive",
})  # fmt: skip
# Of these, one is not another: what is said of 试过 is not said of 洗过.
_EACH_ITS_OWN = ("opened", "courier")
_PLACES = frozenset({"region", "abroad"})
_UNKNOWN_MAX = 1  # Chinese characters that understanding knows nothing of


@dataclass(frozen=True, slots=True)
class _Said:
    """All that an entry says in one language."""

    wordings: tuple[Sense, ...]
    answer: Sense

    @property
    def all(self) -> tuple[Sense, ...]:
        return (*self.wordings, self.answer)


def another_case(asked: Sense, wordings: Sequence[Sense], answer: Sense) -> Gate | None:
    """What tells the question from all cases that the entry speaks of; None when it is one of them.

    Gate.LANGUAGE where the entry says too little in the question's language to tell.
    """
    said = _Said(tuple(wording for wording in wordings if one_language(asked, wording)), answer)
    if len(said.wordings) < WORDINGS_MIN or not answer.tokens:
        return Gate.LANGUAGE
    for gate, agrees in _WHOLE:
        if not agrees(asked, said):
            return gate
    clauses = (sense_of(clause) for clause in asked.form.split(","))
    return next(filter(None, (_refused(clause, said) for clause in clauses)), None)


def _refused(clause: Sense, said: _Said) -> Gate | None:
    """A clause asks as a wording asks, and speaks of what they speak of, or says where."""
    spoken = frozenset[str]().union(*map(_spoken, said.wordings))
    if spoken.isdisjoint(_spoken(clause)) and not places_named(clause):
        return Gate.WORDS
    for gate, agrees in _ASKING:
        if not any(agrees(clause, wording, said.answer) for wording in said.wordings):
            return gate
    return None if question_agrees(clause, said.wordings) else Gate.QUESTION


# What the question may name


def _things_known(asked: Sense, said: _Said) -> bool:
    """A wording names each; the answer's own are other cases, unless they are places."""
    named, (things, aspects) = named_in(asked.form), _named_by(tuple(sense.form for sense in said.wordings))
    places = _PLACES & _named_by((said.answer.form,))[0]
    known = named.things <= things | places and named.aspects - _OF_ANYTHING <= aspects
    return (
        known
        and named.unknown <= _UNKNOWN_MAX * named.is_chinese
        and all(_literally(name, asked, said) for name in _EACH_ITS_OWN)
    )


@functools.lru_cache(maxsize=4096)
def _named_by(forms: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    named = [named_in(form) for form in forms]
    return frozenset[str]().union(*(one.things for one in named)), frozenset[str]().union(*(one.aspects for one in named))


def _literally(name: str, asked: Sense, said: _Said) -> bool:
    return set(_found(name, [asked])) <= set(_found(name, said.all))


def _found(name: str, senses: Iterable[Sense]) -> Iterable[str]:
    for sense in senses:
        for pattern in THINGS[name]:
            yield from (match.group() for match in pattern.finditer(sense.form))


def _names_known(asked: Sense, said: _Said) -> bool:
    """Each name is said; a region or a country may be another where one is spoken of: 北京 where 偏远地区 is told apart."""
    names, places = names_in(asked), places_named(asked)
    spoken = frozenset[int]().union(*(places_named(sense, generic=True).keys() for sense in said.all))
    known = frozenset[str]().union(*map(names_in, said.all), *(places[kind] for kind in spoken & places.keys()))
    goods = goods_in(asked)
    return names <= known and any(names_in(one) <= names and goods_in(one) in (frozenset(), goods) for one in said.wordings)


def _deeds_known(asked: Sense, said: _Said) -> bool:
    """Each known verb is said, and a wording sets the same conditions."""
    deeds = {deed for sense in said.all for deed in sense.all(Part.DO)}
    conditions = {relation for wording in said.wordings for relation in wording.all(Part.RELATION)}
    places = frozenset[str]().union(*places_named(asked).values())
    unplaced = functools.reduce(lambda form, place: form.replace(place, " "), places, asked.form)
    return {*sense_of(unplaced).all(Part.DO)} <= deeds and {*asked.all(Part.RELATION)} & _CONDITIONS <= conditions


_CONDITIONS = frozenset({"without", "unless", "not_if", "instead", "within", "under", "once"})


def _numbers_known(asked: Sense, said: _Said) -> bool:
    """Each number is said; or the answer counts in the same measure, where no wording does."""
    known = {figure for sense in said.all for figure in sense.all(Part.FIGURE)}
    for figure, measure in _measured(asked):
        if figure in known or figure in small_counts(asked):
            continue
        counted = any(measure == other for wording in said.wordings for _, other in _measured(wording))
        if counted or not any(measure == other for _, other in _measured(said.answer)):
            return False
    return any({*wording.all(Part.FIGURE)} <= {*asked.all(Part.FIGURE)} for wording in said.wordings)


_CLOCK = re.compile(
    r"\d+:\d\d.*|evening|morning|afternoon|noon|night|weekend|holiday|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
)


def _measured(sense: Sense) -> Iterable[tuple[str, str]]:
    """Each number with what it counts."""
    for at, token in enumerate(sense.tokens):
        if token.part is Part.FIGURE:
            behind = sense.tokens[at + 1].concept if at + 1 < len(sense.tokens) else ""
            counts = token.concept[0].isdecimal() and not _CLOCK.fullmatch(token.concept)
            yield token.concept, behind if counts else "clock" if _CLOCK.fullmatch(token.concept) else token.concept


def _negations_known(asked: Sense, said: _Said) -> bool:
    """A wording negates all that is negated, circumstances too; and nothing that only wordings negate is affirmed."""
    ours, theirs = all_negated(asked), frozenset[str]().union(*map(all_negated, said.wordings))
    affirmed = {concept for one in said.wordings for concept in _content(one) - all_negated(one)}
    return ours <= theirs and not ((theirs - affirmed) & (_content(asked) - ours))


def _tenses_known(asked: Sense, said: _Said) -> bool:
    """What has already happened, or happened once: as a wording says it."""
    told = "".join(wording.form for wording in said.wordings)
    known = {aspect for wording in said.wordings for aspect in wording.all(Part.ASPECT)}
    return {*asked.all(Part.ASPECT)} & _TENSES <= known and all(once in told for once in _ONCE.findall(asked.form))


_TENSES = frozenset({"already", "past", "yet", "again", "have"})
_ONCE = re.compile(r"(?<!超)[\u4e00-\u9fff]过(?![了期来去程敏户年])")


def _events_known(asked: Sense, said: _Said) -> bool:
    """Before or after what, as wordings or answer say it; the poles that the wordings name; and a payer that one names."""
    known = frozenset[tuple[str, str]]().union(*map(directions, said.all))
    if not directions(asked) <= known or not any(directions(wording) <= directions(asked) for wording in said.wordings):
        return False
    whole = ",".join(wording.form for wording in said.wordings)
    return not contradict(asked.form, whole) and payers(asked) in map(payers, said.wordings)


def _scope_known(asked: Sense, said: _Said) -> bool:
    ours, theirs = ({*asked.all(Part.SCOPE)} & _SCOPES, {scope for sense in said.all for scope in sense.all(Part.SCOPE)})
    return ours <= theirs and any({*wording.all(Part.SCOPE)} & _SCOPES <= ours for wording in said.wordings)


_SCOPES = frozenset({"only", "part", "except", "half", "most", "least", "other", "each"})


def _content(sense: Sense) -> frozenset[str]:
    return frozenset(sense.all(Part.WORD, Part.DO, Part.NAME, Part.MODAL, Part.RELATION))


def _spoken(sense: Sense) -> frozenset[str]:
    return frozenset(sense.all(Part.WORD, Part.DO, Part.NAME))


_WHOLE: tuple[tuple[Gate, Callable[[Sense, _Said], bool]], ...] = (
    (Gate.WORDS, _things_known),
    (Gate.WORDS, _deeds_known),
    (Gate.ENTITIES, _names_known),
    (Gate.NUMBERS, _numbers_known),
    (Gate.NEGATION, _negations_known),
    (Gate.DIRECTION, _events_known),
    (Gate.TENSE, _tenses_known),
    (Gate.SCOPE, _scope_known),
)
_ASKING = tuple((gate, agrees) for gate, agrees in PARTICULARS if gate in (Gate.NEGATION, Gate.MODALITY, Gate.ORDER))
