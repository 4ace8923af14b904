"""`/v1/ws` of two processes: a cut costs nothing, and every tab shows the same, a person's words too."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest

from deployments import one_process
from tests.graph.front import Front
from tests.graph.socket_client import CHAT, Frame, greeted, text_of, until
from tests.packaged import saying

# Of the slow model's answer: meta, deltas (the guard keeps back the start of a word), done.
EVENTS = 7


@pytest.fixture(scope="module")
async def pair(front: Front) -> AsyncGenerator[tuple[Front, Front]]:
    """Two processes over one Redis and one record, and one model that takes its time."""
    engine = saying("Once up", token_s=0.02)
    await engine.start()
    async with contextlib.AsyncExitStack() as stack:
        fronts: list[Front] = []
        for _ in range(2):
            host, port = await stack.enter_async_context(one_process.serving(front.config, engine))
            fronts.append(replace(front, engine=engine, host=host, port=port))
        yield fronts[0], fronts[1]


def without_ids(frames: list[Frame]) -> list[tuple[str, int, Any]]:
    """What is the same each time."""
    kept = [frame for frame in frames if frame["event"] != "question"]
    changing = {"answer_id", "session_id", "timings_ms", "message_ids", "usage"}
    return [
        (frame["event"], frame["seq"], {name: value for name, value in frame["data"].items() if name not in changing})
        for frame in kept
    ]


@pytest.mark.parametrize("where", ["same process", "other process"])
@pytest.mark.parametrize("seq", range(EVENTS + 1))
async def test_a_cut_after_any_event_loses_nothing(pair: tuple[Front, Front], seq: int, where: str) -> None:
    """After 0 events the page sends its message again."""
    here, there = pair if where == "other process" else (pair[0], pair[0])
    async with greeted(here) as socket:
        whole = await socket.ask(CHAT)
    assert len(whole) == EVENTS
    async with greeted(here) as socket:
        await socket.send("ask", question=CHAT, message_id="m1")
        seen = [await socket.next() for _ in range(seq)]
        socket.cut()
    async with greeted(there, session_id=socket.session_id) as again:
        if seq == 0:
            seen = await again.ask(CHAT, message_id="m1")
        else:
            await again.send("resume", answer_id=seen[0]["answer_id"], after_seq=len(seen))
            if seen[-1]["event"] != "done":
                seen += await again.answer()
        await again.send("ping")
        assert await again.next() == {"event": "pong"}, "and nothing comes twice"
    assert without_ids(seen) == without_ids(whole)
    (turn,) = (await there.get(f"/v1/sessions/{socket.session_id}")).json()["turns"]
    assert (turn["answer"]["text"], turn["answer"]["finish_reason"]) == ("Once up", "stop")


async def test_a_tab_on_another_process_shows_the_same(pair: tuple[Front, Front]) -> None:
    here, there = pair
    async with greeted(here) as one, greeted(there, session_id=one.session_id) as two:
        asked = await one.ask(CHAT)
        question, *shown = await two.answer()
        assert (question["event"], shown) == ("question", asked)
        back = await two.ask("你好")
        assert (await one.answer())[1:] == back


async def test_a_tab_that_comes_in_the_middle_gets_the_whole_answer(pair: tuple[Front, Front]) -> None:
    here, there = pair
    async with greeted(here) as one:
        await one.send("ask", question=CHAT)
        seen = await one.until("delta")
        async with greeted(there, session_id=one.session_id) as two:
            (active,) = two.ready["active"]
            assert active["answer_id"] == seen[0]["answer_id"]
            await two.send("resume", answer_id=active["answer_id"], after_seq=0)
            shown = await two.answer()
        assert shown == seen + await one.answer()


async def test_an_answer_is_cancelled_in_another_process(pair: tuple[Front, Front]) -> None:
    here, there = pair
    async with greeted(here) as one, greeted(there, session_id=one.session_id) as two:
        await one.send("ask", question=CHAT)
        shown = await two.until("delta")
        await two.send("cancel", answer_id=shown[0]["answer_id"])
        assert (await two.answer())[-1]["data"]["finish_reason"] == "cancelled"
        assert (await one.answer())[-1]["data"]["finish_reason"] == "cancelled"
        await until(lambda: not here.engine.in_flight)


async def test_another_customers_answer_is_not_resumed(pair: tuple[Front, Front]) -> None:
    here, there = pair
    async with greeted(here) as one, greeted(there, session_id=one.session_id) as stranger:
        await one.send("hello", token=here.key, customer_token=here.token("C1002"))
        assert (await one.next())["data"]["session_id"] == one.session_id
        frames = await one.ask("我的会员等级是什么?")
        for server in (here, there):
            async with greeted(server, "C1001") as other:
                await other.send("resume", answer_id=frames[0]["answer_id"], after_seq=0)
                assert (await other.next())["data"]["error"]["code"] == "not_found"
        await stranger.send("resume", answer_id=frames[0]["answer_id"], after_seq=0)
        assert (await stranger.next())["data"]["error"]["code"] == "not_found", "nothing was shown to it before"


async def test_a_persons_words_reach_every_tab(pair: tuple[Front, Front]) -> None:
    here, there = pair
    ops = {"authorization": f"Bearer {await here.new_key(frozenset({'ops'}))}"}
    async with greeted(here, "C1003") as one, greeted(there, "C1003", session_id=one.session_id) as two:
        await one.ask("转人工")
        tickets = (await here.client.get("/v1/admin/desk/tickets", headers=ops)).json()
        ticket = next(row for row in tickets["tickets"] if row["session_id"] == one.session_id)
        said = {"text": "您好,我是小王。", "name": "小王"}
        path = f"/v1/admin/desk/tickets/{ticket['ticket_id']}/reply"
        replied = await here.client.post(path, json=said, headers=ops)
        assert replied.status_code < 300, replied.text
        for tab in (one, two):
            frame = (await tab.until("agent"))[-1]
            assert (frame["data"]["text"], frame["data"]["name"]) == ("您好,我是小王。", "小王")
            assert "seq" not in frame
        silent = await one.ask("我的包裹坏了")
        assert silent[0]["data"]["source"] == "agent"
        assert text_of(silent) == ""
        async with greeted(there, "C1003", session_id=one.session_id) as three:
            assert three.ready["handoff"]["state"] == "human"
