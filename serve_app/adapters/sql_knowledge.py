"""Published knowledge in the system of record: items are append-only, a pointer says which version is current."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, String, Table, Text, delete, func, insert, select
from sqlalchemy import update as sql_update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serve_app.adapters.record import metadata
from serve_app.domain.errors import StoreFailed
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.policies import Policy
from serve_app.domain.publication import Publication, filled

# One row per version of an entry, a template or a policy; never changed. `published` is what is served, `written` what was
# written, with its policy slots. Instants are microseconds since 1970.
items = Table(
    "knowledge_items",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("written", Text, nullable=False),
    Column("published", Text, nullable=False),
    Column("valid_from_us", BigInteger),
    Column("valid_to_us", BigInteger),
    Column("published_at_us", BigInteger, nullable=False),
)
current = Table(
    "knowledge_current",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("version", Integer, nullable=False),
    ForeignKeyConstraint(
        ["tenant", "id", "version"], ["knowledge_items.tenant", "knowledge_items.id", "knowledge_items.version"]
    ),
)
publications = Table(
    "knowledge_versions",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
)


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


def utc_now() -> datetime:
    return datetime.now(UTC)


class SqlKnowledge:
    """The port `KnowledgeRecord` on SQL, and publishing. Every method raises StoreFailed when the database does not answer."""

    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

    async def published(self, tenant: str) -> tuple[Sequence[Entry], Sequence[Template]]:
        """Everything that is current, valid now or not, by id."""
        query = (
            select(items.c.kind, items.c.version, items.c.published)
            .join_from(current, items, _is_current())
            .where(current.c.tenant == tenant, items.c.kind.in_(["entry", "template"]))
            .order_by(items.c.id)
        )
        async with self._connection() as connection:
            rows = (await connection.execute(query)).all()
            entries = [replace(_ENTRY.validate_json(row.published), version=row.version) for row in rows if row.kind == "entry"]
            templates = [
                replace(_TEMPLATE.validate_json(row.published), version=row.version) for row in rows if row.kind == "template"
            ]
        return entries, templates

    async def version(self, tenant: str) -> int:
        """Grows by one with every publication that changes something, and when an entry's validity begins or ends."""
        now_us = _microseconds(self._now())
        crossings = [
            select(func.count())
            .where(items.c.tenant == tenant, border > items.c.published_at_us, border <= now_us)
            .scalar_subquery()
            for border in (items.c.valid_from_us, items.c.valid_to_us)
        ]
        query = select(publications.c.version + crossings[0] + crossings[1]).where(publications.c.tenant == tenant)
        async with self._connection() as connection:
            return (await connection.execute(query)).scalar_one_or_none() or 0

    async def versions(self, tenant: str) -> Mapping[str, int]:
        """The current version of every published entry, template and policy (`policy.NAME`)."""
        async with self._connection() as connection:
            return await _current_versions(connection, tenant)

    async def publish(
        self,
        tenant: str,
        entries: Iterable[Entry],
        templates: Iterable[Template],
        policies: Iterable[Policy],
        now: datetime,
    ) -> Published:
        """Makes exactly these the tenant's knowledge, in one transaction; what is not among them is withdrawn.

        Texts hold their policy slots, and versions are given here: an item whose words or figures changed gets the next one,
        an unchanged item keeps its own. Publishing the same again changes nothing. Raises ConfigError as `filled` does.
        """
        written = Publication(tuple(entries), tuple(templates), tuple(policies))
        wanted = _rows(written, filled(written))
        async with self._connection() as connection:
            version = await _lock(connection, tenant)
            before = await _current_versions(connection, tenant)
            latest = await _latest_rows(connection, tenant)
            changed: dict[str, int] = {}
            for source_id, row in wanted.items():
                stored = latest.get(source_id)
                next_version = await _store(connection, tenant, source_id, row, stored, _microseconds(now))
                if before.get(source_id) != next_version:
                    changed[source_id] = next_version
            withdrawn = sorted(before.keys() - wanted.keys())
            await _point(connection, tenant, changed, withdrawn)
            if changed or withdrawn:
                version += 1
                await connection.execute(
                    sql_update(publications).where(publications.c.tenant == tenant).values(version=version)
                )
            await connection.commit()
        return Published(
            version,
            added=tuple(sorted(changed.keys() - before.keys())),
            changed=tuple(sorted(changed.keys() & before.keys())),
            withdrawn=tuple(withdrawn),
        )

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreFailed(f"the record does not answer: {getattr(error, 'orig', None) or error}") from error
        except ValidationError as error:
            raise StoreFailed(f"the record holds knowledge that cannot be read: {error}") from error


