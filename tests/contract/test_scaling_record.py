"""The record of the scaling policy: the same on SQLite, PostgreSQL and in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import delete

from serve_app.adapters.memory_scaling import MemoryScaling
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_scaling import SqlScaling, scaling_policies, scaling_spent
from serve_app.domain.errors import NotFound, StoreFailed
from serve_app.domain.scaling import Spent
from serve_app.ports import ScalingRecord
from tests.postgres import free_port

NOW = datetime(2026, 11, 11, 8, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def record(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ScalingRecord]:
    if request.param == "memory":
        yield MemoryScaling()
        return
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else f"sqlite+aiosqlite:///{tmp_path}/r.db"
    engine = connect(url)
    await create_tables(engine)
    async with engine.begin() as connection:
        await connection.execute(delete(scaling_policies))
        await connection.execute(delete(scaling_spent))
    yield SqlScaling(engine)
    await engine.dispose()


async def test_nothing_is_in_force_before_the_first_edit(record: ScalingRecord) -> None:
    assert await record.latest() == 0
    assert list(await record.history()) == []
    with pytest.raises(NotFound, match="no version 1"):
        await record.edit(1)


async def test_edits_are_kept_as_they_were_written_with_who_and_when(record: ScalingRecord) -> None:
    text = "replicas: {max: 3}  # 大促\n"
    made = await record.add(text, "mei", NOW, note="双十一")
    assert made.version == await record.latest() == 1
    kept = await record.edit(1)
    assert (kept.text, kept.by, kept.note, kept.refused) == (text, "mei", "双十一", None)
    assert kept.applied_at == NOW
    assert kept.applied_at.tzinfo is not None


async def test_a_refused_edit_is_kept_with_its_reason_and_is_not_in_force(record: ScalingRecord) -> None:
    await record.add("a: 1", "mei", NOW)
    await record.add("b: 2", "lei", NOW, refused="p.yaml:1: b: there is no such field")
    assert await record.latest() == 2
    assert [(edit.version, edit.refused) for edit in await record.history()] == [
        (2, "p.yaml:1: b: there is no such field"),
        (1, None),
    ]
    assert [edit.version for edit in await record.history(applied_only=True)] == [1]


async def test_the_newest_come_first_and_no_more_than_were_asked_for(record: ScalingRecord) -> None:
    for number in range(5):
        await record.add(f"start_s: {number}", "mei", NOW, refused="no" if number % 2 else None)
    assert [edit.version for edit in await record.history(2)] == [5, 4]
    assert [edit.version for edit in await record.history(2, applied_only=True)] == [5, 3]


async def test_several_may_write_at_once(record: ScalingRecord) -> None:
    made = await asyncio.gather(*(record.add(f"start_s: {number}", "mei", NOW) for number in range(12)))
    assert sorted(edit.version for edit in made) == list(range(1, 13))
    assert {edit.version: edit.text for edit in made} == {edit.version: edit.text for edit in await record.history()}


async def test_what_a_day_has_cost_only_grows(record: ScalingRecord) -> None:
    assert await record.spent() is None
    monday, tuesday = date(2026, 11, 9), date(2026, 11, 10)
    for told in (Spent(monday, 2.5), Spent(monday, 4.25), Spent(monday, 3.0)):
        await record.spend(told)
    assert await record.spent() == Spent(monday, 4.25)
    await record.spend(Spent(tuesday, 0.5))
    await record.spend(Spent(monday, 5.0))
    assert await record.spent() == Spent(tuesday, 0.5)


async def test_several_may_write_what_a_day_has_cost(record: ScalingRecord) -> None:
    day = date(2026, 11, 9)
    await asyncio.gather(*(record.spend(Spent(day, float(cost))) for cost in range(8)))
    kept = await record.spent()
    assert kept is not None
    await record.spend(Spent(day, 9.0))
    assert (await record.spent()) == Spent(day, 9.0)


async def test_what_is_refused_may_be_no_text_at_all(record: ScalingRecord) -> None:
    await record.add("a: \x00\ud800", "mei\x00", NOW, note="\x00", refused="no YAML: \x00")
    assert (await record.edit(1)).refused is not None


async def test_a_record_that_is_away_is_said() -> None:
    engine = connect(f"postgresql+asyncpg://u:hidden@127.0.0.1:{free_port()}/none")
    away, memory = SqlScaling(engine), MemoryScaling()
    memory.is_away = True
    for record in (away, memory):
        for call in (
            record.latest(),
            record.history(),
            record.edit(1),
            record.add("", "mei", datetime.now(UTC)),
            record.spent(),
        ):
            with pytest.raises(StoreFailed) as failed:
                await call
            assert "hidden" not in str(failed.value)
    await engine.dispose()
