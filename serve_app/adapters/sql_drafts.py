"""A tenant's draft of its next publication in the system of record, and what a start published of a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serve_app.adapters.knowledge_tables import (
    connection_to,
    draft_items,
    drafts,
    folders,
    instant_of,
    item_of,
    json_of,
    kind_of,
    lock,
    microseconds,
    upsert,
)
from serve_app.domain.drafting import Draft
from serve_app.domain.errors import Conflict
from serve_app.domain.publication import Item


@dataclass(frozen=True, slots=True)
class FromFolder:
    """`digest` of a folder's content, which a start published as `version`; `origin` names the folder."""

    origin: str
    digest: str
    version: int


class SqlDrafts:
    """One draft a tenant. Every method raises StoreFailed when the database does not answer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self, tenant: str) -> Draft | None:
        # In one statement, so that no save comes in between.
        query = select(drafts, draft_items).join_from(drafts, draft_items, drafts.c.tenant == draft_items.c.tenant)
        async with connection_to(self._engine) as connection:
            rows = (await connection.execute(query.where(drafts.c.tenant == tenant))).mappings().all()
            # Thousands of items take a while to read and to write.
            changes = await asyncio.to_thread(_changes, rows)
        if not rows:
            return None
        head = rows[0]
        return Draft(head["base"], head["revision"], changes, instant_of(head["changed_at_us"]), head["changed_by"])

    async def save(
        self, tenant: str, base: int, changes: Mapping[str, Item | None], before: Draft | None, by: str, now: datetime
    ) -> Draft:
        """Puts these changes over `base` in the place of `before`. Without changes there is no draft any more.

        Raises Conflict when the draft is not `before` any more.
        """
        saved = Draft(base, uuid4().hex, dict(changes), now, by)
        rows = await asyncio.to_thread(_rows, tenant, changes)
        async with connection_to(self._engine) as connection:
            await lock(connection, tenant)
            await _take_away(connection, tenant, before)
            if changes:
                head = {"base": base, "revision": saved.revision, "changed_at_us": microseconds(now), "changed_by": by}
                await connection.execute(insert(drafts).values(tenant=tenant, **head))
                await connection.execute(insert(draft_items), rows)
            await connection.commit()
        return saved

    async def folder(self, tenant: str) -> FromFolder | None:
        """What a start last published for the tenant."""
        async with connection_to(self._engine) as connection:
            row = (await connection.execute(select(folders).where(folders.c.tenant == tenant))).mappings().one_or_none()
        return None if row is None else FromFolder(row["origin"], row["digest"], row["version"])

    async def remember_folder(self, tenant: str, folder: FromFolder) -> None:
        values = {"origin": folder.origin, "digest": folder.digest, "version": folder.version}
        async with connection_to(self._engine) as connection:
            row = upsert(connection, folders).values(tenant=tenant, **values)
            await connection.execute(row.on_conflict_do_update(index_elements=["tenant"], set_=values))
            await connection.commit()


def _changes(rows: Sequence[RowMapping]) -> dict[str, Item | None]:
    return {row["id"]: None if row["written"] is None else item_of(row["kind"], row["written"]) for row in rows}


def _rows(tenant: str, changes: Mapping[str, Item | None]) -> list[dict[str, Any]]:
    return [
        {"tenant": tenant, "id": key, "kind": kind_of(item) if item else "", "written": json_of(item) if item else None}
        for key, item in changes.items()
    ]


async def _take_away(connection: AsyncConnection, tenant: str, before: Draft | None) -> None:
    held = (await connection.execute(select(drafts.c.revision).where(drafts.c.tenant == tenant))).scalar_one_or_none()
    if held != (before.revision if before else None):
        raise Conflict("The draft was changed meanwhile: look at its diff, and do it again.")
    await connection.execute(delete(drafts).where(drafts.c.tenant == tenant))
    await connection.execute(delete(draft_items).where(draft_items.c.tenant == tenant))
