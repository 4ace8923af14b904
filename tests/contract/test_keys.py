"""API keys in the record: in SQLite and in PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_keys import SqlKeys, api_keys
from serve_app.cli.key import ensure_local_key
from serve_app.domain.errors import InvalidField, StoreFailed
from tests.postgres import free_port

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[AsyncEngine]:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('keys') / 'record.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    made = connect(url)
    await create_tables(made)
    yield made
    await made.dispose()


@pytest.fixture
def keys(engine: AsyncEngine) -> SqlKeys:
    return SqlKeys(engine)


async def test_a_key_is_found_by_itself_alone(keys: SqlKeys):
    grant, key = await keys.create("demo", frozenset({"ask", "ops"}), "front end", NOW)
    assert key.startswith("zw_")
    assert len(key) >= 45
    found = await keys.find(key)
    assert found == grant
    assert found is not None
    assert (found.tenant, found.scopes, found.note) == ("demo", {"ask", "ops"}, "front end")
    assert found.created_at == NOW
    assert found.created_at.utcoffset() == timedelta(0)
    for other in (key[:-1], key + "x", key.upper(), "", "zw_", "zw_\ud800", grant.id, hashlib.sha256(key.encode()).hexdigest()):
        assert await keys.find(other) is None


async def test_no_two_keys_are_alike(keys: SqlKeys):
    made = [await keys.create("demo", frozenset({"ask"}), "", NOW) for _ in range(5)]
    assert len({key for _, key in made}) == len({grant.id for grant, _ in made}) == 5


async def test_only_the_hash_is_stored(keys: SqlKeys, engine: AsyncEngine):
    grant, key = await keys.create("demo", frozenset({"ask"}), "note", NOW)
    async with engine.connect() as connection:
        row = (await connection.execute(select(api_keys).where(api_keys.c.id == grant.id))).one()
    assert not any(key in str(value) or key.removeprefix("zw_") in str(value) for value in row)
    assert key not in repr(grant)


async def test_a_revoked_key_is_not_found(keys: SqlKeys):
    grant, key = await keys.create("demo", frozenset({"ask"}), "", NOW)
    assert await keys.revoke(grant.id, NOW)
    assert await keys.find(key) is None
    assert not await keys.revoke(grant.id, NOW), "once is enough"
    assert not await keys.revoke("key_none", NOW)


async def test_keys_are_listed_by_tenant_with_the_revoked_ones(keys: SqlKeys):
    tenant = uuid4().hex
    first, _ = await keys.create(tenant, frozenset({"ask"}), "one", NOW)
    second, _ = await keys.create(tenant, frozenset({"admin"}), "two", NOW + timedelta(seconds=1))
    await keys.revoke(first.id, NOW + timedelta(hours=1))
    listed = await keys.list(tenant)
    assert [grant.id for grant in listed] == [first.id, second.id]
    assert [grant.revoked_at for grant in listed] == [NOW + timedelta(hours=1), None]
    assert {grant.id for grant in await keys.list()} >= {first.id, second.id}


@pytest.mark.parametrize("scopes", [frozenset[str](), frozenset({"root"}), frozenset({"ask", "ask admin"})])
async def test_a_scope_that_does_not_exist_is_refused(keys: SqlKeys, scopes: frozenset[str]):
    with pytest.raises(InvalidField, match="admin, ask, ops"):
        await keys.create("demo", scopes, "", NOW)


async def test_the_local_key_is_made_once(engine: AsyncEngine, keys: SqlKeys, tmp_path: Path):
    key, made_now = await ensure_local_key(engine, "demo", tmp_path, NOW)
    assert made_now
    grant = await keys.find(key)
    assert grant is not None
    assert grant.scopes == {"ask", "admin", "ops"}
    file = tmp_path / "api-key"
    assert file.read_text().strip() == key
    assert file.stat().st_mode & 0o777 == 0o600
    assert await ensure_local_key(engine, "demo", tmp_path, NOW) == (key, False)
    await keys.revoke(grant.id, NOW)
    another, made_now = await ensure_local_key(engine, "demo", tmp_path, NOW)
    assert made_now
    assert another != key
    assert file.read_text().strip() == another
    assert (await ensure_local_key(engine, "other", tmp_path, NOW))[1], "another tenant's key is of no use"


async def test_a_record_that_is_away_is_a_failed_store(tmp_path: Path):
    for url in (f"postgresql+asyncpg://nobody:hidden@127.0.0.1:{free_port()}/none", f"sqlite+aiosqlite:///{tmp_path}/new.db"):
        engine = connect(url)
        with pytest.raises(StoreFailed) as failed:  # the second has no tables
            await SqlKeys(engine).find("zw_key")
        assert "hidden" not in str(failed.value)
        assert "zw_key" not in str(failed.value)
        await engine.dispose()
