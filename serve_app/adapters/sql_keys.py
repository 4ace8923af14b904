"""API keys in the system of record.

A key is `zw_` and 256 random bits, and only its SHA-256 is stored. A slow hash would add nothing: it makes guessing harder
where a person chose the secret, and nobody guesses 256 bits; a fast one lets every request be checked.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from sqlalchemy import Column, DateTime, RowMapping, String, Table, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serve_app.adapters.record import metadata
from serve_app.domain.errors import InvalidField, StoreFailed
from serve_app.ports import KeyGrant

SCOPES = frozenset({"ask", "admin", "ops"})
PREFIX = "zw_"

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant", String, nullable=False, index=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("scopes", String, nullable=False),  # separated by spaces
    Column("note", String, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
)


def key_hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class SqlKeys:
    """The port `Keys`. Its table is made by `record.create_tables`. Every method raises StoreFailed without the record."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def create(self, tenant: str, scopes: frozenset[str], note: str, now: datetime) -> tuple[KeyGrant, str]:
        """See the port. Raises InvalidField for no scope, or one that does not exist."""
        if not scopes or not scopes <= SCOPES:
            raise InvalidField(f"`scopes` must name at least one of: {', '.join(sorted(SCOPES))}", param="scopes")
        key = PREFIX + secrets.token_urlsafe(32)
        grant = KeyGrant(f"key_{secrets.token_hex(8)}", tenant, scopes, now.astimezone(UTC), note)
        row = {
            "id": grant.id,
            "tenant": tenant,
            "hash": key_hash(key),
            "scopes": " ".join(sorted(scopes)),
            "note": note,
            "created_at": grant.created_at,
        }
        async with self._transaction() as connection:
            await connection.execute(insert(api_keys).values(row))
        return grant, key

    async def find(self, key: str) -> KeyGrant | None:
        """See the port."""
        if not key.startswith(PREFIX):
            return None
        query = select(api_keys).where(api_keys.c.hash == key_hash(key), api_keys.c.revoked_at.is_(None))
        async with self._transaction() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _grant(row)

    async def list(self, tenant: str | None = None) -> Sequence[KeyGrant]:
        """Every key, the revoked ones too, oldest first."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
        if tenant is not None:
            query = query.where(api_keys.c.tenant == tenant)
        async with self._transaction() as connection:
            return tuple(map(_grant, (await connection.execute(query)).mappings()))

    async def revoke(self, key_id: str, now: datetime) -> bool:
        """False when there is no such key, or it is revoked already."""
        change = (
            update(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=now.astimezone(UTC))
        )
        async with self._transaction() as connection:
            return (await connection.execute(change)).rowcount == 1

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            # Not the error's own text: it repeats the statement with its values.
            raise StoreFailed(f"the record of keys does not answer ({type(error).__name__})") from error


def _grant(row: RowMapping) -> KeyGrant:
    return KeyGrant(
        id=row["id"],
        tenant=row["tenant"],
        scopes=frozenset(row["scopes"].split()),
        created_at=_utc(row["created_at"]),
        note=row["note"],
        revoked_at=None if row["revoked_at"] is None else _utc(row["revoked_at"]),
    )


def _utc(instant: datetime) -> datetime:
    """SQLite forgets the time zone of what was written in UTC."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
