"""What a process knows of the published versions, and when it shows what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from serve_app.adapters.memory_aside import MemorySetAsides
from serve_app.domain.aside import Complaint
from serve_app.domain.errors import StoreFailed
from serve_app.domain.knowledge import Entry, Template
from serve_app.versions import Versions

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
WRONG = Complaint("0123456789abcdef", "能寄到南极吗", "可以。", "model", (), "capable", True, NOW)


class Time:
    at = 100.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at


class Record:
    """The port `KnowledgeRecord`, as far as versions go."""

    def __init__(self) -> None:
        self.number = 1
        self.held: dict[str, int] = {"freight": 1, "returns": 1}
        self.is_away = False
        self.reads = 0

    def publish(self, **versions: int | None) -> None:
        self.number += 1
        kept = {source: version for source, version in {**self.held, **versions}.items() if version is not None}
        self.held = kept

    async def version(self, tenant: str) -> int:
        if self.is_away:
            raise StoreFailed("away")
        return self.number

    async def versions(self, tenant: str) -> Mapping[str, int]:
        self.reads += 1
        return dict(self.held)

    async def published(self, tenant: str) -> tuple[Sequence[Entry], Sequence[Template]]:
        return (), ()


class Making:
    """What is told of changes; it takes as long as `gate` is closed."""

    def __init__(self) -> None:
        self.told = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False

    async def began(self, times: int) -> None:
        while self.told < times:
            await asyncio.sleep(0)

    async def __call__(self, tenant: str) -> None:
        self.told += 1
        await self.gate.wait()
        if self.fails:
            raise StoreFailed("away")


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def making() -> Making:
    return Making()


@pytest.fixture
def asides() -> MemorySetAsides:
    return MemorySetAsides()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def versions(record: Record, asides: MemorySetAsides, making: Making, time: Time) -> Versions:
    return Versions(record, asides, ["demo"], time, 0.5, making)


def shown(versions: Versions) -> Mapping[str, int]:
    view = versions.view("demo")
    assert view is not None
    return view.versions


async def test_the_first_look_waits_until_all_is_made(versions: Versions, making: Making, record: Record) -> None:
    making.gate.clear()
    looking = asyncio.create_task(versions.refresh())
    await making.began(1)
    assert versions.view("demo") is None
    making.gate.set()
    await looking
    assert shown(versions) == record.held
    await versions.refresh()
    assert (making.told, record.reads) == (1, 1), "nothing grew, so nothing more is read"


async def test_what_changed_is_hidden_at_once_and_shown_when_it_is_made(
    versions: Versions, record: Record, making: Making, time: Time
) -> None:
    await versions.refresh()
    making.gate.clear()
    record.publish(freight=2, gifts=1)
    time.at = 100.5
    await versions.refresh()
    assert shown(versions) == {"returns": 1}, "the old is gone, the rest stays, the new is not made yet"
    time.at = 105.0
    await versions.refresh()
    view = versions.view("demo")
    assert view is not None
    assert view.is_fresh(105.0, 1.0), "however long the making takes"
    await making.began(2)
    making.gate.set()
    await versions.caught_up()
    assert shown(versions) == {"freight": 2, "returns": 1, "gifts": 1}


async def test_what_is_published_while_the_last_is_made_is_made_too_before_anything_shows(
    versions: Versions, record: Record, making: Making
) -> None:
    await versions.refresh()
    making.gate.clear()
    record.publish(freight=2)
    await versions.refresh()
    await making.began(2)
    record.publish(freight=1, returns=None)
    await versions.refresh()
    assert shown(versions) == {}
    making.gate.set()
    await versions.caught_up()
    assert shown(versions) == {"freight": 1}
    assert making.told == 3


async def test_one_that_could_not_be_made_is_tried_again(versions: Versions, record: Record, making: Making) -> None:
    await versions.refresh()
    making.fails = True
    record.publish(freight=2)
    await versions.refresh()
    await versions.caught_up()
    assert shown(versions) == {"returns": 1}
    making.fails = False
    await versions.refresh()
    await versions.caught_up()
    assert shown(versions) == {"freight": 2, "returns": 1}


async def test_what_is_set_aside_is_seen_at_the_next_beat_and_only_then_read(
    versions: Versions, asides: MemorySetAsides, making: Making
) -> None:
    await asides.complain("other", WRONG)
    await versions.refresh()
    view = versions.view("demo")
    assert view is not None
    assert view.set_aside == frozenset()
    await asides.complain("demo", WRONG)
    await versions.refresh()
    view = versions.view("demo")
    assert view is not None
    assert view.set_aside == {WRONG.id}
    await asides.decide("demo", WRONG.id, "restored", "li", NOW)
    await versions.refresh()
    view = versions.view("demo")
    assert view is not None
    assert view.set_aside == frozenset()
    assert making.told == 1
    await asides.complain("demo", replace(WRONG, answer="别的"))
    await versions.refresh()
    view = versions.view("demo")
    assert view is not None
    assert view.set_aside == {WRONG.id}


async def test_a_record_that_is_away_leaves_the_view_as_old_as_it_is(versions: Versions, record: Record, time: Time) -> None:
    await versions.refresh()
    record.is_away = True
    time.at = 102.0
    with pytest.raises(StoreFailed):
        await versions.refresh()
    view = versions.view("demo")
    assert view is not None
    assert not view.is_fresh(102.0, 1.0)


async def test_a_view_says_since_when_something_is_new() -> None:
    time, record = Time(), Record()

    async def changed(_tenant: str) -> None: ...

    versions = Versions(record, MemorySetAsides(), ["demo"], time, 0.5, changed)

    async def grown_at() -> float:
        time.at += 1
        await versions.refresh()
        await versions.caught_up()
        view = versions.view("demo")
        assert view is not None
        assert view.grown_at is not None
        return (view.grown_at - NOW).total_seconds()

    assert await grown_at() == 101
    assert await grown_at() == 101
    record.publish(gifts=1)
    assert await grown_at() == 103
    record.publish(gifts=None)
    assert await grown_at() == 103, "what is withdrawn makes nothing new"
    record.publish(returns=2)
    assert await grown_at() == 105, "other words may be near to other questions"
    record.publish()
    assert await grown_at() == 105
