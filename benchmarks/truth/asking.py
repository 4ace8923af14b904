"""Asks as the product does: understanding, then the index of the knowledge with its gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Found, Lookup
from serve_app.domain.messages import Kind
from serve_app.domain.question import Focus, Understanding
from serve_app.domain.understanding import Understander, refocus
from serve_app.knowledge import KnowledgeIndex
from serve_app.ports import Embedder

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)


@dataclass(frozen=True, slots=True)
class Answer:
    """`how`: exact (a published wording), faq (by intent or meaning), or why not."""

    entry_id: str | None
    how: str
    suggested: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class Asker:
    """One shop: its understanding, its index."""

    def __init__(self, understander: Understander, embedder: Embedder, index: KnowledgeIndex) -> None:
        self._understander = understander
        self._embedder = embedder
        self._index = index

    def understood(self, text: str, focus: Focus | None = None, locale: str | None = None) -> Understanding:
        return self._understander.understand(text, focus or Focus(), TODAY, locale=locale)

    def ask(self, text: str, focus: Focus | None = None, locale: str | None = None) -> Answer:
        understood = self.understood(text, focus, locale)
        elsewhere = _elsewhere(understood)
        if elsewhere is not None:
            return Answer(None, elsewhere)
        lookup = lookup_of(understood)
        exact = self._index.exact(lookup)
        found = exact or self._index.look_up(lookup, self._embedder)
        if found.template is not None:
            return Answer(None, "template")
        if found.entry is not None:
            return Answer(found.entry.id, "exact" if exact is not None else "faq")
        return Answer(None, "missed", tuple(offer.id for offer in found.suggestions), found.refused)

    def suggested(self, text: str) -> tuple[str, ...]:
        """The three that are offered when nothing answers."""
        lookup = lookup_of(self.understood(text))
        found: Found = self._index.suggest(lookup, self._embedder.embed([text])[0])
        return tuple(offer.id for offer in found.suggestions)

    def after(self, turn: str, question: str) -> tuple[Understanding, Answer]:
        """The question after a turn that was answered, or not, as the shop can."""
        said, answer = self.understood(turn), self.ask(turn)
        focus = refocus(Focus(), said, missed=answer.how == "missed")
        return self.understood(question, focus), self.ask(question, focus)


def _elsewhere(understood: Understanding) -> str | None:
    """Where a question goes that no entry is looked up for."""
    if understood.foreign:
        return "foreign"
    if understood.intent in (Intent.CRISIS, Intent.HUMAN):
        return "person"
    return "action" if understood.kind is Kind.ACTION else None


def lookup_of(understood: Understanding) -> Lookup:
    return Lookup(
        tenant="demo",
        canonical=understood.canonical,
        text=understood.text,
        intent=understood.intent,
        kind=understood.kind,
        language=understood.language,
        now=NOW,
        settled=understood.settled,
    )


def entry_of(id_: str, wordings: Sequence[str], intent: Intent = Intent.OTHER) -> Entry:
    """An entry whose answer says nothing, so that only its wordings speak for it."""
    said = tuple(wordings)
    return Entry(id_, 1, intent, {"zh": said, "en": said}, {"zh": "", "en": ""})
