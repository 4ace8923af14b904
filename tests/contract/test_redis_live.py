"""What is Redis's own of answers under way: leases, times to live, slots, and a connection that goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from uuid import uuid4

import pytest

from serve_app.adapters.redis_client import connect, live_names
from serve_app.adapters.redis_link import RedisLink
from serve_app.adapters.redis_live import RedisLive
from serve_app.config import RedisSettings
from serve_app.domain.errors import StoreFailed
from serve_app.domain.live import Talk, Told, Watch
from tests.contract.test_live_answers import Listener, events, talk
from tests.postgres import free_port
from tests.redis_servers import everywhere


@pytest.fixture(scope="module", params=["valkey", "valkey_cluster", "redis7"])
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def link(url: str) -> AsyncGenerator[RedisLink]:
    made = connect(RedisSettings(url=url, timeout_ms=5000))
    yield made
    await made.aclose()


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.005)


async def test_everything_that_is_kept_has_an_end(link: RedisLink):
    live, place = RedisLive(link, keep_s=60), talk()
    await live.tell(place, "a", events(1, 2))
    _, kept, under_way = live_names(place, "a")
    for key in (kept, under_way):
        assert 0 < await link.client.ttl(key) <= 60
    await live.tell(place, "a", events(3, 3, last=True))
    assert 0 < await link.client.ttl(kept) <= 60
    assert not await link.client.exists(under_way)


async def test_an_answer_whose_owner_is_silent_is_no_more_under_way(link: RedisLink):
    live, place = RedisLive(link, keep_s=60, lease_s=0.05), talk()
    await live.tell(place, "a", events(1, 2))

    async def is_over() -> bool:
        return await live.under_way(place) == {}

    await until(is_over)
    assert await live.told(place, "a", 0), "what was given can still be read"


async def test_what_the_server_lost_is_told_again(link: RedisLink):
    live, place = RedisLive(link, keep_s=60), talk()
    await live.tell(place, "a", events(1, 2))
    await link.client.delete(live_names(place, "a")[1])
    assert await live.tell(place, "a", events(3, 3)) == 0
    assert await live.tell(place, "a", events(1, 3)) == 3
    assert list(await live.told(place, "a", 0) or ()) == events(1, 3)


async def test_a_lost_connection_is_replaced_with_all_it_listened_to(url: str, link: RedisLink):
    live, other, places = RedisLive(link, keep_s=60, timeout_s=5), RedisLive(link, keep_s=60), [talk(), talk()]
    listener = Listener(live)
    assert await listener.next() is None
    for place in places:
        await live.listen(place)
    await everywhere(link, "CLIENT", "KILL", "TYPE", "pubsub")
    assert await listener.next() is None, "something may have been missed"
    await live.listen(talk())  # so that the connection stands
    for place in places:
        await other.say(place, Watch(1))
        assert await listener.next() == (place, Watch(1))
    await listener.end()


async def test_a_silent_connection_is_asked_and_kept(link: RedisLink):
    live, other, place = RedisLive(link, keep_s=60, timeout_s=5, ping_s=0.02), RedisLive(link, keep_s=60), talk()
    listener = Listener(live)
    assert await listener.next() is None
    await live.listen(place)
    await asyncio.sleep(0.1)  # several pings
    await other.say(place, Watch(1))
    assert await listener.next() == (place, Watch(1))
    await listener.end()


async def test_a_server_that_says_nothing_is_left(link: RedisLink):
    """It takes the connection and never answers."""
    gone = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()
        writer.close()

    silent = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    other = connect(RedisSettings(url=f"redis://127.0.0.1:{port}/0", timeout_ms=50))
    live = RedisLive(other, keep_s=60, timeout_s=0.05, ping_s=0.05)
    listener = Listener(live)
    with pytest.raises(StoreFailed):
        await live.listen(talk())
    async with asyncio.timeout(10):
        await gone.wait()
    await listener.end()
    await other.aclose()
    silent.close()


async def test_a_server_that_is_away_is_a_failed_store():
    link = connect(RedisSettings(url=f"redis://127.0.0.1:{free_port()}/0"))
    live, place = RedisLive(link, keep_s=60, timeout_s=0.05), talk()
    for call in (
        lambda: live.tell(place, "a", events(1, 1)),
        lambda: live.told(place, "a", 0),
        lambda: live.under_way(place),
        lambda: live.forget(place, "a"),
        lambda: live.say(place, Watch(1)),
        lambda: live.listen(place),
    ):
        with pytest.raises(StoreFailed):
            await call()
    await live.ignore(place)
    await link.aclose()


async def test_what_cannot_be_read_is_passed_over(link: RedisLink):
    live, other, place = RedisLive(link, keep_s=60, timeout_s=5), RedisLive(link, keep_s=60), talk()
    listener = Listener(live)
    assert await listener.next() is None
    await live.listen(place)
    for nonsense in (b"{", b"[]", b'["x","told",[["a"]]]', b'["x","from a later version",1]', b"\xff"):
        await link.client.publish(live_names(place, "")[0], nonsense)
    await other.say(place, Watch(1))
    assert await listener.next() == (place, Watch(1))
    await link.client.rpush(live_names(place, "a")[1], "nonsense")
    with pytest.raises(StoreFailed):
        await live.told(place, "a", 0)
    await listener.end()


async def test_the_keys_of_a_conversation_lie_in_one_slot(valkey_cluster_url: str):
    link = connect(RedisSettings(url=valkey_cluster_url))
    live = RedisLive(link, keep_s=60)
    for name in ("plain", "}", "{x}", "a/b{", ""):
        place = Talk("demo", name + uuid4().hex)
        told = [Told("a", 1, None, name)]
        await live.tell(place, "a", told)
        assert (list(await live.told(place, "a", 0) or ()), await live.under_way(place)) == (told, {"a": 1})
        await live.forget(place, "a")
    await link.aclose()
