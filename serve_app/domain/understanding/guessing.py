"""Which of the shop's rules a question asks for: what the classifier guesses, where the words bear it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from serve_app.domain.intents import Intent, kind_of
from serve_app.domain.messages import Kind
from serve_app.domain.understanding import markers
from serve_app.domain.understanding.own_things import own_thing
from serve_app.domain.understanding.topics import CASES, TOLD, TOPICS, Named, fits, named_in, only_rule

Classify = Callable[[str], Sequence[tuple[str, float]]]

TOO_LONG_FOR_A_RULE = 80  # characters: a story, not a question about a rule
# Below these the classifier's best guess counts for nothing. A wrong template or entry is worse than a miss.
_SURE_OF_RULES = 0.58  # that a rule is asked for, whichever
_SURE_WITH_WORDS = 0.35  # that it is this one, when the words name it and nothing else
_SURE_OF_CLAUSE = 0.8
_SURE_OF_CLAUSE_WITH_WORDS = 0.4
_SURE_OF_SMALL_TALK = 0.7
_SURE_OF_PRODUCT = 0.5
_CHANCE_OF_ONLY = 0.06  # of the only rule that the words fit
_CHANCE_OF_SECOND = 0.04  # of a rule that the words fit when they exclude the best guess
_CLAUSE_MIN = 3  # characters of a clause that may ask
_TOPIC_CLAUSE_MIN = 4  # characters of a clause that may be another question
_REMEMBERED = 64  # texts: a question's clauses are read more than once, and reading one takes a millisecond


class Guess(NamedTuple):
    intent: Intent
    confidence: float
    settled: bool = False  # the words ask for this rule and for nothing else


class Guesser:
    """`classify` gives intents with probabilities, best first."""

    def __init__(self, classify: Classify) -> None:
        self._classify = lru_cache(_REMEMBERED)(classify)

    def best(self, plain: str) -> tuple[Intent, float]:
        """The classifier's own best guess, and its probability, whatever the words name."""
        intent, confidence = self._classify(plain)[0]
        return Intent(intent), confidence

    def guess(self, plain: str) -> Guess:
        """Intent.OTHER where nothing is sure."""
        guesses = [(Intent(intent), chance) for intent, chance in self._classify(plain)]
        intent, confidence = guesses[0]
        if intent in TOPICS:
            return _of_rules(plain, guesses)
        if intent is Intent.CHITCHAT:
            sure = confidence >= _SURE_OF_SMALL_TALK and not markers.speaks_of_the_shop(plain)
        else:
            # Whose things are meant, and what is to be done with them, only rules tell well enough.
            sure = intent in (Intent.PRODUCT, Intent.COMPLAINT) and confidence >= _SURE_OF_PRODUCT
        return Guess(intent if sure else Intent.OTHER, confidence)

    def asked_in_a_clause(self, plain: str) -> Intent | None:
        """The rule that one clause asks for, where the others only tell of what that rule is about."""
        clauses = [clause for clause in plain.split(",") if len(clause) >= _CLAUSE_MIN]
        if len(clauses) < 2 or len(plain) > TOO_LONG_FOR_A_RULE or any(own_thing(clause) for clause in clauses):
            return None
        guesses = [self.guess(clause) for clause in clauses]
        asked = {found.intent for found in guesses if found.settled and found.confidence >= _SURE_OF_CLAUSE_WITH_WORDS}
        if len(asked) != 1:
            return None
        intent = asked.pop()
        return intent if fits(intent, replace(named_in(plain), unknown=0)) and not _turned(plain, intent) else None

    def mixes_topics(self, plain: str) -> bool:
        """Several clauses that each are another question."""
        clauses = [clause for clause in plain.split(",") if len(clause) >= _TOPIC_CLAUSE_MIN]
        return len(clauses) > 1 and len({self._clause_intent(clause) for clause in clauses} - {None}) > 1

    def _clause_intent(self, clause: str) -> Intent | None:
        own = own_thing(clause)
        if own is not None:
            return own
        best, confidence = self.best(clause)
        is_rule = confidence >= _SURE_OF_CLAUSE and kind_of(best) is Kind.PUBLIC and fits(best, named_in(clause))
        return best if is_rule else None


def _of_rules(plain: str, guesses: Sequence[tuple[Intent, float]]) -> Guess:
    """The best guess is one of the shop's rules."""
    intent, confidence = guesses[0]
    named, turned = named_in(plain), _turned(plain, intent)
    if confidence >= _SURE_WITH_WORDS and fits(intent, named, confidence) and not turned:
        return Guess(intent, confidence, settled=True)
    second = _only_fitting(guesses, named)
    if second is not None and not _turned(plain, second[0]):
        return Guess(*second, settled=True)
    chance_of_any = sum(chance for guess, chance in guesses if guess in TOPICS)
    return Guess(intent if chance_of_any >= _SURE_OF_RULES and not turned else Intent.OTHER, confidence)


def _only_fitting(guesses: Sequence[tuple[Intent, float]], named: Named) -> tuple[Intent, float] | None:
    """The only rule that the words fit: of all, or of the guesses where the best one does not know a thing that they name."""
    only = only_rule(named)
    if only is not None:
        chance = next((chance for guess, chance in guesses if guess is only), 0.0)
        return (only, chance) if chance >= _CHANCE_OF_ONLY else None
    if named.things <= TOPICS[guesses[0][0]].knows or len(named.things) < 2:
        return None
    likely = [(guess, chance) for guess, chance in guesses if guess in TOPICS and fits(guess, named)]
    return likely[0] if len(likely) == 1 and likely[0][1] >= _CHANCE_OF_SECOND else None


def _turned(plain: str, intent: Intent) -> bool:
    """The words tell, order or refuse what the rule is about, where they would have to ask for it."""
    if intent is Intent.SCAM_WARNING or intent in TOLD:
        return False
    if intent in CASES:
        return markers.is_event(markers.without_why(plain)) and not markers.asks_what_to_do(plain)
    told = markers.is_event(plain) or markers.is_request(plain)
    return markers.is_reversed(plain) or (told and not markers.asks_what_to_do(plain))
