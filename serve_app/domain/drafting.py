"""A tenant's next publication: a draft, which is changes over a published version, or the way back to an earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypedDict, TypeVar

from serve_app.domain.errors import ConfigError, Conflict, NotFound
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, SourceVersion, Template
from serve_app.domain.messages import Language
from serve_app.domain.normalise import canonical_form
from serve_app.domain.policies import Policy
from serve_app.domain.publication import Item, Problem, Publication, Unpublishable, source_id_of

# A longer list helps nobody to begin.
TOLD_MAX = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands. `parts`: the lines of what is in it, by the way there, as `("cases", 1, "en")`."""

    file: str
    line: int
    parts: Mapping[tuple[str | int, ...], int] = field(default_factory=dict[tuple[str | int, ...], int])

    def of(self, part: tuple[str | int, ...]) -> Place:
        """Of the part, or of the nearest thing around it whose line is known."""
        known = (self.parts[part[:end]] for end in range(len(part), 0, -1) if part[:end] in self.parts)
        return Place(self.file, next(known, self.line))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Given(TypedDict, total=False):
    """The fields of an entry that a file gives."""

    intent: Intent
    valid_from: datetime | None
    valid_to: datetime | None
    suggested: bool
    derived_from: tuple[SourceVersion, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """An entry in one language. The first question is the one to show."""

    questions: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class EntryPatch:
    """What a file says of one entry. `whole`: what it does not say is the default, not what was there."""

    id: str
    texts: Mapping[Language, Text]
    given: Given
    whole: bool = False

    def onto(self, known: Entry | None) -> Entry:
        start = known if known is not None and not self.whole else Entry(self.id, 0, Intent.OTHER, {}, {})
        return replace(
            start,
            questions=start.questions | {language: text.questions for language, text in self.texts.items()},
            answers=start.answers | {language: text.answer for language, text in self.texts.items()},
            **self.given,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What files hold. `places` says where each item stands, by source id; None: no file speaks of templates, of policies."""

    entries: tuple[EntryPatch, ...] = ()
    templates: tuple[Template, ...] | None = None
    policies: tuple[Policy, ...] | None = None
    places: Mapping[str, Place] = field(default_factory=dict[str, Place])

    def publication(self) -> Publication:
        """The files alone are the truth."""
        return Publication(tuple(patch.onto(None) for patch in self.entries), self.templates or (), self.policies or ())


class Unreadable(ConfigError):
    """Files of which nothing is taken. `str()` has a line for each of the first problems, each with its place."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        more = len(self.problems) - TOLD_MAX
        return "\n".join((*self.problems[:TOLD_MAX], *([f"… and {more} more"] if more > 0 else [])))


def located(error: Unpublishable, places: Mapping[str, Place]) -> Unreadable:
    """The same problems, those of items that were read with the place of the first of them."""

    def told(problem: Problem) -> str:
        mine, other = places.get(problem.source_id), places.get(problem.other_id or "")
        place = mine.of(problem.part) if mine else other
        return f"{place}: {problem.message}" if place else problem.message

    return Unreadable(tuple(map(told, error.problems)))


def merged(known: Publication, reading: Reading, *, replacing: bool) -> Publication:
    """What there is after an import: items are added and changed by id.

    `replacing`: the entries that no file names go, if a file speaks of entries; so do templates, and policies.
    """
    before = {entry.id: entry for entry in known.entries}
    read = {patch.id: patch.onto(before.get(patch.id)) for patch in reading.entries}
    entries = read if replacing and read else before | read
    templates = _merged(known.templates, reading.templates, replacing)
    policies = _merged(known.policies, reading.policies, replacing)
    return Publication(tuple(entries.values()), templates, policies)


@dataclass(frozen=True, slots=True)
class Draft:
    """Changes over the published version `base`, by source id; None withdraws. Each save gives it another `revision`."""

    base: int
    revision: str
    changes: Mapping[str, Item | None]
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class WayBack:
    """From the version `over`, which is published, to what the version `to` held."""

    to: int
    over: int

    @property
    def revision(self) -> str:
        """Names it where a draft's revision names a draft, which is a hexadecimal number."""
        return f"{self.to}@{self.over}"

    @staticmethod
    def of(revision: str) -> WayBack | None:
        to, is_one, over = revision.partition("@")
        return WayBack(int(to), int(over)) if is_one else None


def with_changes(known: Publication, changes: Mapping[str, Item | None]) -> Publication:
    """By source id, as the record gives what is published."""
    items: dict[str, Item | None] = {**known.by_id(), **changes}
    return Publication.of(item for _, item in sorted(items.items()) if item is not None)


def changes_between(before: Publication, after: Publication) -> dict[str, Item | None]:
    """What makes `after` of `before`."""
    old, new = before.by_id(), after.by_id()
    changed: dict[str, Item | None] = {source_id: item for source_id, item in new.items() if old.get(source_id) != item}
    return changed | dict.fromkeys(old.keys() - new.keys())


def conflicts(base: Publication, published: Publication, draft: Draft) -> tuple[str, ...]:
    """What both the draft and later publications changed, each otherwise, by source id."""
    since = changes_between(base, published)
    return tuple(sorted(key for key in since.keys() & draft.changes.keys() if since[key] != draft.changes[key]))


Kept = Literal["draft", "published"]


def rebased(base: Publication, published: Publication, draft: Draft, keep: Kept | None) -> dict[str, Item | None]:
    """The draft's changes over what is published now. Raises Conflict naming what both changed, unless `keep` says whose."""
    both = conflicts(base, published, draft)
    if both and keep is None:
        raise Conflict(
            f"The draft and a later publication both changed {', '.join(both)}: look at the diff, then rebase keeping the "
            f"draft's or the published ones."
        )
    changes = {key: item for key, item in draft.changes.items() if keep != "published" or key not in both}
    return changes_between(published, with_changes(published, changes))


def without(known: Publication, ids: Iterable[str]) -> Publication:
    """The same without these items, by source id. Raises NotFound naming one that there is not."""
    gone = set(ids)
    unknown = sorted(gone - known.by_id().keys())
    if unknown:
        raise NotFound(f"There is no entry, template or policy {unknown[0]}: nothing was done. A policy is called policy.NAME.")
    return Publication.of(item for item in known.items() if source_id_of(item) not in gone)


def has_variant(known: Publication, entry_id: str, language: Language, text: str) -> bool:
    """Whether the entry is there and has the question."""
    form = canonical_form(text)
    questions = next((entry.questions.get(language, ()) for entry in known.entries if entry.id == entry_id), ())
    return any(canonical_form(question) == form for question in questions)


def with_variant(known: Publication, entry_id: str, language: Language, text: str) -> Publication:
    """The same with one more question for an entry; nothing changes if the entry has it. Raises Conflict: no such entry."""
    if all(entry.id != entry_id for entry in known.entries):
        raise Conflict(f"There is no entry {entry_id} any more: reject the proposal.")
    if has_variant(known, entry_id, language, text):
        return known
    return replace(
        known,
        entries=tuple(
            replace(entry, questions=entry.questions | {language: (*entry.questions[language], text)})
            if entry.id == entry_id
            else entry
            for entry in known.entries
        ),
    )


def with_item(known: Publication, item: Item) -> Publication:
    """The same with this item, in the place of the one of its id if there is one."""
    return Publication.of({**known.by_id(), source_id_of(item): item}.values())


def confirmed(known: Publication, entry_ids: Iterable[str], versions: Mapping[str, int]) -> Publication:
    """The same, where a person has looked at these derived entries and found them right by what is published now.

    Raises NotFound (no such entry), Conflict (it was not derived, or from something that is withdrawn).
    """
    items = known.by_id()
    for entry_id in entry_ids:
        entry = items.get(entry_id)
        if not isinstance(entry, Entry):
            raise NotFound(f"There is no entry {entry_id}: nothing was done.")
        if not entry.derived_from:
            raise Conflict(f"{entry_id} was not derived from anything: there is nothing to confirm.")
        gone = [source.id for source in entry.derived_from if source.id not in versions]
        if gone:
            raise Conflict(f"{entry_id} was derived from {gone[0]}, which is not published any more: edit or withdraw it.")
        now = tuple(SourceVersion(source.id, versions[source.id]) for source in entry.derived_from)
        items[entry_id] = replace(entry, derived_from=now)
    return Publication.of(items.values())


_T = TypeVar("_T", Template, Policy)


def _merged(known: tuple[_T, ...], read: tuple[_T, ...] | None, replacing: bool) -> tuple[_T, ...]:
    if read is None:
        return known
    before = {} if replacing else {item.id: item for item in known}
    return tuple((before | {item.id: item for item in read}).values())
