"""The gates: whether one answer serves a question and a published wording.

`same_question` takes nothing on trust: after normalising, the two must consist of the same words in the same order, so it is
for a candidate that is only near. `same_particulars` is for a question whose rule is known otherwise (its words name one rule
and nothing else): the words may differ, and all that makes another case of the rule must agree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from serve_app.domain.meaning.names import goods_in, names_in
from serve_app.domain.meaning.opposites import contradict
from serve_app.domain.meaning.sense import Sense
from serve_app.domain.meaning.tokens import Part, Token


class Gate(StrEnum):
    """What two questions differ in."""

    LANGUAGE = "language"
    NUMBERS = "numbers"
    ENTITIES = "entities"
    NEGATION = "negation"
    DIRECTION = "direction"  # who to whom, from where to where, before or after what
    QUESTION = "question"  # how, when, who
    MODALITY = "modality"
    TENSE = "tense"
    SCOPE = "scope"
    WORDS = "words"  # a word that the other has not got
    ORDER = "order"
    INTENT = "intent"  # not of words: the rules take it for another question
    EVIDENCE = "evidence"  # not of words: the nearest wordings do not agree well enough


def same_question(asked: Sense, wording: Sense) -> Gate | None:
    """None when nothing that carries meaning differs; else the first gate that refuses."""
    return next(_differences(asked, wording), None)


# What either side can do to the other, so that who is left unsaid matters.
_BETWEEN_TWO = frozenset(
    {"pay", "contact", "refund", "return", "send_back", "post", "transfer", "call", "give", "打", "赔", "补"}
)
_PARTS = (
    (Gate.NUMBERS, (Part.FIGURE,)),
    (Gate.ENTITIES, (Part.NAME,)),
    (Gate.NEGATION, (Part.NOT,)),
    (Gate.DIRECTION, (Part.RELATION,)),
    (Gate.MODALITY, (Part.MODAL,)),
    (Gate.TENSE, (Part.ASPECT,)),
    (Gate.SCOPE, (Part.SCOPE,)),
    (Gate.WORDS, (Part.WORD, Part.DO)),
)


def _differences(asked: Sense, wording: Sense) -> Iterator[Gate]:
    if not one_language(asked, wording):
        yield Gate.LANGUAGE
    if asked.asks != wording.asks:
        yield Gate.QUESTION
    for gate, parts in _PARTS:
        if Counter(asked.all(*parts)) != Counter(wording.all(*parts)):
            yield gate
    if not _persons_agree(asked, wording):
        yield Gate.DIRECTION
    if not _in_one_order(asked, wording):
        yield Gate.ORDER


def one_language(asked: Sense, wording: Sense) -> bool:
    return asked.language == wording.language or asked.language is None or wording.language is None


def _persons_agree(asked: Sense, wording: Sense) -> bool:
    """Who is left unsaid may be meant, unless it could be the other."""
    one, other = asked.persons, wording.persons
    if one == other:
        return True
    said = one or other
    between = _BETWEEN_TWO & {*asked.all(Part.DO, Part.WORD), *wording.all(Part.DO, Part.WORD)}
    return not (one and other) and (said == ("i",) or (said == ("you",) and not between))


_BINDING = (Part.NOT, Part.RELATION, Part.SCOPE, Part.FIGURE)


def _in_one_order(asked: Sense, wording: Sense) -> bool:
    """The same order; or no token ties two others together, and the nouns and the verbs are in the same order each."""
    free = {Part.ASK} if asked.persons and wording.persons else {Part.ASK, Part.PERSON}
    free = free - {Part.ASK} if "who" in asked.asks and asked.persons else free
    one, other = (tuple(token for token in sense.tokens if token.part not in free) for sense in (asked, wording))
    if one == other:
        return True
    if Part.ASK not in free or asked.all(*_BINDING):
        return False
    return all(_of(one, *parts) == _of(other, *parts) for parts in ((Part.WORD, Part.NAME, Part.PERSON), (Part.DO,)))


def _of(tokens: tuple[Token, ...], *parts: Part) -> tuple[Token, ...]:
    return tuple(token for token in tokens if token.part in parts)


# Particulars


def same_particulars(asked: Sense, wordings: Sequence[Sense], answer: Sense | None = None) -> Gate | None:
    """None when the question is no other case of the rule than its `wordings`, or its `answer`, speak of.

    Each gate is passed by agreeing with one wording.
    """
    spoken = [wording for wording in wordings if one_language(asked, wording)]
    if not spoken:
        return Gate.LANGUAGE
    for gate, agrees in PARTICULARS:
        if not any(agrees(asked, wording, answer or _SILENCE) for wording in spoken):
            return gate
    return None if question_agrees(asked, spoken) else Gate.QUESTION


def question_agrees(asked: Sense, wordings: Sequence[Sense]) -> bool:
    """Whether the wordings ask what the question asks: how, when, who."""
    told = frozenset[str]().union(*(wording.asks for wording in wordings))
    if len(told) > 1:
        told |= _OPEN  # the answer is not tied to one way of asking
    elif "what_then" in told and not asked.all(Part.MODAL):
        told |= {"whether"}  # to tell the case is to ask what to do
    return asked.asks <= told


def speaks_of(asked: Sense, wordings: Sequence[Sense], answer: Sense) -> Gate | None:
    """None when the rule's `wordings` and `answer` name every number, place and brand of a question that only goes on."""
    known = [*wordings, answer]
    if set(asked.all(Part.FIGURE)) - small_counts(asked) - {said for sense in known for said in sense.all(Part.FIGURE)}:
        return Gate.NUMBERS
    if names_in(asked) - {name for sense in known for name in names_in(sense)}:
        return Gate.ENTITIES
    return None


