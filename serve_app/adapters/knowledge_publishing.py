"""Writing a publication: within one transaction, in batches, so that ten thousand entries take no ten thousand trips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serve_app.adapters.knowledge_tables import (
    counters,
    current,
    draft_items,
    drafts,
    is_current,
    items,
    json_of,
    kind_of,
    microseconds,
    origins,
    publication_changes,
    publications,
    upsert,
)
from serve_app.domain.errors import Conflict
from serve_app.domain.knowledge import Entry, SourceVersion
from serve_app.domain.pregeneration import withheld
from serve_app.domain.publication import Publication

_BEFORE_THE_HISTORY = "published before versions were kept"


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication changed, by source id. `version` is the tenant's knowledge version afterwards."""

    version: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()

    @property
    def is_news(self) -> bool:
        return bool(self.added or self.changed or self.withdrawn)


@dataclass(frozen=True, slots=True)
class Expected:
    """What must still hold when a publication is written: the version that is published, and the draft's revision."""

    version: int
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """Who publishes, why, and when."""

    by: str
    note: str
    now: datetime


async def write(
    connection: AsyncConnection,
    tenant: str,
    before: int,
    written: Publication,
    wanted: Mapping[str, Mapping[str, Any]],
    signature: Signature,
) -> Published:
    """Makes `wanted` (`rows_of`) what is current, as the version after `before`; nothing is written if nothing changes.

    The tenant is locked, and the caller commits.
    """
    pointers = await current_versions(connection, tenant)
    stored = await _stored(connection, tenant)
    pointed = await _store(connection, tenant, wanted, stored, pointers, microseconds(signature.now))
    withdrawn = sorted(pointers.keys() - wanted.keys())
    changed = {source_id: version for source_id, version in pointed.items() if pointers.get(source_id) != version}
    done = Published(
        before + 1 if changed or withdrawn else before,
        added=tuple(sorted(changed.keys() - pointers.keys())),
        changed=tuple(sorted(changed.keys() & pointers.keys())),
        withdrawn=tuple(withdrawn),
    )
    if done.is_news:
        await _keep_baseline(connection, tenant, before, pointers, signature.now)
        await _point(connection, tenant, changed, withdrawn)
        await _keep_origins(connection, tenant, written, changed)
        await _log(connection, tenant, done, changed, written, signature)
        await connection.execute(update(counters).where(counters.c.tenant == tenant).values(version=done.version))
    return done


def rows_of(written: Publication, served: Publication) -> dict[str, dict[str, Any]]:
    """What is stored of each item, by source id."""
    shown = served.by_id()
    rows: dict[str, dict[str, Any]] = {}
    for source_id, item in written.by_id().items():
        row: dict[str, Any] = {"kind": kind_of(item), "written": json_of(item), "published": json_of(shown[source_id])}
        borders = (item.valid_from, item.valid_to) if isinstance(item, Entry) else (None, None)
        row["valid_from_us"], row["valid_to_us"] = (border and microseconds(border) for border in borders)
        rows[source_id] = row
    return rows


async def end_draft(connection: AsyncConnection, tenant: str, version: int, expected: Expected) -> None:
    """Raises Conflict when not all is as `expected`."""
    if version != expected.version:
        raise Conflict(
            f"Version {version} was published meanwhile, and this builds on version {expected.version}. "
            f"Nothing is lost: rebase the draft, look at its diff, and publish again."
        )
    if expected.revision is None:
        return
    mine = (drafts.c.tenant == tenant) & (drafts.c.revision == expected.revision)
    if (await connection.execute(delete(drafts).where(mine))).rowcount != 1:
        raise Conflict("The draft was changed meanwhile: look at its diff, and publish again.")
    await connection.execute(delete(draft_items).where(draft_items.c.tenant == tenant))


async def current_versions(connection: AsyncConnection, tenant: str) -> dict[str, int]:
    rows = await connection.execute(select(current.c.id, current.c.version).where(current.c.tenant == tenant))
    return {row.id: row.version for row in rows}


async def withheld_now(connection: AsyncConnection, tenant: str, versions: Mapping[str, int]) -> frozenset[str]:
    """The derived entries among those of `versions` that are not served: what they were made of has changed since."""
    query = select(origins).join(
        current,
        (origins.c.tenant == current.c.tenant) & (origins.c.id == current.c.id) & (origins.c.version == current.c.version),
    )
    derived: dict[str, list[SourceVersion]] = {}
    for row in (await connection.execute(query.where(current.c.tenant == tenant))).mappings():
        derived.setdefault(row["id"], []).append(SourceVersion(row["source_id"], row["source_version"]))
    return withheld(derived, versions)


