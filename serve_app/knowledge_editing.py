"""What people do with a tenant's knowledge: draft, compare, publish, roll back. The command and the API are both made of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from serve_app.adapters.sql_drafts import SqlDrafts
from serve_app.adapters.sql_knowledge import Expected, Published, SqlKnowledge, Version
from serve_app.domain.draft_effects import Diff, Touched, compared, touched
from serve_app.domain.drafting import (
    Draft,
    Kept,
    Place,
    Reading,
    Unreadable,
    WayBack,
    changes_between,
    confirmed,
    has_variant,
    located,
    merged,
    rebased,
    with_changes,
    with_item,
    with_variant,
    without,
)
from serve_app.domain.errors import Conflict, NotFound
from serve_app.domain.proposals import PROPOSED_MAX, Proposal
from serve_app.domain.publication import Item, Publication, Unpublishable, filled
from serve_app.domain.question import Understanding
from serve_app.ports import Proposals

# How often a change is made anew when another came between.
ATTEMPTS = 5
_NOT_ANSWERED = (
    "it will not be answered with until it is made again (`zerowait knowledge pregenerate`) or confirmed "
    "(`zerowait knowledge pregenerated confirm {}`)"
)


class KnowledgeEditor:
    """One tenant's knowledge at a time. Every method raises StoreFailed when the record does not answer.

    `understand` reads a text of a tenant's without any turns before it. Checking ten thousand entries takes seconds, so it is
    done off the event loop, and before anything is locked. `say` is told how far it is.
    """

    def __init__(
        self,
        record: SqlKnowledge,
        drafts: SqlDrafts,
        proposals: Proposals,
        now: Callable[[], datetime],
        understand: Callable[[str, str], Understanding],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._record = record
        self._drafts = drafts
        self._proposals = proposals
        self._now = now
        self._understand = understand
        self._say = say

    async def take(self, tenant: str, reading: Reading, *, replacing: bool, by: str) -> Diff:
        """Takes files into the draft, all or nothing. Raises Unreadable naming file and line, Conflict."""

        def change(known: Publication) -> Publication:
            return merged(known, reading, replacing=replacing)

        return await self._change(tenant, change, reading.places, by)

    async def withdraw(self, tenant: str, ids: Collection[str], *, by: str) -> Diff:
        """Takes items out of the draft, and so, when it is published, out of what is. Raises NotFound, Conflict, Unreadable."""
        return await self._change(tenant, lambda known: without(known, ids), {}, by)

    async def diff(self, tenant: str) -> Diff:
        published = await self._record.latest(tenant)
        draft = await self._drafts.read(tenant)
        now = await self._record.written(tenant, published)
        if draft is None:
            return Diff(published, None)
        base = now if draft.base == published else await self._record.written(tenant, draft.base)
        found = await asyncio.to_thread(compared, published, base, now, draft, partial(self._understand, tenant))
        return replace(found, doubts=(*found.doubts, *await self._withheld(tenant, with_changes(now, draft.changes))))

    async def publish(self, tenant: str, *, by: str, note: str, revision: str | None = None) -> Published:
        """Publishes the draft. Raises Conflict: there is none, it builds on an older version, it is not `revision` any more."""
        draft = await self._drafts.read(tenant)
        if draft is None:
            raise Conflict("There is no draft to publish: import something first.")
        if revision not in (None, draft.revision):
            raise Conflict("The draft was changed meanwhile: look at its diff, and publish again.")
        await self._refuse_stale(tenant, draft)
        written = with_changes(await self._record.written(tenant, draft.base), draft.changes)
        return await self._switch(tenant, written, Expected(draft.base, draft.revision), by, note)

    async def doubts(self, tenant: str, version: int) -> tuple[str, ...]:
        """As `Diff.doubts`, of what was published as `version`. Raises NotFound."""
        before, now = await self._record.written(tenant, version - 1), await self._record.written(tenant, version)
        changes = await asyncio.to_thread(changes_between, before, now)
        draft = Draft(version - 1, "", changes, self._now(), "")
        found = await asyncio.to_thread(compared, version, before, before, draft, partial(self._understand, tenant))
        if not (withheld := await self._record.withheld(tenant)):
            return found.doubts
        versions = await self._record.versions(tenant)
        lines = (
            f"{entry.id} was made of {', '.join(changed)}, which has changed: {_NOT_ANSWERED.format(entry.id)}"
            for entry in now.entries
            if entry.id in withheld
            and (changed := [one.id for one in entry.derived_from if versions.get(one.id) != one.version])
        )
        return (*found.doubts, *lines)

    async def rebase(self, tenant: str, *, keep: Kept | None, by: str) -> Diff:
        """Puts the draft's changes over what is published now. Raises Conflict, as `rebased` does too."""
        draft = await self._drafts.read(tenant)
        if draft is None:
            raise Conflict("There is no draft to rebase.")
        published = await self._record.latest(tenant)
        base, now = await self._record.written(tenant, draft.base), await self._record.written(tenant, published)
        await self._drafts.save(tenant, published, rebased(base, now, draft, keep), draft, by, self._now())
        return await self.diff(tenant)

    async def discard(self, tenant: str) -> bool:
        """Whether there was a draft. Variants that were accepted into it are proposed again."""
        draft, drafted = await self.drafted(tenant)
        if draft is None:
            return False
        await self._drafts.save(tenant, draft.base, {}, draft, "", self._now())
        await self._propose_again(tenant, drafted, await self._record.written(tenant, draft.base))
        return True

    async def way_back(self, tenant: str, version: int | None) -> WayBack:
        """To what an earlier version held (default: the one before the last). Raises NotFound (no such version), Conflict."""
        latest = await self._record.latest(tenant)
        wanted = latest - 1 if version is None else version
        if wanted < 1:
            raise NotFound("There is no earlier version to roll back to.")
        if wanted == latest:
            raise Conflict(f"Version {latest} is what is published: nothing was done.")
        return WayBack(wanted, latest)

    async def rollback(self, tenant: str, back: WayBack, *, by: str, note: str = "") -> Published:
        """Publishes what an earlier version held as a new version. A draft stays.

        Raises NotFound (no such version), Conflict (something was published meanwhile, or nothing changes).
        """
        note = note or f"rollback to version {back.to}"
        done = await self._switch(tenant, await self._record.written(tenant, back.to), Expected(back.over), by, note)
        if not done.is_news:
            raise Conflict(f"Version {back.over}, which is published, holds the same as version {back.to}: nothing was done.")
        return done

    async def _switch(self, tenant: str, written: Publication, expected: Expected, by: str, note: str) -> Published:
        self._say(f"checking {len(written.entries):,} entries and {len(written.templates):,} templates")
        served = await self._checked(written, {})
        self._say("publishing")
        return await self._record.publish_checked(tenant, written, served, self._now(), by=by, note=note, expected=expected)

    async def foreseen(self, tenant: str, revision: str) -> Publication:
        """What there would be with the draft of this revision, or on this way back. Raises Conflict, NotFound."""
        if (back := WayBack.of(revision)) is not None:
            if back.over != await self._record.latest(tenant):
                raise Conflict("Something else was published since.")
            return await self._record.written(tenant, back.to)
        draft, content = await self.drafted(tenant)
        if draft is None or draft.revision != revision:
            raise Conflict("The draft has changed since.")
        return content

    async def latest(self, tenant: str) -> int:
        """The number of the last publication; 0 before the first."""
        return await self._record.latest(tenant)

    async def history(self, tenant: str, limit: int = 50) -> tuple[Version, ...]:
        return await self._record.history(tenant, limit)

    async def content(self, tenant: str, version: int | None = None) -> Publication:
        """What is published, or was as `version`, as it was written. Raises NotFound."""
        return await self._record.written(tenant, version)

    async def drafted(self, tenant: str) -> tuple[Draft | None, Publication]:
        """The draft, and all that there would be with it."""
        draft = await self._drafts.read(tenant)
        base = await self._record.written(tenant, draft.base if draft else None)
        return draft, with_changes(base, draft.changes) if draft else base

    async def accept(self, tenant: str, proposal_id: str, *, by: str) -> Proposal:
        """Adds a proposed variant to the draft. Raises NotFound, Conflict, and Unreadable (another entry has the question)."""
        proposal = await self._undecided(tenant, proposal_id)
        variant = proposal.variant

        def change(known: Publication) -> Publication:
            return with_variant(known, variant.entry_id, variant.language, variant.text)

        await self._change(tenant, change, {}, by)
        await self._proposals.decide(tenant, proposal_id, "accepted", by, self._now())
        return proposal

    async def put(self, tenant: str, item: Item, *, by: str) -> Diff:
        """Puts an item into the draft. Raises Conflict, Unreadable."""
        return await self._change(tenant, lambda known: with_item(known, item), {}, by)

    async def confirm(self, tenant: str, entry_ids: Collection[str], *, by: str) -> Diff:
        """Says in the draft that derived entries are right by what is published now. Raises NotFound, Conflict."""
        versions = await self._record.versions(tenant)
        return await self._change(tenant, lambda known: confirmed(known, entry_ids, versions), {}, by)

    async def withheld(self, tenant: str) -> frozenset[str]:
        """The ids of the derived entries that are published and not answered with: what they were made of has changed."""
        return await self._record.withheld(tenant)

    async def touched(self, tenant: str, drafted: Publication) -> Touched:
        """What the publication of `drafted` would change for customers. Raises Unreadable."""
        entries, templates = await self._record.published(tenant)
        versions = await self._record.versions(tenant)
        filled_ = await self._checked(drafted, {})
        return await asyncio.to_thread(touched, (*entries, *templates), filled_, versions)

    async def _withheld(self, tenant: str, drafted: Publication) -> Iterable[str]:
        """A line for each derived entry that will not be answered with."""
        if not any(entry.derived_from for entry in drafted.entries):
            return ()
        try:
            touched = await self.touched(tenant, drafted)
        except Unreadable:
            return ()
        return (
            f"{entry_id} was made of {', '.join(sources)}, which will have changed: {_NOT_ANSWERED.format(entry_id)}"
            for entry_id, sources in touched.withheld.items()
        )

    async def reject(self, tenant: str, proposal_id: str, *, by: str) -> Proposal:
        """Raises NotFound, Conflict."""
        proposal = await self._undecided(tenant, proposal_id)
        await self._proposals.decide(tenant, proposal_id, "rejected", by, self._now())
        return proposal

    async def _propose_again(self, tenant: str, before: Publication, after: Publication) -> None:
        """An accepted variant that a change took out again is not forgotten."""
        for one in await self._proposals.list(tenant, "accepted", PROPOSED_MAX):
            variant = (one.variant.entry_id, one.variant.language, one.variant.text)
            if has_variant(before, *variant) and not has_variant(after, *variant):
                await self._proposals.decide(tenant, one.id, "proposed", "", self._now())

    async def _undecided(self, tenant: str, proposal_id: str) -> Proposal:
        proposal = await self._proposals.find(tenant, proposal_id)
        if proposal is None:
            raise NotFound(f"There is no proposal {proposal_id}.")
        if proposal.state != "proposed":
            raise Conflict(f"The proposal {proposal_id} was {proposal.state} already.")
        return proposal

    async def _change(
        self, tenant: str, change: Callable[[Publication], Publication], places: Mapping[str, Place], by: str
    ) -> Diff:
        for attempt in range(ATTEMPTS):
            draft = await self._drafts.read(tenant)
            base = draft.base if draft else await self._record.latest(tenant)
            known = await self._record.written(tenant, base)
            wanted = await asyncio.to_thread(_changed, change, known, draft)
            await self._checked(wanted, places)
            changes = await asyncio.to_thread(changes_between, known, wanted)
            try:
                await self._drafts.save(tenant, base, changes, draft, by, self._now())
            except Conflict:
                # Somebody else changed the draft meanwhile: both changes are to be in it.
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                await self._propose_again(tenant, with_changes(known, draft.changes) if draft else known, wanted)
                break
        return await self.diff(tenant)

    async def _checked(self, written: Publication, places: Mapping[str, Place]) -> Publication:
        try:
            return await asyncio.to_thread(filled, written, self._looked_at(len(written.entries)))
        except Unpublishable as error:
            raise located(error, places) from None

    def _looked_at(self, all_of_them: int) -> Callable[[int], None]:
        return lambda number: self._say(f"checked {number:,} of {all_of_them:,} entries")

    async def _refuse_stale(self, tenant: str, draft: Draft) -> None:
        published = await self._record.latest(tenant)
        if published == draft.base:
            return
        last = (await self._record.history(tenant, 1))[0]
        who = f" by {last.by}" if last.by else ""
        raise Conflict(
            f"The draft builds on version {draft.base}, and version {published} was published since{who}. "
            f"Nothing is lost: rebase the draft, look at its diff, and publish again."
        )


def _changed(change: Callable[[Publication], Publication], known: Publication, draft: Draft | None) -> Publication:
    return change(with_changes(known, draft.changes) if draft else known)
