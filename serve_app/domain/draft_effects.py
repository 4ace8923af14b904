"""What a draft would change: for those who write it, and for customers. Takes seconds for ten thousand entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from serve_app.domain.drafting import Draft, conflicts, with_changes
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.knowledge_diff import ItemChange, differences
from serve_app.domain.pregeneration import is_news, stale_after
from serve_app.domain.publication import Publication, doubts
from serve_app.domain.question import Understanding
from serve_app.domain.reach import unreached


@dataclass(frozen=True, slots=True)
class Diff:
    """What the draft would change in what is published. `conflicts`: what a later publication changed, too.
    `doubts`: what would be published then, and is seldom meant: shared intents, changed questions that nobody will answer."""

    published: int
    draft: Draft | None
    changes: tuple[ItemChange, ...] = ()
    conflicts: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def is_stale(self) -> bool:
        """Something was published since the draft was begun."""
        return self.draft is not None and self.draft.base != self.published


@dataclass(frozen=True, slots=True)
class Touched:
    """What customers will notice of a publication. `served`: what they will be answered with; `changed`: the ids of what is
    said otherwise then, or not any more; `withheld`: the derived entries that are not served, each with the sources that are
    why."""

    served: Publication
    changed: frozenset[str]
    withheld: Mapping[str, tuple[str, ...]]


def touched(before: Iterable[Entry | Template], after: Publication, versions: Mapping[str, int]) -> Touched:
    """`before`: what is served now, at `versions` (by source id); `after`: what there would be, with figures in the texts."""
    items = (*after.entries, *after.templates)
    changed = is_news({item.id: item for item in before}, {item.id: item for item in items})
    stale = stale_after(after.entries, changed, versions)
    served = replace(after, entries=tuple(entry for entry in after.entries if entry.id not in stale))
    return Touched(served, changed | stale.keys(), stale)


def compared(
    published: int, base: Publication, now: Publication, draft: Draft, understand: Callable[[str], Understanding]
) -> Diff:
    """What `draft` over `base` would change in what is published `now`, as version `published`."""
    drafted = with_changes(now, draft.changes)
    found = (*doubts(drafted), *unreached(_asked_anew(now, draft), understand))
    return Diff(published, draft, differences(now, drafted), conflicts(base, now, draft), found)


def _asked_anew(known: Publication, draft: Draft) -> Iterator[Entry]:
    """The draft's entries with the questions that are new, or that another intent may lead elsewhere."""
    before = {entry.id: entry for entry in known.entries}
    for item in draft.changes.values():
        if isinstance(item, Entry):
            was = before.get(item.id)
            old = was.questions if was is not None and was.intent is item.intent else {}
            yield replace(
                item,
                questions={
                    language: tuple(question for question in asked if question not in old.get(language, ()))
                    for language, asked in item.questions.items()
                },
            )