_ENTRY = TypeAdapter(Entry)
_TEMPLATE = TypeAdapter(Template)
_POLICY = TypeAdapter(Policy)


def _rows(written: Publication, served: Publication) -> dict[str, dict[str, Any]]:
    """What is stored of each item, by source id."""
    rows: dict[str, dict[str, Any]] = {}
    for entry, shown in zip(written.entries, served.entries, strict=True):
        rows[entry.id] = _row("entry", _ENTRY, entry, shown) | {
            "valid_from_us": entry.valid_from and _microseconds(entry.valid_from),
            "valid_to_us": entry.valid_to and _microseconds(entry.valid_to),
        }
    for template, shown in zip(written.templates, served.templates, strict=True):
        rows[template.id] = _row("template", _TEMPLATE, template, shown)
    for policy in written.policies:
        rows[policy.source_id] = _row("policy", _POLICY, policy, policy)
    return rows


def _row(kind: str, form: TypeAdapter[Any], written: Any, served: Any) -> dict[str, Any]:
    no_borders = {"valid_from_us": None, "valid_to_us": None}
    return {"kind": kind, "written": _json(form, written), "published": _json(form, served), **no_borders}


def _json(form: TypeAdapter[Any], item: Any) -> str:
    """Canonical, so that equal items are equal texts; without the version, which is the row's."""
    return orjson.dumps(form.dump_python(item, mode="json") | {"version": 0}, option=orjson.OPT_SORT_KEYS).decode()


async def _lock(connection: AsyncConnection, tenant: str) -> int:
    """The tenant's counter; two publications of one tenant come one after the other."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    # Written first: SQLite then holds its write lock before anything is read.
    await connection.execute(dialect.insert(publications).values(tenant=tenant, version=0).on_conflict_do_nothing())
    query = select(publications.c.version).where(publications.c.tenant == tenant).with_for_update()
    return (await connection.execute(query)).scalar_one()


async def _current_versions(connection: AsyncConnection, tenant: str) -> dict[str, int]:
    rows = await connection.execute(select(current.c.id, current.c.version).where(current.c.tenant == tenant))
    return {row.id: row.version for row in rows}


async def _latest_rows(connection: AsyncConnection, tenant: str) -> dict[str, dict[str, Any]]:
    """The newest version of everything that the tenant ever published."""
    newest = (
        select(items.c.id, func.max(items.c.version).label("version"))
        .where(items.c.tenant == tenant)
        .group_by(items.c.id)
        .subquery()
    )
    query = (
        select(items)
        .join(newest, (items.c.id == newest.c.id) & (items.c.version == newest.c.version))
        .where(items.c.tenant == tenant)
    )
    return {row["id"]: dict(row) for row in (await connection.execute(query)).mappings()}


async def _store(
    connection: AsyncConnection, tenant: str, source_id: str, row: dict[str, Any], stored: dict[str, Any] | None, now_us: int
) -> int:
    """The item's version: the stored one if nothing changed, else the next, which is stored."""
    if stored is not None and all(stored[name] == value for name, value in row.items()):
        return stored["version"]
    version = stored["version"] + 1 if stored is not None else 1
    await connection.execute(insert(items).values(tenant=tenant, id=source_id, version=version, published_at_us=now_us, **row))
    return version


async def _point(connection: AsyncConnection, tenant: str, changed: Mapping[str, int], withdrawn: Sequence[str]) -> None:
    gone = [*changed, *withdrawn]
    if gone:
        await connection.execute(delete(current).where(current.c.tenant == tenant, current.c.id.in_(gone)))
    if changed:
        rows = [{"tenant": tenant, "id": source_id, "version": version} for source_id, version in changed.items()]
        await connection.execute(insert(current), rows)


def _is_current() -> Any:
    return (items.c.tenant == current.c.tenant) & (items.c.id == current.c.id) & (items.c.version == current.c.version)


def _microseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1_000_000)
