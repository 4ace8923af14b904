"""What is set aside until a person has looked, in every keeper of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from serve_app.adapters.memory_aside import MemorySetAsides
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_aside import SqlSetAsides
from serve_app.domain.aside import STATES, Complaint, SetAside
from serve_app.domain.errors import Conflict, NotFound, StoreFailed
from serve_app.ports import SetAsides

NOW = datetime(2026, 11, 22, 4, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
WRONG = Complaint("0123456789abcdef", "能寄到南极吗", "可以。", "model", ("delivery-area",), "capable", True, NOW)
WORDING = replace(WRONG, id="entry.freight", answer="满99元包邮。", source="faq", model=None, by_machine=False)
MOST = 3


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def asides(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SetAsides]:
    if request.param == "memory":
        yield MemorySetAsides(MOST)
        return
    sqlite = f"sqlite+aiosqlite:///{tmp_path / 'record.db'}"
    engine = connect(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    await create_tables(engine)
    yield SqlSetAsides(engine, MOST)
    await engine.dispose()


async def test_a_complaint_sets_aside_and_every_further_one_counts(asides: SetAsides) -> None:
    tenant = uuid4().hex
    assert await asides.version(tenant) == 0
    assert await asides.not_said(tenant) == frozenset()
    assert await asides.complain(tenant, WRONG)
    seen = await asides.version(tenant)
    assert seen > 0
    assert await asides.not_said(tenant) == {WRONG.id}
    assert await asides.complain(tenant, replace(WRONG, question="能寄南极不", at=LATER))
    row = SetAside(WRONG.id, WRONG.question, "可以。", "model", ("delivery-area",), "capable", "aside", 2, NOW, LATER)
    assert await asides.find(tenant, WRONG.id) == row
    assert list(await asides.list(tenant, ("aside",), 9)) == [row]
    assert await asides.not_said("other") == frozenset()
    assert await asides.find("other", WRONG.id) is None


async def test_what_a_person_found_holds_for_the_words_that_were_seen(asides: SetAsides) -> None:
    tenant = uuid4().hex
    await asides.complain(tenant, WRONG)
    before = await asides.version(tenant)
    restored = await asides.decide(tenant, WRONG.id, "restored", "li", LATER)
    assert (restored.state, restored.decided_by, restored.decided_at) == ("restored", "li", LATER)
    assert await asides.version(tenant) > before
    assert await asides.not_said(tenant) == frozenset()
    await asides.complain(tenant, WRONG)
    assert await asides.not_said(tenant) == frozenset(), "a person has looked at these words"
    await asides.complain(tenant, replace(WRONG, answer="不可以。"))
    assert await asides.not_said(tenant) == {WRONG.id}
    dropped = await asides.decide(tenant, WRONG.id, "dropped", "li", LATER)
    assert (dropped.answer, dropped.count) == ("不可以。", 3)
    assert await asides.not_said(tenant) == {WRONG.id}, "what was found wrong stays out"
    assert list(await asides.list(tenant, ("aside", "listed"), 9)) == []


async def test_a_published_wording_is_listed_and_said_as_before(asides: SetAsides) -> None:
    tenant = uuid4().hex
    await asides.complain(tenant, WORDING)
    assert await asides.not_said(tenant) == frozenset()
    assert [row.id for row in await asides.list(tenant, ("listed",), 9)] == ["entry.freight"]
    with pytest.raises(Conflict, match="edit or withdraw"):
        await asides.decide(tenant, WORDING.id, "dropped", "li", LATER)
    assert (await asides.decide(tenant, WORDING.id, "restored", "li", LATER)).state == "restored"


async def test_nothing_is_decided_about_what_is_not_there(asides: SetAsides) -> None:
    with pytest.raises(NotFound, match="0000"):
        await asides.decide(uuid4().hex, "0000", "restored", "li", NOW)


async def test_a_flood_fills_no_more_than_its_room(asides: SetAsides) -> None:
    tenant = uuid4().hex
    kept = [await asides.complain(tenant, replace(WRONG, id=f"q{n}", at=NOW + timedelta(seconds=n))) for n in range(MOST + 2)]
    assert kept == [True] * MOST + [False] * 2
    assert len(await asides.list(tenant, STATES, 99)) == MOST
    assert await asides.complain(tenant, replace(WRONG, id="q0")), "what has a row is counted"
    await asides.decide(tenant, "q2", "restored", "li", LATER)
    await asides.decide(tenant, "q1", "restored", "li", LATER)
    assert await asides.complain(tenant, replace(WRONG, id="new")), "what a person found right makes room"
    assert {row.id for row in await asides.list(tenant, STATES, 99)} == {"q0", "q2", "new"}
    assert [row.id for row in await asides.list(tenant, STATES, 1)] == ["q0"], "the most often complained of first"


async def test_complaints_at_once_are_all_counted_and_the_version_tells_of_each(asides: SetAsides) -> None:
    tenant = uuid4().hex
    await asyncio.gather(*(asides.complain(tenant, replace(WRONG, id=f"q{n % 2}")) for n in range(8)))
    assert [row.count for row in await asides.list(tenant, STATES, 9)] == [4, 4]
    assert await asides.version(tenant) == 8


async def test_a_record_that_is_away_is_named() -> None:
    engine = connect("postgresql+asyncpg://nobody:secret@127.0.0.1:1/none")
    try:
        with pytest.raises(StoreFailed) as error:
            await SqlSetAsides(engine).version("demo")
        assert "secret" not in str(error.value)
    finally:
        await engine.dispose()
