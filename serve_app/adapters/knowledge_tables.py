"""The tables of the knowledge in the system of record, and how an item is written in them.

Nothing that was published is ever changed or deleted; `knowledge_current` points at what holds now. Instants are microseconds
since 1970.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer, String, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serve_app.adapters.record import metadata
from serve_app.domain.errors import StoreFailed
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.policies import Policy
from serve_app.domain.publication import Item

# One row per version of an entry, a template or a policy; never changed. `published` is what is served, `written` what was
# written, with its policy slots.
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
# Whether a border of somebody's validity was crossed is asked twice a second, by every process.
Index("knowledge_items_from", items.c.tenant, items.c.valid_from_us)
Index("knowledge_items_to", items.c.tenant, items.c.valid_to_us)
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
# What each version of a derived entry was made of.
origins = Table(
    "knowledge_origins",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("source_id", String(128), primary_key=True),
    Column("source_version", Integer, nullable=False),
)
# A tenant's counter of publications, and the row that its writers lock.
counters = Table(
    "knowledge_versions",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
)
# One row per publication, and one for each item that it changed: `item_version` is null for a withdrawn one.
publications = Table(
    "knowledge_publications",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("published_at_us", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("templates", Integer, nullable=False),
    Column("policies", Integer, nullable=False),
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("withdrawn", Integer, nullable=False),
)
publication_changes = Table(
    "knowledge_publication_changes",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("item_version", Integer),
)
drafts = Table(
    "knowledge_drafts",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("base", Integer, nullable=False),
    Column("revision", String(32), nullable=False),
    Column("changed_at_us", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
)
# What the draft changes over its base; `written` is null for what it withdraws.
draft_items = Table(
    "knowledge_draft_items",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("written", Text),
)
# What a start published of a folder: it does not undo what was published since.
folders = Table(
    "knowledge_folders",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("origin", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("version", Integer, nullable=False),
)

ENTRY = TypeAdapter(Entry)
TEMPLATE = TypeAdapter(Template)
_POLICY = TypeAdapter(Policy)


def kind_of(item: Item) -> str:
    return "entry" if isinstance(item, Entry) else "template" if isinstance(item, Template) else "policy"


def json_of(item: Item) -> str:
    """Canonical, so that equal items are equal texts; without the version, which is the row's."""
    form: TypeAdapter[Any] = {"entry": ENTRY, "template": TEMPLATE, "policy": _POLICY}[kind_of(item)]
    tree: dict[str, Any] = form.dump_python(item, mode="json") | {"version": 0}
    if not tree.get("derived_from"):
        # As it was written before entries could be derived: what nobody changed keeps its version.
        tree.pop("derived_from", None)
    return orjson.dumps(tree, option=orjson.OPT_SORT_KEYS).decode()


def item_of(kind: str, text: str) -> Item:
    form: TypeAdapter[Any] = {"entry": ENTRY, "template": TEMPLATE, "policy": _POLICY}[kind]
    return form.validate_json(text)


def microseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1_000_000)


def instant_of(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1_000_000, UTC)


@asynccontextmanager
async def connection_to(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    """Turns what the database raises into StoreFailed. What is not committed is undone."""
    try:
        async with engine.connect() as connection:
            yield connection
    except (SQLAlchemyError, OSError) as error:
        raise StoreFailed(f"the record does not answer: {getattr(error, 'orig', None) or type(error).__name__}") from error
    except ValidationError as error:
        raise StoreFailed(f"the record holds knowledge that cannot be read: {error}") from error


async def lock(connection: AsyncConnection, tenant: str) -> int:
    """The tenant's counter; its writers come one after the other."""
    # Written first: SQLite then holds its write lock before anything is read.
    await connection.execute(upsert(connection, counters).values(tenant=tenant, version=0).on_conflict_do_nothing())
    query = select(counters.c.version).where(counters.c.tenant == tenant).with_for_update()
    return (await connection.execute(query)).scalar_one()


def is_current() -> Any:
    """Joins the pointers and what they point at."""
    return (items.c.tenant == current.c.tenant) & (items.c.id == current.c.id) & (items.c.version == current.c.version)


def upsert(connection: AsyncConnection, table: Table) -> Any:
    """`INSERT`, with `on_conflict_…`, in the connection's dialect."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
