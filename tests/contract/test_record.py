"""The record's tables."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import inspect

from serve_app.adapters.record import connect, create_tables, ensure_tables, metadata
from serve_app.domain.errors import StoreFailed
from tests.postgres import free_port


async def test_several_processes_may_make_the_tables_at_once(postgres_url: str) -> None:
    engines = [connect(postgres_url) for _ in range(6)]
    await asyncio.gather(*(create_tables(engine) for engine in engines))
    async with engines[0].connect() as connection:
        made = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await asyncio.gather(*(engine.dispose() for engine in engines))
    assert set(made) == set(metadata.tables) >= {"api_keys", "tickets", "ticket_messages", "webhook_outbox"}


async def test_a_record_that_is_away_is_said() -> None:
    engine = connect(f"postgresql+asyncpg://u:hidden@127.0.0.1:{free_port()}/none")
    with pytest.raises(StoreFailed) as failed:
        await ensure_tables(engine)
    await engine.dispose()
    assert "hidden" not in str(failed.value)
