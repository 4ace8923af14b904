"""`/v1/ws` with small limits, a model that speaks slowly and a Redis that can go away: what ends, and what goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from serve_app.adapters.redis_client import connect
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.domain.errors import NotFound, StoreFailed
from tests.graph.front import Front, serving
from tests.graph.socket_client import CHAT, greeted, open_socket, text_of, until
from tests.packaged import saying
from tests.redis_proxy import RedisProxy, through_a_proxy

STORY = "Once upon a time there was a shop."


@pytest.fixture(scope="module")
async def link(valkey_url: str) -> AsyncGenerator[RedisProxy]:
    async with through_a_proxy(valkey_url) as made:
        yield made


@pytest.fixture(scope="module")
async def slow(
    tmp_path_factory: pytest.TempPathFactory, link: RedisProxy, packaged_model: Path, front: Front
) -> AsyncGenerator[Front]:
    """Small limits, a Redis that can be cut off, and a model that takes its time."""
    home = tmp_path_factory.mktemp("slow")
    (home / "shop.db").symlink_to(front.config.home / "shop.db")
    limits = {"grace_s": 0.3, "hello_s": 0.3, "socket_idle_s": 1.0, "sockets": 3, "socket_backlog_chars": 2000}
    web = {"web": {"origins": ["https://shop.example"]}}
    engine = saying(STORY, token_s=0.005)
    async with serving(home, link.url, packaged_model, engine, limits=limits, tenants={"demo": web}) as running:
        yield running


async def test_a_hello_that_comes_too_late_ends_the_socket(slow: Front) -> None:
    async with open_socket(slow) as socket:
        assert (await socket.next())["data"]["error"]["code"] == "invalid_credentials"
        assert await socket.closed() == 4408


async def test_a_socket_on_which_nothing_is_sent_is_closed(slow: Front) -> None:
    async with greeted(slow) as socket:
        assert await socket.closed() == 1001


async def test_more_sockets_than_there_may_be_are_closed(slow: Front) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(greeted(slow))
        one_more = await stack.enter_async_context(open_socket(slow))
        assert (await one_more.next())["data"]["error"]["code"] == "overloaded"
        assert await one_more.closed() == 4503


async def test_a_page_of_the_shops_own_comes_in(slow: Front) -> None:
    async with greeted(slow, additional_headers={"origin": "https://shop.example"}):
        pass


async def test_whoever_leaves_ends_the_generation_after_the_grace(slow: Front) -> None:
    for goodbye in (True, False):
        async with greeted(slow) as socket:
            await socket.send("ask", question=CHAT)
            frames = await socket.until("delta")
            if goodbye:
                await socket.connection.close()
            else:
                socket.cut()
        await until(lambda: not slow.engine.in_flight)
        turns: list[dict[str, Any]] = []
        async with asyncio.timeout(15):
            while not (turns and turns[0]["answer"]):
                turns = (await slow.get(f"/v1/sessions/{socket.session_id}")).json()["turns"]
        # The grace is longer than the story, or it is not.
        given = turns[0]["answer"]["text"]
        assert turns[0]["answer"]["finish_reason"] in ("cancelled", "stop")
        assert STORY.startswith(given)
        assert given.startswith(text_of(frames))


async def test_an_answer_is_cancelled_when_its_customer_wants_no_more(slow: Front) -> None:
    async with greeted(slow) as socket:
        await socket.send("ask", question=CHAT)
        frames = await socket.until("delta")
        await socket.send("cancel", answer_id=frames[0]["answer_id"])
        frames += await socket.answer()
        assert frames[-1]["data"]["finish_reason"] == "cancelled"
        await until(lambda: not slow.engine.in_flight)
        turns = (await slow.get(f"/v1/sessions/{socket.session_id}")).json()["turns"]
        assert (turns[0]["answer"]["finish_reason"], turns[0]["answer"]["text"]) == ("cancelled", text_of(frames))
        assert text_of(frames) != STORY
        assert (await socket.ask("你好"))[-1]["event"] == "done"


async def test_an_answer_goes_on_when_redis_goes_away(slow: Front, link: RedisProxy) -> None:
    async with greeted(slow) as socket:
        await socket.send("ask", question=CHAT)
        frames = await socket.until("delta")
        await link.cut()
        try:
            frames += await socket.answer()
            assert text_of(frames) == STORY
            assert (frames[-1]["event"], frames[-1]["data"]["degraded"]) == ("done", ["sessions"])
            await socket.send("resume", answer_id="ans_unknown", after_seq=1)
            assert (await socket.next())["data"]["error"]["code"] == "not_found"
            assert (await socket.ask("你好", message_id="m2"))[-1]["data"]["degraded"] == ["sessions"]
            async with greeted(slow) as other:
                assert (await other.ask("你好"))[-1]["data"]["degraded"] == ["sessions"]
            ready = await slow.get("/readyz")
            assert (ready.status_code, ready.json()["parts"]["sessions"]) == (200, "degraded")
            async with open_socket(slow) as stranger:
                await stranger.send("hello", token=slow.key, session_id="ses_that_only_redis_knows")
                assert (await stranger.next())["data"]["error"]["code"] == "not_ready"
                assert await stranger.closed() == 4503
        finally:
            await link.open()
        for session_id, turns in ((socket.session_id, 2), (other.session_id, 1)):

            async def is_back(session_id: str = session_id, turns: int = turns) -> bool:
                store = RedisSessions(connect(slow.config.redis), ttl_s=60, turn_wait_s=5)
                try:
                    session = await store.read("demo", session_id, None)
                except (StoreFailed, NotFound):
                    return False
                return [turn.answer is not None for turn in session.turns] == [True] * turns

            async with asyncio.timeout(30):
                while not await is_back():
                    await asyncio.sleep(0.05)
    assert (await slow.ask("你好", session_id=socket.session_id))["degraded"] == []
