"""The policy in force follows the record; what cannot be read leaves the last good one."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import UTC, datetime

import pytest

from serve_app import policy_watch
from serve_app.adapters.memory_scaling import MemoryScaling
from serve_app.domain.errors import StoreFailed
from serve_app.domain.scaling_policy import Replicas, ScalingPolicy
from serve_app.policy_watch import PolicyWatch

NOW = datetime(2026, 11, 11, tzinfo=UTC)
DEFAULT = ScalingPolicy(replicas=Replicas(1, 3))


class Watched:
    def __init__(self) -> None:
        self.record = MemoryScaling()
        self.counted: list[str] = []
        self.watch = PolicyWatch(self.record, DEFAULT, self.counted.append)

    async def edit(self, text: str, refused: str | None = None) -> None:
        await self.record.add(text, "mei", NOW, refused=refused)

    async def max_now(self) -> int:
        await self.watch.refresh()
        assert self.watch.in_force is not None
        return self.watch.in_force.policy.replicas.max


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    # Another test's policy may have had it log where Serve does, too.
    monkeypatch.setattr(policy_watch.logger, "handlers", [])
    return Watched()


async def test_nothing_is_known_before_the_record_has_answered(watched: Watched) -> None:
    watched.record.is_away = True
    with pytest.raises(StoreFailed):
        await watched.watch.refresh()
    assert watched.watch.in_force is None


async def test_without_an_edit_the_default_is_in_force(watched: Watched) -> None:
    assert await watched.max_now() == 3
    assert watched.watch.in_force is not None
    assert watched.watch.in_force.version == 0


async def test_an_edit_is_followed(watched: Watched) -> None:
    assert await watched.max_now() == 3
    await watched.edit("replicas: {max: 7}")
    assert await watched.max_now() == 7
    await watched.edit("replicas: {max: 2}")
    assert await watched.max_now() == 2


async def test_a_refused_edit_changes_nothing_and_is_told_once(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    await watched.edit("replicas: {max: 7}")
    await watched.edit("replicas: {max: 0}", refused="old news")
    await watched.max_now()
    assert watched.counted == []
    await watched.edit("replicas: {max: 0}", refused="p.yaml:1: replicas.max: must be at least 1")
    assert [await watched.max_now() for _ in range(2)] == [7, 7]
    assert watched.counted == ["refused"]
    assert caplog.text.count("scaling policy 3 of mei was refused: p.yaml:1: replicas.max: must be at least 1") == 1


async def test_a_version_that_cannot_be_read_leaves_the_last_good_one(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    await watched.edit("replicas: {max: 7}")
    await watched.max_now()
    await watched.edit("replicas: {maxx: 9}")
    await watched.edit("{")
    assert [await watched.max_now() for _ in range(2)] == [7, 7]
    assert watched.counted == ["unreadable"] * 2
    assert "version 2:1: replicas.maxx: there is no such field" in caplog.text
    await watched.edit("replicas: {max: 5}")
    assert await watched.max_now() == 5


async def test_a_start_finds_the_last_version_that_can_be_read(watched: Watched) -> None:
    await watched.edit("replicas: {max: 7}")
    await watched.edit("{")
    assert await watched.max_now() == 7


async def test_nothing_ends_the_watch(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(policy_watch, "EVERY_S", 0)
    caplog.set_level(logging.WARNING)
    stop = threading.Event()
    run = asyncio.create_task(watched.watch.run(stop))
    watched.record.is_away = True
    while "cannot be read again" not in caplog.text:
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    watched.record.is_away = False
    await watched.edit("replicas: {max: 7}")
    while watched.watch.in_force is None:
        await asyncio.sleep(0)
    assert watched.watch.in_force.version == 1
    assert caplog.text.count("cannot be read again") == 1
    stop.set()
    await run


async def test_the_record_is_prepared_until_that_has_succeeded() -> None:
    tries: list[int] = []

    async def prepare() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise StoreFailed("not yet")

    watch = PolicyWatch(MemoryScaling(), DEFAULT, lambda _: None, prepare)
    with pytest.raises(StoreFailed):
        await watch.refresh()
    for _ in range(2):
        await watch.refresh()
    assert len(tries) == 2
