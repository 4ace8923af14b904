"""What every keeper of answers under way does: in memory, in Valkey and in Redis 7, one server and a cluster. Two objects
are two processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import pytest

from serve_app.adapters.memory_live import MemoryLive, MemoryStore
from serve_app.adapters.redis_client import connect
from serve_app.adapters.redis_live import RedisLive
from serve_app.config import RedisSettings
from serve_app.domain.live import Alive, Cancel, Note, Talk, Told, Watch
from serve_app.ports import LiveAnswers


def talk() -> Talk:
    return Talk("demo", uuid4().hex)


def events(first: int, end: int, *, last: bool = False, customer_id: str | None = "C1001") -> list[Told]:
    """Events `first` to `end`."""
    return [
        Told("a", seq, customer_id, f'{{"seq":{seq},"text":"第{seq}个\\n"}}', last and seq == end)
        for seq in range(first, end + 1)
    ]


class Listener:
    """What one process hears."""

    def __init__(self, process: LiveAnswers) -> None:
        self._process = process
        self._heard: asyncio.Queue[tuple[Talk, Sequence[Told] | Note] | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async with aclosing(self._process.heard()) as heard:
            async for item in heard:
                self._heard.put_nowait(item)

    async def next(self) -> tuple[Talk, Sequence[Told] | Note] | None:
        async with asyncio.timeout(10):
            return await self._heard.get()

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


@pytest.fixture(scope="module", params=["memory", "valkey", "valkey_cluster", "redis7", "redis7_cluster"])
async def process(request: pytest.FixtureRequest) -> AsyncGenerator[Callable[[], LiveAnswers]]:
    """Makes one more process over the same store."""
    if request.param == "memory":
        store = MemoryStore()
        yield lambda: MemoryLive(store)
        return
    link = connect(RedisSettings(url=request.getfixturevalue(f"{request.param}_url")))
    yield lambda: RedisLive(link, keep_s=60, timeout_s=5)
    await link.aclose()


async def test_what_is_told_is_read_by_another_process(process: Callable[[], LiveAnswers]):
    one, other, place = process(), process(), talk()
    assert await one.tell(place, "a", events(1, 2)) == 2
    assert await one.tell(place, "a", events(3, 5, last=True)) == 5
    assert list(await other.told(place, "a", 0) or ()) == events(1, 5, last=True)
    assert list(await other.told(place, "a", 3) or ()) == events(4, 5, last=True)
    nothing_more = await other.told(place, "a", 5)
    assert nothing_more is not None
    assert list(nothing_more) == []


async def test_what_nobody_told_is_unknown(process: Callable[[], LiveAnswers]):
    one, place = process(), talk()
    assert await one.told(place, "a", 0) is None
    await one.tell(place, "a", events(1, 1))
    assert await one.told(talk(), "a", 0) is None, "another conversation's answers are not to be had"
    assert await one.told(place, "b", 0) is None
    await one.forget(place, "a")
    assert await one.told(place, "a", 0) is None
    assert await one.under_way(place) == {}


async def test_telling_again_adds_nothing(process: Callable[[], LiveAnswers]):
    one, place = process(), talk()
    for part in (events(1, 3), events(1, 3), events(2, 4), events(4, 4)):
        await one.tell(place, "a", part)
    assert list(await one.told(place, "a", 0) or ()) == events(1, 4)


async def test_a_gap_is_not_told_but_named(process: Callable[[], LiveAnswers]):
    one, place = process(), talk()
    await one.tell(place, "a", events(1, 2))
    assert await one.tell(place, "a", events(4, 5)) == 2
    assert list(await one.told(place, "a", 0) or ()) == events(1, 2)
    assert await one.tell(place, "b", events(2, 2)) == 0


async def test_an_answer_is_under_way_until_its_last_event(process: Callable[[], LiveAnswers]):
    one, other, place = process(), process(), talk()
    assert await other.under_way(place) == {}
    await one.tell(place, "a", events(1, 2))
    assert await other.under_way(place) == {"a": 2}
    await one.tell(place, "b", events(1, 1, last=True))
    assert await other.under_way(place) == {"a": 2}
    await one.tell(place, "a", events(3, 3, last=True))
    assert await other.under_way(place) == {}


async def test_who_listens_hears_the_others_and_not_itself(process: Callable[[], LiveAnswers]):
    one, other, place = process(), process(), talk()
    listener, own = Listener(other), Listener(one)
    assert await listener.next() is None, "it begins with what may have been missed"
    assert await own.next() is None
    await other.listen(place)
    await one.listen(place)
    first = [*events(1, 1)]
    first[0] = Told("a", 1, None, "frame", question="asked")
    await one.tell(place, "a", first)
    await one.tell(talk(), "a", events(1, 1))
    notes: list[Note] = [Watch(2.5), Alive(("a", "b")), Cancel("a")]
    for note in notes:
        await one.say(place, note)
    heard: list[Any] = [await listener.next() for _ in range(4)]
    assert [(where, list(what) if isinstance(what, tuple) else what) for where, what in heard[:1]] == [(place, first)]
    assert heard[1:] == [(place, note) for note in notes]
    await other.say(place, Watch(0))
    assert await own.next() == (place, Watch(0)), "it has heard nothing of its own before"
    await other.ignore(place)
    await one.say(place, Watch(1))
    await other.listen(place)
    await one.say(place, Watch(2))
    heard_again = await listener.next()
    if heard_again == (place, Watch(1)):
        # Said before, and still on its way from another server of a cluster.
        heard_again = await listener.next()
    assert heard_again == (place, Watch(2))
    await listener.end()
    await own.end()


async def test_from_listening_on_nothing_is_missed(process: Callable[[], LiveAnswers]):
    """What was told before stands in the store, what is told after is heard; together it is everything."""
    one, other = process(), process()
    listener = Listener(other)
    await listener.next()
    for _ in range(20):
        place = talk()

        async def tell(place: Talk = place) -> None:
            for seq in range(1, 11):
                await one.tell(place, "a", events(seq, seq, last=seq == 10))

        telling = asyncio.create_task(tell())
        await other.listen(place)
        stored = [event.seq for event in await other.told(place, "a", 0) or ()]
        await telling
        heard: list[int] = []
        while max([0, *stored, *heard]) < 10:
            item = await listener.next()
            if item is not None and item[0] == place and isinstance(item[1], Sequence):
                heard += [event.seq for event in item[1]]
        assert {*stored, *heard} == set(range(1, 11))
        assert heard == sorted(heard)
    await listener.end()
