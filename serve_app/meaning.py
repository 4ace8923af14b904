"""The entry that a question means, among those whose wordings lie near: nearness only names candidates, the gates decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from serve_app.domain.intents import REPLIES, Intent
from serve_app.domain.knowledge import Entry, Lookup
from serve_app.domain.meaning.covered import another_case
from serve_app.domain.meaning.evidence import ENTRIES_MIN, WORDINGS_MIN, Evidence, is_confirmed, is_enough
from serve_app.domain.meaning.exchanged import says_another_word
from serve_app.domain.meaning.gates import Gate, same_particulars, same_question, speaks_of
from serve_app.domain.meaning.sense import Sense, sense_of
from serve_app.domain.messages import Kind, Language
from serve_app.ports.language import VectorClassifier

CANDIDATES = 8  # of the nearest wordings, so many are compared word by word

_Vector = NDArray[numpy.float32]
# Makes a classifier of vectors and the entry of each.
Train = Callable[[_Vector, Sequence[str]], VectorClassifier]
# No entry answers them, in whatever words.
_NO_QUESTIONS = REPLIES | {Intent.HUMAN, Intent.CRISIS, Intent.COMPLAINT}


@dataclass(frozen=True, slots=True)
class Wording:
    """One published question."""

    entry: Entry
    language: Language
    text: str


@dataclass(frozen=True, slots=True)
class Meant:
    entry: Entry | None
    refused: tuple[Gate, ...] = ()  # one a candidate that was compared


def of_intent(entry: Entry, lookup: Lookup) -> Gate | None:
    """Whether the entry of a question's intent speaks of the question's own case: numbers, places, negation and the rest."""
    asked, answer = sense_of(lookup.text), sense_of(entry.answers[lookup.language])
    wordings = _senses(entry, lookup.language)
    if lookup.canonical.startswith("@"):
        return speaks_of(asked, wordings, answer)
    other_words = Gate.WORDS if says_another_word(asked, wordings, answer) else None
    gate = same_particulars(asked, wordings, answer) or other_words
    return gate if gate is not None and another_case(asked, wordings, answer) is not None else None


def _senses(entry: Entry, language: Language) -> list[Sense]:
    return [sense_of(text) for text in entry.questions[language]]


class Meanings:
    """Immutable. `matrix` holds the wordings' unit vectors, a row each."""

    def __init__(
        self, wordings: Sequence[Wording], matrix: _Vector, near_from: float, classifier: VectorClassifier | None = None
    ) -> None:
        self._wordings = wordings
        self._matrix = matrix
        self._near_from = near_from
        self._classifier = classifier
        self._counts = Counter((wording.entry.id, wording.language) for wording in wordings)
        self._ids = {id_: at for at, id_ in enumerate(dict.fromkeys(wording.entry.id for wording in wordings))}
        self._owners = numpy.array([self._ids[wording.entry.id] for wording in wordings])
        self._siblings = _siblings(wordings, matrix) if classifier is not None else {}

    @property
    def may_learn(self) -> bool:
        """Whether there are wordings enough for a classifier, and none is there yet."""
        return self._classifier is None and sum(count >= WORDINGS_MIN for count in self._counts.values()) >= ENTRIES_MIN

    def learnt(self, train: Train) -> Meanings:
        """The same with a classifier; takes seconds where there are thousands of wordings."""
        classifier = train(self._matrix, [wording.entry.id for wording in self._wordings])
        return Meanings(self._wordings, self._matrix, self._near_from, classifier)

    def meant(self, lookup: Lookup, vector: _Vector) -> Meant:
        """The entry that answers. Only a question that stands on its own has one."""
        if not lookup.canonical or lookup.canonical.startswith("@") or not _may_be_meant(lookup):
            return Meant(None)
        likeness = self._matrix @ vector
        order = [at for at in self._nearest(likeness) if self._wordings[at].entry.is_valid(lookup.now)]
        asked = sense_of(lookup.text)
        compared = [(at, self._compared(asked, at, lookup)) for at in order if likeness[at] >= self._near_from][:CANDIDATES]
        accepted = {self._wordings[at].entry.id: at for at, gate in compared if gate is None}
        refused = tuple(gate or Gate.EVIDENCE for _, gate in compared)
        if len(accepted) > 1 or not compared:
            return Meant(None, refused)
        entry = self._wordings[next(iter(accepted.values()), order[0])].entry
        if self._classifier is None:
            return Meant(entry) if accepted else Meant(None, refused)
        evidence = self._evidence(lookup, entry, order, likeness, vector)
        if accepted:
            return Meant(entry) if is_confirmed(evidence) else Meant(None, refused)
        evident = is_enough(evidence) and _fits_intent(entry, lookup) and self._agrees(asked, entry, order)
        return Meant(entry) if evident else Meant(None, refused)

    def evidence(self, lookup: Lookup, vector: _Vector) -> tuple[Entry, Evidence]:
        """What speaks for the entry of the nearest wording."""
        likeness = self._matrix @ vector
        order = self._nearest(likeness)
        entry = self._wordings[order[0]].entry
        return entry, self._evidence(lookup, entry, order, likeness, vector)

    def agrees(self, lookup: Lookup, vector: _Vector) -> bool:
        """Whether a wording near by, of the nearest wording's entry, agrees in every particular."""
        order = self._nearest(self._matrix @ vector)
        return self._agrees(sense_of(lookup.text), self._wordings[order[0]].entry, order)

    def _agrees(self, asked: Sense, entry: Entry, order: Iterable[int]) -> bool:
        own = (self._wordings[at].text for at in order if self._wordings[at].entry.id == entry.id)
        return any(same_particulars(asked, [sense_of(text)]) is None for text in own)

    def _nearest(self, likeness: _Vector) -> list[int]:
        # Twice as many as are compared: some are not valid now.
        some = min(2 * CANDIDATES, len(likeness))
        nearest = numpy.argpartition(-likeness, some - 1)[:some]
        return nearest[numpy.argsort(-likeness[nearest], kind="stable")].tolist()

    def _compared(self, asked: Sense, at: int, lookup: Lookup) -> Gate | None:
        wording = self._wordings[at]
        return same_question(asked, sense_of(wording.text)) or (None if _fits_intent(wording.entry, lookup) else Gate.INTENT)

    def _evidence(self, lookup: Lookup, entry: Entry, order: list[int], likeness: _Vector, vector: _Vector) -> Evidence:
        label, chance = self._classifier.best(vector) if self._classifier is not None else ("", 0.0)
        is_own = self._owners == self._ids[entry.id]
        nearest, siblings = float(likeness[is_own].max()), self._siblings.get((entry.id, lookup.language))
        return Evidence(
            wordings=self._counts[entry.id, lookup.language],
            nearest=_run(self._wordings[at].entry.id == entry.id for at in order),
            chance=chance if label == entry.id else 0.0,
            margin=1.0 if is_own.all() else nearest - float(likeness[~is_own].max()),
            closeness=0.0 if siblings is None else float(numpy.searchsorted(siblings, nearest, side="right") / len(siblings)),
        )