_OPEN = frozenset({"whether", "how", "what", "which", "what_then", "meaning"})
_SILENCE = Sense(None, (), "")
# Behind a figure that counts nothing but things: 两件, "two coupons".
_COUNTS_MAX = 3
_MEASURED = frozenset({"day", "hour", "workday", "yuan", "month", "week", "year", "minute", "月", "年", "周", "分", "折", "倍"})


def _numbers_agree(asked: Sense, wording: Sense, answer: Sense) -> bool:
    """The wording's numbers are the question's; what more the question names the answer names too, or it is a small count."""
    one, other = set(asked.all(Part.FIGURE)), set(wording.all(Part.FIGURE))
    return other <= one and one - small_counts(asked) <= other | set(answer.all(Part.FIGURE))


def small_counts(sense: Sense) -> set[str]:
    counts: set[str] = set()
    for at, token in enumerate(sense.tokens):
        behind = sense.tokens[at + 1].concept if at + 1 < len(sense.tokens) else ""
        if token.part is Part.FIGURE and token.concept.isdecimal() and behind not in _MEASURED:
            counts |= {token.concept} if int(token.concept) <= _COUNTS_MAX else set()
    return counts


def _entities_agree(asked: Sense, wording: Sense, answer: Sense) -> bool:
    one, other = names_in(asked), names_in(wording)
    goods = goods_in(wording)
    return other <= one <= other | names_in(answer) and (not goods or goods == goods_in(asked))


def _negation_agrees(asked: Sense, wording: Sense, _answer: Sense) -> bool:
    return negated(asked) == negated(wording)


# To be negated, these tell the circumstances, not what is asked: 不喜欢可以退吗.
_CIRCUMSTANCES = frozenset({"want", "satisfy", "like", "fit", "sure", "know", "喜", "合", "小", "够", "好", "对", "想", "清"})


def negated(sense: Sense) -> frozenset[str]:
    """What stands behind each negation, where that turns the question round."""
    return all_negated(sense) - _CIRCUMSTANCES


def all_negated(sense: Sense) -> frozenset[str]:
    """What stands behind each negation, circumstances too."""
    return frozenset(_behind(sense, at) for at, token in enumerate(sense.tokens) if token.part is Part.NOT)


def _behind(sense: Sense, at: int) -> str:
    """The next concept; behind a wish that which is wished: 不想退货 is of the return, 不想要 of the wish."""
    later = [token for token in sense.tokens[at + 1 : at + 3] if token.part is not Part.PERSON]
    if len(later) == 2 and later[0].concept == "want" and later[1].part is Part.DO:
        return later[1].concept
    return later[0].concept if later else ""


_DIRECTIONS = frozenset({"before", "after", "within", "over", "under", "from", "than", "without", "instead", "unless", "each"})


