"""The one index of a tenant's published knowledge: exact answers by their questions, the nearest questions for a miss.

What answers is exact: a question in its canonical form, or a template of the intent. By meaning an entry answers when its
intent is certain (carried over from an earlier turn, or named by the question's words and nothing beside it), or when its
wordings lie near, and only where the gates agree. Nearness alone only orders what is offered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime

import numpy
from numpy.typing import NDArray

from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Found, Lookup, Passage, SourceVersion, Template
from serve_app.domain.messages import Kind, Language, Suggestion
from serve_app.domain.normalise import canonical_form
from serve_app.meaning import Meanings, Meant, Train, Wording, of_intent
from serve_app.ports import Embedder

SUGGESTIONS_MAX = 3

_Vector = NDArray[numpy.float32]


class KnowledgeIndex:
    """Immutable: a publication makes a new one, which takes over the vectors of the questions that stayed.

    A question without a vector answers, and is not offered yet.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        templates: Sequence[Template],
        vectors: Mapping[str, _Vector],
        related_from: float,
        before: KnowledgeIndex | None = None,
    ) -> None:
        """About 0.1 ms a question. `before`: an index whose work is used again for the entries that stayed."""
        self._related_from = related_from
        self._entries = entries
        self._templates = {template.intent: template for template in templates}
        known: Mapping[SourceVersion, tuple[str, ...]] = before._forms if before is not None else {}
        self._forms = {entry.source: known.get(entry.source) or _forms(entry) for entry in entries}
        self._by_question = _grouped((form, entry) for entry in entries for form in self._forms[entry.source])
        self._by_intent = _grouped((entry.intent, entry) for entry in entries)
        self._timed = [entry for entry in entries if entry.valid_from is not None]
        self._offer(vectors)

    def _offer(self, vectors: Mapping[str, _Vector]) -> None:
        self._offered = [wording for entry in self._entries if entry.suggested for wording in _wordings_of(entry, vectors)]
        self.vectors = {wording.text: vectors[wording.text] for wording in self._offered}
        self._matrix = numpy.stack([vectors[wording.text] for wording in self._offered]) if self._offered else None
        near_from = self._related_from
        self._meanings = Meanings(self._offered, self._matrix, near_from) if self._matrix is not None else None

    @staticmethod
    def build(
        entries: Sequence[Entry],
        templates: Sequence[Template],
        embedder: Embedder,
        known: Mapping[str, _Vector] | None = None,
    ) -> KnowledgeIndex:
        """Embeds the questions that are not `known` yet: about 10 ms each, so call it off the event loop."""
        index = KnowledgeIndex(entries, templates, known or {}, embedder.related_from)
        new = index.unembedded()
        return index.with_vectors({**index.vectors, **dict(zip(new, embedder.embed(new), strict=True))}) if new else index

    def unembedded(self) -> list[str]:
        """The questions that are to be offered and have no vector yet."""
        texts = (text for entry in self._entries if entry.suggested for text in _texts(entry))
        return [text for text in dict.fromkeys(texts) if text not in self.vectors]

    def with_vectors(self, vectors: Mapping[str, _Vector]) -> KnowledgeIndex:
        """The same, offering the questions that these belong to."""
        other = copy(self)
        other._offer(vectors)
        return other

    @property
    def may_learn(self) -> bool:
        """Whether entries are worded often enough for a classifier, which this index has not got yet."""
        return self._meanings is not None and self._meanings.may_learn

    def learnt(self, train: Train) -> KnowledgeIndex:
        """The same with a classifier of its wordings. Takes seconds."""
        other = copy(self)
        other._meanings = self._meanings.learnt(train) if self._meanings is not None else None
        return other

    def look_up(self, lookup: Lookup, embedder: Embedder) -> Found:
        """What answers the question, else what may help. Takes a text's embedding (10 ms) unless something answers."""
        return self.answer(lookup) or self.near(lookup, embedder.embed([lookup.text])[0])

    def near(self, lookup: Lookup, vector: _Vector | None, *, answers: bool = True) -> Found:
        """The entry that is meant, else what may help; without `answers` the entry that is meant is offered first.

        `vector` None: there was no time to embed.
        """
        meant = self._meanings.meant(lookup, vector) if self._meanings is not None and vector is not None else Meant(None)
        if meant.entry is not None and answers and not lookup.set_aside:
            return Found(entry=meant.entry, changes_at=self._changes_at(lookup, vector))
        refused = (*self._refused_of_intent(lookup), *meant.refused)
        return replace(self.suggest(lookup, vector, first=meant.entry), refused=refused)

    def answer(self, lookup: Lookup) -> Found | None:
        """The entry or the template that answers, in microseconds; None when nothing does.

        An entry answers only a question that stands on its own (`canonical`), and only while it is valid: its own wordings
        first, whatever they are taken for, then its intent's. A template answers by its intent, also in a follow-up,
        because its facts are live.
        """
        if (found := self.exact(lookup)) is not None or lookup.kind in (Kind.ACTION, Kind.TEMPLATED) or lookup.set_aside:
            return found
        entry = self._asked_by_intent(lookup)
        if entry is None or of_intent(entry, lookup) is not None:
            return None
        return Found(entry=entry, changes_at=self._begins_at(lookup, frozenset()))

    def _asked_by_intent(self, lookup: Lookup) -> Entry | None:
        """The only valid entry of an intent that is certain."""
        valid: list[Entry] = []
        if lookup.canonical.startswith("@"):
            valid = self._valid(self._by_intent.get(lookup.canonical[1:], ()), lookup.now)
        elif lookup.canonical and lookup.settled and not self._worded(lookup):
            valid = self._valid(self._by_intent.get(lookup.intent, ()), lookup.now)
        return valid[0] if len(valid) == 1 else None

    def _refused_of_intent(self, lookup: Lookup) -> Iterable[str]:
        entry = None if lookup.kind in (Kind.ACTION, Kind.TEMPLATED) else self._asked_by_intent(lookup)
        gate = of_intent(entry, lookup) if entry is not None else None
        return (gate,) if gate is not None else ()

    def exact(self, lookup: Lookup) -> Found | None:
        """The entry that has the question among its wordings, else the template for what a templated question asks."""
        if lookup.kind is Kind.ACTION:
            return None
        if len(valid := self._worded(lookup)) == 1:
            return Found(entry=valid[0])
        template = self._templates.get(lookup.intent) if lookup.kind is Kind.TEMPLATED else None
        return Found(template=template) if template else None

    def _worded(self, lookup: Lookup) -> list[Entry]:
        return self._valid(self._by_question.get(lookup.canonical, ()), lookup.now)

    @staticmethod
    def _valid(entries: Iterable[Entry], now: datetime) -> list[Entry]:
        return [entry for entry in entries if entry.is_valid(now)]

    def suggest(self, lookup: Lookup, vector: _Vector | None, *, first: Entry | None = None) -> Found:
        """At most three published questions in the customer's language, and what they say, as passages.

        `first` comes first, then the entry of the question's own intent, then the nearest to `vector` (None: there was no time
        to embed). Offers, never an answer: those far from every published question are left out, the rest is for the customer
        to judge.
        """
        entries: list[Entry] = []
        meant = () if first is None else (first,)
        for entry in [*meant, *self._of_intent(lookup.intent, lookup.now), *self._nearest(vector, lookup.now)]:
            if entry.id not in {offered.id for offered in entries}:
                entries.append(entry)
            if len(entries) == SUGGESTIONS_MAX:
                break
        language = lookup.language
        return Found(
            passages=tuple(_passage(entry, language) for entry in entries),
            suggestions=tuple(Suggestion(entry.id, entry.questions[language][0]) for entry in entries),
            changes_at=self._changes_at(lookup, vector),
        )

    def _changes_at(self, lookup: Lookup, vector: _Vector | None) -> datetime | None:
        """When the first entry becomes valid that is of the question's intent, or near to it, or not embedded yet."""
        if not self._timed:
            return None
        unknown = (e for e in self._timed if e.suggested and (vector is None or any(t not in self.vectors for t in _texts(e))))
        near = {entry.id for entry in unknown}
        if vector is not None and self._matrix is not None:
            related: list[int] = numpy.flatnonzero(self._matrix @ vector >= self._related_from).tolist()
            near |= {self._offered[at].entry.id for at in related}
        return self._begins_at(lookup, near)

    def _begins_at(self, lookup: Lookup, near: Collection[str]) -> datetime | None:
        coming = (entry for entry in self._timed if entry.intent is lookup.intent or entry.id in near)
        return min((at for entry in coming if (at := entry.valid_from) is not None and at > lookup.now), default=None)

    def _of_intent(self, intent: Intent, now: datetime) -> Iterable[Entry]:
        return [entry for entry in self._valid(self._by_intent.get(intent, ()), now) if entry.suggested]

    def _nearest(self, vector: _Vector | None, now: datetime) -> Iterable[Entry]:
        if vector is None or self._matrix is None:
            return
        nearness = self._matrix @ vector
        order: list[int] = numpy.argsort(-nearness, kind="stable").tolist()
        for at in order:
            if nearness[at] < self._related_from:
                return
            entry = self._offered[at].entry
            if entry.is_valid(now):
                yield entry


def _wordings_of(entry: Entry, vectors: Mapping[str, _Vector]) -> Iterable[Wording]:
    """Those of the entry's questions that have a vector."""
    for language, questions in entry.questions.items():
        yield from (Wording(entry, language, text) for text in questions if text in vectors)


def _texts(entry: Entry) -> Iterable[str]:
    return (question for questions in entry.questions.values() for question in questions)


def _forms(entry: Entry) -> tuple[str, ...]:
    """The entry's questions as keys, each once, in both languages."""
    return tuple(dict.fromkeys(canonical_form(text) for text in _texts(entry)))


def _grouped(pairs: Iterable[tuple[str, Entry]]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for key, entry in pairs:
        groups.setdefault(key, []).append(entry)
    return groups


def _passage(entry: Entry, language: Language) -> Passage:
    return Passage(entry.source, entry.questions[language][0], entry.answers[language], entry.valid_to)
