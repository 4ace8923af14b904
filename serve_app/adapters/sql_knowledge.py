"""Published knowledge in the system of record: what holds now, what held at each version, and publishing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serve_app.adapters.knowledge_publishing import (
    Expected,
    Published,
    Signature,
    current_versions,
    end_draft,
    rows_of,
    withheld_now,
    write,
)
from serve_app.adapters.knowledge_tables import (
    ENTRY,
    TEMPLATE,
    connection_to,
    counters,
    current,
    instant_of,
    is_current,
    item_of,
    items,
    lock,
    microseconds,
    publication_changes,
    publications,
)
from serve_app.domain.errors import NotFound
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.policies import Policy
from serve_app.domain.publication import Publication, filled, source_id_of

__all__ = ["Expected", "Published", "SqlKnowledge", "Version"]

# More items than these are read with all the others.
ONE_BY_ONE_MAX = 200


@dataclass(frozen=True, slots=True)
class Version:
    """One publication: who made it, when, how much there was afterwards and how much it changed."""

    version: int
    published_at: datetime
    by: str
    note: str
    entries: int
    templates: int
    policies: int
    added: int
    changed: int
    withdrawn: int


def utc_now() -> datetime:
    return datetime.now(UTC)


class SqlKnowledge:
    """The port `KnowledgeRecord` on SQL, and publishing. Every method raises StoreFailed when the database does not answer."""

    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now
        # What was served when it was last read, by tenant and id: a version of an item never changes.
        self._served: dict[str, dict[str, Entry | Template]] = {}
        # What was current when that was last read, by tenant: the number of the publication, and the versions by id.
        self._current: dict[str, tuple[int, dict[str, int]]] = {}

    async def published(self, tenant: str) -> tuple[Sequence[Entry], Sequence[Template]]:
        """Everything that is current, valid now or not, by id; without the derived entries whose sources have changed since.

        What this object has read before is not read again.
        """
        query = (
            select(items.c.id, items.c.kind, items.c.version, items.c.published)
            .join_from(current, items, is_current())
            .where(current.c.tenant == tenant, items.c.kind.in_(["entry", "template"]))
        )
        async with connection_to(self._engine) as connection:
            versions = await self._versions(connection, tenant)
            withheld = await withheld_now(connection, tenant, versions)
            held = {key: item for key, item in self._served.get(tenant, {}).items() if versions.get(key) == item.version}
            unread = [key for key in versions if key not in held and not key.startswith("policy.")]
            if unread:
                few = len(unread) <= ONE_BY_ONE_MAX
                rows = (await connection.execute(query.where(current.c.id.in_(unread)) if few else query)).mappings().all()
                held |= await asyncio.to_thread(_served, rows)
        self._served[tenant] = held
        found = [held[key] for key in sorted(held) if key not in withheld]
        return (
            [item for item in found if isinstance(item, Entry)],
            [item for item in found if isinstance(item, Template)],
        )

    async def version(self, tenant: str) -> int:
        """Grows by one with every publication that changes something, and when an entry's validity begins or ends."""
        now_us = microseconds(self._now())
        crossings = [
            select(func.count())
            .where(items.c.tenant == tenant, border > items.c.published_at_us, border <= now_us)
            .scalar_subquery()
            for border in (items.c.valid_from_us, items.c.valid_to_us)
        ]
        query = select(counters.c.version + crossings[0] + crossings[1]).where(counters.c.tenant == tenant)
        async with connection_to(self._engine) as connection:
            return (await connection.execute(query)).scalar_one_or_none() or 0

    async def versions(self, tenant: str) -> Mapping[str, int]:
        """The current version of every entry, template and policy (`policy.NAME`) that is served."""
        async with connection_to(self._engine) as connection:
            versions = await self._versions(connection, tenant)
            withheld = await withheld_now(connection, tenant, versions)
        return {key: version for key, version in versions.items() if key not in withheld}

    async def withheld(self, tenant: str) -> frozenset[str]:
        """The ids of the derived entries that are published and not served, because what they were made of has changed."""
        async with connection_to(self._engine) as connection:
            return await self._withheld(connection, tenant)

    @staticmethod
    async def _withheld(connection: AsyncConnection, tenant: str) -> frozenset[str]:
        return await withheld_now(connection, tenant, await current_versions(connection, tenant))

    async def _versions(self, connection: AsyncConnection, tenant: str) -> Mapping[str, int]:
        """What is current. Of what this object has seen before, only what was published since is read."""
        counter = select(counters.c.version).where(counters.c.tenant == tenant)
        latest = (await connection.execute(counter)).scalar_one_or_none() or 0
        known, versions = self._current.get(tenant, (0, {}))
        if latest != known:
            made = publication_changes
            query = select(made.c.version, made.c.id, made.c.item_version)
            query = query.where(made.c.tenant == tenant, made.c.version > known).order_by(made.c.version)
            changes = list((await connection.execute(query)).all()) if 0 < known < latest else []
            # A record that was made before versions were kept lacks some.
            if changes and {change.version for change in changes} >= set(range(known + 1, latest + 1)):
                changed = {change.id: change.item_version for change in changes}
                versions = {key: held for key, held in {**versions, **changed}.items() if held is not None}
                known = changes[-1].version
            else:
                known, versions = latest, await current_versions(connection, tenant)
            self._current[tenant] = (known, versions)
        return versions

    async def latest(self, tenant: str) -> int:
        """The number of the last publication; 0 before the first."""
        query = select(counters.c.version).where(counters.c.tenant == tenant)
        async with connection_to(self._engine) as connection:
            return (await connection.execute(query)).scalar_one_or_none() or 0

    async def history(self, tenant: str, limit: int = 50) -> tuple[Version, ...]:
        """The last publications, the newest first."""
        query = select(publications).where(publications.c.tenant == tenant).order_by(publications.c.version.desc()).limit(limit)
        names = ("version", "by", "note", "entries", "templates", "policies", "added", "changed", "withdrawn")
        async with connection_to(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(
            Version(published_at=instant_of(row["published_at_us"]), **{name: row[name] for name in names}) for row in rows
        )

    async def written(self, tenant: str, version: int | None = None) -> Publication:
        """What was published as `version` (default: now), as it was written, by source id. Raises NotFound."""
        async with connection_to(self._engine) as connection:
            counter = select(counters.c.version).where(counters.c.tenant == tenant)
            latest = (await connection.execute(counter)).scalar_one_or_none() or 0
            if version not in (None, 0, latest):
                known = select(publications.c.version).where(publications.c.tenant == tenant, publications.c.version == version)
                if (await connection.execute(known)).scalar_one_or_none() is None:
                    raise NotFound(f"There is no version {version} of the knowledge; `history` lists those that there are.")
            if version is None or version == latest:
                query = select(items.c.kind, items.c.written).join_from(current, items, is_current())
                query = query.where(current.c.tenant == tenant)
            else:
                query = _written_at(tenant, version)
            rows = (await connection.execute(query)).mappings().all()
            moved = (await connection.execute(counter)).scalar_one_or_none() or 0
            found = await asyncio.to_thread(_as_written, rows)
        # What was published between the questions would be mixed with what was there before.
        return found if moved == latest else await self.written(tenant, version if version is not None else moved)

    async def publish(
        self,
        tenant: str,
        entries: Iterable[Entry],
        templates: Iterable[Template],
        policies: Iterable[Policy],
        now: datetime,
        *,
        by: str = "",
        note: str = "",
        expected: Expected | None = None,
    ) -> Published:
        """Makes exactly these the tenant's knowledge, in one transaction; what is not among them is withdrawn.

        Texts hold their policy slots, and versions are given here: an item whose words or figures changed gets the next one,
        an unchanged item keeps its own. Publishing the same again changes nothing. With `expected.revision` the draft of that
        revision ends with it. Raises Unpublishable as `filled` does, and Conflict when not all is as `expected`.
        """
        written = Publication(tuple(entries), tuple(templates), tuple(policies))
        served = await asyncio.to_thread(filled, written)
        return await self.publish_checked(tenant, written, served, now, by=by, note=note, expected=expected)

    async def publish_checked(
        self,
        tenant: str,
        written: Publication,
        served: Publication,
        now: datetime,
        *,
        by: str,
        note: str,
        expected: Expected | None,
    ) -> Published:
        """As `publish`, for what was checked already: `served` is what `filled` made of `written`."""
        wanted = await asyncio.to_thread(rows_of, written, served)
        async with connection_to(self._engine) as connection:
            before = await lock(connection, tenant)
            if expected is not None:
                await end_draft(connection, tenant, before, expected)
            done = await write(connection, tenant, before, written, wanted, Signature(by, note, now))
            await connection.commit()
        return done


# Reading thousands of items takes a while, so it is done off the event loop.


def _served(rows: Sequence[RowMapping]) -> dict[str, Entry | Template]:
    forms: dict[str, TypeAdapter[Entry] | TypeAdapter[Template]] = {"entry": ENTRY, "template": TEMPLATE}
    return {row["id"]: replace(forms[row["kind"]].validate_json(row["published"]), version=row["version"]) for row in rows}


def _as_written(rows: Sequence[RowMapping]) -> Publication:
    return Publication.of(sorted((item_of(row["kind"], row["written"]) for row in rows), key=source_id_of))


def _written_at(tenant: str, version: int) -> Any:
    """The items as the publications up to `version` left them."""
    changes = publication_changes
    newest = (
        select(changes.c.id, func.max(changes.c.version).label("version"))
        .where(changes.c.tenant == tenant, changes.c.version <= version)
        .group_by(changes.c.id)
        .subquery()
    )
    is_newest = (changes.c.id == newest.c.id) & (changes.c.version == newest.c.version)
    is_its = (items.c.tenant == changes.c.tenant) & (items.c.id == changes.c.id) & (items.c.version == changes.c.item_version)
    return (
        select(items.c.kind, items.c.written)
        .select_from(changes.join(newest, is_newest).join(items, is_its))
        .where(changes.c.tenant == tenant)
    )