def _direction_agrees(asked: Sense, wording: Sense, _answer: Sense) -> bool:
    if directions(asked) != directions(wording) or payers(asked) != payers(wording):
        return False
    if contradict(asked.form, wording.form):
        return False
    one, other = ([person for person in sense.persons if person in ("i", "you")] for sense in (asked, wording))
    third = [{"they", "their"} & {*sense.persons} for sense in (asked, wording)]
    return third[0] == third[1] and (one[:1] == other[:1] or not (one and other))


def directions(sense: Sense) -> frozenset[tuple[str, str]]:
    """Each relation with the verb or name that it is about: in Chinese the one before it, in English the one behind."""
    step = -1 if sense.language == "zh" else 1
    return frozenset(
        (
            token.concept,
            _next_content(sense, at, 1 if token.concept in ("from", "each") else step, each=token.concept == "each"),
        )
        for at, token in enumerate(sense.tokens)
        if token.part in (Part.RELATION, Part.SCOPE) and token.concept in _DIRECTIONS
    )


def _next_content(sense: Sense, at: int, step: int, *, each: bool) -> str:
    parts = (Part.DO, Part.NAME, Part.WORD) if each else (Part.DO, Part.NAME)
    while 0 <= (at := at + step) < len(sense.tokens):
        if sense.tokens[at].part in parts:
            return sense.tokens[at].concept
    return ""


def payers(sense: Sense) -> frozenset[str]:
    """Who is said to pay; empty where that is asked, or not said."""
    persons = set(sense.all(Part.PERSON))
    is_told = "pay" in sense.all(Part.DO) and "who" not in sense.asks and len(persons) == 1
    return frozenset(persons) if is_told else frozenset()


def _order_agrees(asked: Sense, wording: Sense, _answer: Sense) -> bool:
    """The same words in another order may be another question; other words have no order to compare."""
    one, other = (tuple(token for token in sense.tokens if token.part in _ORDERED) for sense in (asked, wording))
    return Counter(one) != Counter(other) or all(_of(one, *parts) == _of(other, *parts) for parts in (_NOUNS, (Part.DO,)))


_NOUNS = (Part.WORD, Part.NAME, Part.PERSON, Part.FIGURE)
_ORDERED = (*_NOUNS, Part.DO)


def _modality_agrees(asked: Sense, wording: Sense, _answer: Sense) -> bool:
    """What may be done is not what must be done, nor what should."""
    one, other = ({_MODES.get(modal, "") for modal in sense.all(Part.MODAL)} - {""} for sense in (asked, wording))
    if "must" in one ^ other:
        return False
    return not (one and other) or bool(one & other)


_MODES = {"can": "can", "may": "can", "must": "must", "need": "need", "should": "should"}


def _only_strong(part: Part, *concepts: str) -> Callable[[Sense, Sense, Sense], bool]:
    strong = frozenset(concepts)
    return lambda asked, wording, _answer: strong & {*asked.all(part)} == strong & {*wording.all(part)}


# What has happened is told at the end: 什么时候更新过; a circumstance stands before what is asked: 付了款什么时候发货.
_OVER = re.compile(r"[了过]$")
_TO_BE_DONE = frozenset({"what_then", "how"})  # it has not happened: 丢了怎么办了


def _is_over_in_both(asked: Sense, wording: Sense, _answer: Sense) -> bool:
    return _is_over(asked) == _is_over(wording)


def _is_over(sense: Sense) -> bool:
    return bool(sense.all(Part.ASK)) and not _TO_BE_DONE & sense.asks and _OVER.search(sense.form) is not None


PARTICULARS: tuple[tuple[Gate, Callable[[Sense, Sense, Sense], bool]], ...] = (
    (Gate.NUMBERS, _numbers_agree),
    (Gate.ENTITIES, _entities_agree),
    (Gate.NEGATION, _negation_agrees),
    (Gate.DIRECTION, _direction_agrees),
    (Gate.MODALITY, _modality_agrees),
    (Gate.TENSE, _only_strong(Part.ASPECT, "already", "past", "yet")),
    (Gate.TENSE, _is_over_in_both),
    (Gate.SCOPE, _only_strong(Part.SCOPE, "only", "part", "except", "half", "most", "least", "other", "each")),
    (Gate.ORDER, _order_agrees),
)
