"""Whether an entry speaks of a question's own case, although no wording agrees with the question in everything.

For a question whose rule is certain, and an entry that is worded in several ways: what they say shows what may vary within the
rule. Only evidence of a difference refuses: a thing, number, name or event that neither wordings nor answer speak of, or the
negation of what they affirm. A clause beside the one that asks tells circumstances.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from serve_app.domain.meaning.gates import PARTICULARS, Gate, directions, negated, one_language, question_agrees, small_counts
from serve_app.domain.meaning.names import goods_in, kinds_named, names_in
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
    clauses = [sense_of(clause) for clause in asked.form.split(",")]
    refused = [_refused(clause, said) for clause in clauses]
    return None if None in refused else refused[-1]


def _refused(clause: Sense, said: _Said) -> Gate | None:
    for gate, agrees in _ASKING:
        if not any(agrees(clause, wording, said.answer) for wording in said.wordings):
            return gate
    return None if question_agrees(clause, said.wordings) else Gate.QUESTION


# What the question may name


def _things_known(asked: Sense, said: _Said) -> bool:
    named, (things, aspects) = named_in(asked.form), _named_by(tuple(sense.form for sense in said.all))
    known = named.things <= things and named.aspects - _OF_ANYTHING <= aspects
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
    """Each name is said, or one of a kind that is spoken of: 北京 where 偏远地区 is told apart."""
    names, kinds = names_in(asked), kinds_named(asked)
    unsaid = names - frozenset[str]().union(*map(names_in, said.all))
    of_kinds = {name: kind for kind, found in kinds.items() for name in found}
    spoken = frozenset[str]().union(*(kinds_named(sense, generic=True).keys() for sense in said.all))
    if any(_kind_of(name, of_kinds) not in spoken for name in unsaid):
        return False
    goods = goods_in(asked)
    return any(names_in(one) <= names and goods_in(one) in (frozenset(), goods) for one in said.wordings)


def _kind_of(name: str, of_kinds: dict[str, int]) -> int | None:
    return next((kind for found, kind in of_kinds.items() if name in found), None)


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
    """Nothing that a wording affirms is negated, unless another negates it, too; nor the other way round."""
    ours, theirs = negated(asked), frozenset[str]().union(*map(negated, said.wordings))
    affirmed = {concept for one in said.wordings for concept in _content(one) - negated(one)}
    return not (ours & affirmed - theirs) and not ((theirs - affirmed) & (_content(asked) - ours))


def _events_known(asked: Sense, said: _Said) -> bool:
    """Before or after what: as the wordings or the answer say it."""
    known = frozenset[tuple[str, str]]().union(*map(directions, said.all))
    return directions(asked) <= known and any(directions(wording) <= directions(asked) for wording in said.wordings)


def _scope_known(asked: Sense, said: _Said) -> bool:
    ours, theirs = ({*asked.all(Part.SCOPE)} & _SCOPES, {scope for sense in said.all for scope in sense.all(Part.SCOPE)})
    return ours <= theirs and any({*wording.all(Part.SCOPE)} & _SCOPES <= ours for wording in said.wordings)


_SCOPES = frozenset({"only", "part", "except", "half", "most", "least", "other", "each"})


def _content(sense: Sense) -> frozenset[str]:
    return frozenset(sense.all(Part.WORD, Part.DO, Part.NAME, Part.MODAL))


_WHOLE: tuple[tuple[Gate, Callable[[Sense, _Said], bool]], ...] = (
    (Gate.WORDS, _things_known),
    (Gate.ENTITIES, _names_known),
    (Gate.NUMBERS, _numbers_known),
    (Gate.NEGATION, _negations_known),
    (Gate.DIRECTION, _events_known),
    (Gate.SCOPE, _scope_known),
)
_ASKING = tuple((gate, agrees) for gate, agrees in PARTICULARS if gate in (Gate.NEGATION, Gate.MODALITY, Gate.ORDER))