def _siblings(wordings: Sequence[Wording], matrix: _Vector) -> dict[tuple[str, Language], _Vector]:
    """How near each wording lies to the nearest other of its entry and language, ascending; of entries with many wordings."""
    rows: dict[tuple[str, Language], list[int]] = {}
    for at, wording in enumerate(wordings):
        rows.setdefault((wording.entry.id, wording.language), []).append(at)
    nearest: dict[tuple[str, Language], _Vector] = {}
    for key, own in rows.items():
        if len(own) >= WORDINGS_MIN:
            likeness = matrix[own] @ matrix[own].T
            numpy.fill_diagonal(likeness, -1.0)
            nearest[key] = numpy.sort(likeness.max(axis=1))
    return nearest


def _run(holds: Iterable[bool]) -> int:
    count = 0
    for one in holds:
        if not one:
            break
        count += 1
    return count


def _may_be_meant(lookup: Lookup) -> bool:
    """What is to be done is no question. What is taken for the customer's own may be the shop's: a template has gone first."""
    return lookup.kind is not Kind.ACTION and lookup.intent not in _NO_QUESTIONS


def _fits_intent(entry: Entry, lookup: Lookup) -> bool:
    """The rules' own certainty is contradicted by nothing that lies near."""
    return not lookup.settled or entry.intent in (Intent.OTHER, lookup.intent)