async def _keep_origins(connection: AsyncConnection, tenant: str, written: Publication, changed: Mapping[str, int]) -> None:
    rows = [
        {"tenant": tenant, "id": entry.id, "version": changed[entry.id], "source_id": source.id}
        | {"source_version": source.version}
        for entry in written.entries
        if entry.id in changed
        for source in entry.derived_from
    ]
    if rows:
        # A version that is published again has them already.
        await connection.execute(upsert(connection, origins).on_conflict_do_nothing(), rows)


async def _stored(connection: AsyncConnection, tenant: str) -> dict[str, list[dict[str, Any]]]:
    """The newest version of everything that the tenant ever published, and the current one, by source id; oldest first."""
    newest = (
        select(items.c.id, func.max(items.c.version).label("version"))
        .where(items.c.tenant == tenant)
        .group_by(items.c.id)
        .subquery()
    )
    is_newest = (items.c.id == newest.c.id) & (items.c.version == newest.c.version)
    last = select(items).join(newest, is_newest).where(items.c.tenant == tenant)
    now = select(items).join_from(current, items, is_current()).where(current.c.tenant == tenant)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in (await connection.execute(now.union(last))).mappings():
        found.setdefault(row["id"], []).append(dict(row))
    for rows in found.values():
        rows.sort(key=lambda row: row["version"])
    return found


async def _store(
    connection: AsyncConnection,
    tenant: str,
    wanted: Mapping[str, Mapping[str, Any]],
    stored: Mapping[str, Sequence[Mapping[str, Any]]],
    pointers: Mapping[str, int],
    now_us: int,
) -> dict[str, int]:
    """Each item's version: one that is stored with the same content, the current one first, else the next, which is stored."""
    versions: dict[str, int] = {}
    new: list[dict[str, Any]] = []
    for source_id, row in wanted.items():
        known = stored.get(source_id, ())
        same = [old["version"] for old in known if all(old[name] == value for name, value in row.items())]
        if same:
            versions[source_id] = pointers[source_id] if pointers.get(source_id) in same else same[-1]
            continue
        versions[source_id] = version = known[-1]["version"] + 1 if known else 1
        new.append({"tenant": tenant, "id": source_id, "version": version, "published_at_us": now_us, **row})
    if new:
        await connection.execute(insert(items), new)
    return versions


async def _point(connection: AsyncConnection, tenant: str, changed: Mapping[str, int], withdrawn: Sequence[str]) -> None:
    gone = [{"gone": source_id} for source_id in (*changed, *withdrawn)]
    await connection.execute(delete(current).where(current.c.tenant == tenant, current.c.id == bindparam("gone")), gone)
    if changed:
        rows = [{"tenant": tenant, "id": source_id, "version": version} for source_id, version in changed.items()]
        await connection.execute(insert(current), rows)


async def _keep_baseline(
    connection: AsyncConnection, tenant: str, version: int, pointers: Mapping[str, int], now: datetime
) -> None:
    """A record that was published to before versions were kept: what it held becomes the first of them."""
    known = select(publications.c.version).where(publications.c.tenant == tenant, publications.c.version == version)
    if version == 0 or (await connection.execute(known)).scalar_one_or_none() is not None:
        return
    kinds = select(items.c.kind, func.count()).join_from(current, items, is_current()).where(current.c.tenant == tenant)
    counts = {row[0]: row[1] for row in await connection.execute(kinds.group_by(items.c.kind))}
    row = {name: counts.get(kind, 0) for name, kind in _COUNTED.items()} | {"added": 0, "changed": 0, "withdrawn": 0}
    head = {"tenant": tenant, "version": version, "published_at_us": microseconds(now), "by": "", "note": _BEFORE_THE_HISTORY}
    await connection.execute(insert(publications).values(head | row))
    rows = [{"tenant": tenant, "version": version, "id": key, "item_version": held} for key, held in pointers.items()]
    if rows:
        await connection.execute(insert(publication_changes), rows)


_COUNTED = {"entries": "entry", "templates": "template", "policies": "policy"}


async def _log(
    connection: AsyncConnection,
    tenant: str,
    done: Published,
    changed: Mapping[str, int],
    written: Publication,
    signature: Signature,
) -> None:
    counts = {
        "entries": len(written.entries),
        "templates": len(written.templates),
        "policies": len(written.policies),
        "added": len(done.added),
        "changed": len(done.changed),
        "withdrawn": len(done.withdrawn),
    }
    head = {"tenant": tenant, "version": done.version, "published_at_us": microseconds(signature.now)}
    head |= {"by": signature.by, "note": signature.note}
    await connection.execute(insert(publications).values(head | counts))
    versions: dict[str, int | None] = {**changed, **dict.fromkeys(done.withdrawn)}
    rows = [{"tenant": tenant, "version": done.version, "id": key, "item_version": held} for key, held in versions.items()]
    await connection.execute(insert(publication_changes), rows)
