"""What the shop has published: entries (text for everyone), templates (words around live facts), policy values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind, Language, Suggestion, Tier


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """A published thing that an answer used. The answer holds only while this version does."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One id in both languages. `answers` are rendered: policy values stand in them as figures."""

    id: str
    version: int
    intent: Intent
    questions: dict[Language, tuple[str, ...]]  # variants; the first is the one to show
    answers: dict[Language, str]
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    suggested: bool = True  # may be offered after a miss
    # What a model made it of. It is served only while these are published as they were.
    derived_from: tuple[SourceVersion, ...] = ()

    @property
    def source(self) -> SourceVersion:
        return SourceVersion(self.id, self.version)

    def is_valid(self, now: datetime) -> bool:
        return (self.valid_from is None or self.valid_from <= now) and (self.valid_to is None or now < self.valid_to)


@dataclass(frozen=True, slots=True)
class Template:
    """Words with typed slots; `cases` are tried in order and the first whose condition holds is rendered."""

    id: str
    version: int
    intent: Intent
    cases: tuple[TemplateCase, ...]

    @property
    def conditions(self) -> tuple[str, ...]:
        """Of each case; an empty one always holds."""
        return tuple(case.when for case in self.cases)


@dataclass(frozen=True, slots=True)
class TemplateCase:
    when: str  # an expression over the facts; empty: always
    text: dict[Language, str]


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question put to the Cache room. An empty `canonical` (not self-contained) reads nothing shared."""

    tenant: str
    canonical: str
    text: str
    intent: Intent
    kind: Kind
    language: Language
    now: datetime
    settled: bool = False  # the entry of the intent answers it, in whatever words it is asked
    at_least: int = 0  # the knowledge's version that the asker knows: an older one does not answer
    set_aside: bool = False  # what it was answered with was found wrong: only an exact wording answers it
    trace: dict[str, str] = field(default_factory=dict[str, str])  # W3C trace context


@dataclass(frozen=True, slots=True)
class Passage:
    source: SourceVersion
    title: str
    text: str
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What the Cache room has: an entry or a template that answers, else what may help."""

    entry: Entry | None = None
    template: Template | None = None
    passages: tuple[Passage, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    tier: Tier = "faq"  # of the entry
    refused: tuple[str, ...] = ()  # the gates at which near entries were refused as answers, one name a candidate
    changes_at: datetime | None = None  # when an entry becomes valid that would have been found
    partial: bool = False  # the text was not compared with what is published: too many waited for that


def is_current(found: Found, versions: Mapping[str, int]) -> bool:
    """Whether all of it is of these versions (source id -> version)."""
    said = [item for item in (found.entry, found.template) if item is not None]
    return (
        all(versions.get(item.id) == item.version for item in said)
        and all(versions.get(passage.source.id) == passage.source.version for passage in found.passages)
        and all(suggestion.id in versions for suggestion in found.suggestions)
    )


def only_current(found: Found, versions: Mapping[str, int]) -> Found:
    """Without anything that is not of these versions."""
    entry, template = found.entry, found.template
    return replace(
        found,
        entry=entry if entry and versions.get(entry.id) == entry.version else None,
        template=template if template and versions.get(template.id) == template.version else None,
        passages=tuple(passage for passage in found.passages if versions.get(passage.source.id) == passage.source.version),
        suggestions=tuple(suggestion for suggestion in found.suggestions if suggestion.id in versions),
    )
