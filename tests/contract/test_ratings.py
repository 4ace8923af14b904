"""Customers' feedback, in every keeper of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from serve_app.adapters.memory_feedback import MemoryRatings
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_feedback import SqlRatings
from serve_app.domain.errors import StoreFailed
from serve_app.domain.feedback import Feedback
from serve_app.ports import Ratings

NOW = datetime(2026, 11, 22, 4, 0, 0, 123456, tzinfo=UTC)
THUMB = Feedback("answer", "s1", "a1", "down", "不对", "运费?", "faq", ("freight", "late"), NOW)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def ratings(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ratings]:
    if request.param == "memory":
        yield MemoryRatings()
        return
    sqlite = f"sqlite+aiosqlite:///{tmp_path / 'record.db'}"
    engine = connect(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    await create_tables(engine)
    yield SqlRatings(engine)
    await engine.dispose()


async def test_the_newest_come_first_and_a_later_one_replaces(ratings: Ratings) -> None:
    tenant = uuid4().hex
    stars = replace(THUMB, about="conversation", rating="4", given_at=NOW + timedelta(seconds=1))
    again = replace(THUMB, rating="up", reason="", given_at=NOW + timedelta(seconds=2))
    later_stars = replace(stars, answer_id="a2", rating="5", given_at=NOW + timedelta(seconds=3))
    await ratings.keep(tenant, THUMB)
    assert list(await ratings.latest(tenant, 9)) == [THUMB]
    for one in (stars, again):
        await ratings.keep(tenant, one)
    assert list(await ratings.latest(tenant, 9)) == [again, stars]
    await ratings.keep(tenant, later_stars)
    assert list(await ratings.latest(tenant, 9)) == [later_stars, again]
    assert list(await ratings.latest(tenant, 1)) == [later_stars]
    assert list(await ratings.latest("other", 9)) == []


async def test_a_record_that_is_away_is_named() -> None:
    engine = connect("postgresql+asyncpg://nobody:secret@127.0.0.1:1/none")
    try:
        with pytest.raises(StoreFailed) as error:
            await SqlRatings(engine).latest("demo", 1)
        assert "secret" not in str(error.value)
    finally:
        await engine.dispose()
