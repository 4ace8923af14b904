"""The one index of a tenant's published knowledge: exact answers by their questions, the nearest questions for a miss.

What answers is exact: a question in its canonical form, an intent that is certain (carried over from an earlier turn, or
named by the question's words and nothing beside it), a template of the intent. Nearness by meaning only ever orders what is
offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime

import numpy
from numpy.typing import NDArray

from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Found, Lookup, Passage, SourceVersion, Template
from serve_app.domain.messages import Kind, Language, Suggestion
from serve_app.domain.normalise import canonical_form
from serve_app.ports import Embedder

SUGGESTIONS_MAX = 3

_Vector = NDArray[numpy.float32]


@dataclass(frozen=True, slots=True)
class _Question:
    """One published question: whose it is and where its vector stands."""

    entry: Entry
    text: str


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
        self._offer(vectors)

    def _offer(self, vectors: Mapping[str, _Vector]) -> None:
        texts = ((entry, text) for entry in self._entries if entry.suggested for text in _texts(entry))
        self._offered = [_Question(entry, text) for entry, text in texts if text in vectors]
        self.vectors = {question.text: vectors[question.text] for question in self._offered}
        self._matrix = numpy.stack([vectors[question.text] for question in self._offered]) if self._offered else None

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

    def look_up(self, lookup: Lookup, embedder: Embedder) -> Found:
        """What answers the question, else what may help. Takes a text's embedding (10 ms) unless something answers."""
        return self.answer(lookup) or self.suggest(lookup, embedder.embed([lookup.text])[0])

    def answer(self, lookup: Lookup) -> Found | None:
        """The entry or the template that answers, in microseconds; None when nothing does.

        An entry answers only a question that stands on its own (`canonical`), and only while it is valid: its own wordings
        first, whatever they are taken for, then its intent's. A template answers by its intent, also in a follow-up,
        because its facts are live.
        """
        if (found := self.exact(lookup)) is not None or lookup.kind in (Kind.ACTION, Kind.TEMPLATED):
            return found
        valid: list[Entry] = []
        if lookup.canonical.startswith("@"):
            valid = self._valid(self._by_intent.get(lookup.canonical[1:], ()), lookup.now)
        elif lookup.canonical and lookup.settled and not self._worded(lookup):
            valid = self._valid(self._by_intent.get(lookup.intent, ()), lookup.now)
        return Found(entry=valid[0]) if len(valid) == 1 else None

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

    def suggest(self, lookup: Lookup, vector: _Vector | None) -> Found:
        """At most three published questions in the customer's language, and what they say, as passages.

        The entry of the question's own intent comes first, then the nearest to `vector` (None: there was no time to embed).
        Offers, never an answer: those far from every published question are left out, the rest is for the customer to judge.
        """
        entries: list[Entry] = []
        for entry in [*self._of_intent(lookup.intent, lookup.now), *self._nearest(vector, lookup.now)]:
            if entry.id not in {offered.id for offered in entries}:
                entries.append(entry)
            if len(entries) == SUGGESTIONS_MAX:
                break
        language = lookup.language
        return Found(
            passages=tuple(_passage(entry, language) for entry in entries),
            suggestions=tuple(Suggestion(entry.id, entry.questions[language][0]) for entry in entries),
        )

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
