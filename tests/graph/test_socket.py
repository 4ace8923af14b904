"""`/v1/ws` over a real server: who may come in, what is answered, and what a cut costs: nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from deployments import one_process
from serve_app.adapters.redis_client import connect
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.domain.errors import NotFound, StoreFailed
from serve_app.domain.session import QuestionRecord
from tests.graph.front import Front, serving
from tests.graph.socket_client import Frame, greeted, names_of, open_socket, text_of
from tests.packaged import saying
from tests.redis_proxy import RedisProxy, through_a_proxy

CHAT = "Tell me a joke"
STORY = "Once upon a time there was a shop."


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.005)


# Who may come in


async def test_a_question_is_answered_as_over_http(front: Front) -> None:
    async with greeted(front) as socket:
        frames = await socket.ask("退货政策是什么?", message_id="m1")
        assert (names_of(frames)[0], names_of(frames)[-1]) == ("meta", "done")
        assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
        assert len({frame["answer_id"] for frame in frames}) == 1
        assert frames[0]["data"]["message_ids"] == ["m1"]
        assert {"auth", "session"} <= set(frames[-1]["data"]["timings_ms"])
        assert text_of(frames) == (await front.ask("退货政策是什么?"))["text"]
        turns = (await front.get(f"/v1/sessions/{socket.session_id}")).json()["turns"]
        assert [(turn["question"], turn["answer"]["text"]) for turn in turns] == [("退货政策是什么?", text_of(frames))]


async def test_a_customer_has_one_conversation_over_socket_and_http(front: Front) -> None:
    async with greeted(front, "C1002") as socket:
        assert socket.ready["customer_id"] == "C1002"
        assert (socket.ready["handoff"], socket.ready["active"]) == (None, [])
        frames = await socket.ask("我的快递到哪了?")
        assert any(frame["event"] == "card" for frame in frames)
        await front.ask("那退款呢?", "C1002", session_id=socket.session_id)
    async with greeted(front, "C1002", session_id=socket.session_id) as again:
        assert again.session_id == socket.session_id
        await again.ask("运费怎么算?")
    session = (await front.get(f"/v1/sessions/{socket.session_id}", customer="C1002")).json()
    assert [turn["question"] for turn in session["turns"]] == ["我的快递到哪了?", "那退款呢?", "运费怎么算?"]


async def test_a_new_session_can_be_read_and_returned_to_before_its_first_question(front: Front) -> None:
    async with greeted(front, "C1002") as socket:
        session = await front.get(f"/v1/sessions/{socket.session_id}", customer="C1002")
        assert (session.status_code, session.json()["turns"]) == (200, [])
    async with greeted(front, "C1002", session_id=socket.session_id) as again:
        assert (await again.ask("你好"))[-1]["event"] == "done"


async def test_a_visitors_token_is_enough(front: Front) -> None:
    visitor = (await front.client.post("/v1/visitors", json={"customer_id": "C1001"})).json()
    async with open_socket(front) as socket:
        await socket.send("hello", token=visitor["token"], locale="en-GB")
        assert (await socket.next())["data"]["customer_id"] == "C1001"
        assert (await socket.ask("Where is my order?"))[-1]["event"] == "done"


@pytest.mark.parametrize(
    ("fields", "code", "closed"),
    [
        ({"token": "zw_unknown"}, "invalid_credentials", 4401),
        ({"customer_token": "not.a.token"}, "invalid_credentials", 4401),
        ({"customer_token": "expired"}, "invalid_credentials", 4401),
        ({"token": "other scope"}, "forbidden", 4403),
        ({"session_id": "another's"}, "forbidden", 4403),
    ],
    ids=["key", "token", "expired", "scope", "session"],
)
async def test_a_hello_that_is_refused_ends_the_socket(front: Front, fields: dict[str, str], code: str, closed: int) -> None:
    hello = {"token": front.key} | fields
    if fields.get("customer_token") == "expired":
        hello["customer_token"] = front.token("C1001", ttl=-timedelta(hours=1))
    if fields.get("token") == "other scope":
        hello["token"] = await front.new_key(frozenset({"ops"}))
    if "session_id" in fields:
        hello["session_id"] = (await front.ask("你好", "C1001"))["session_id"]
    async with open_socket(front) as socket:
        await socket.send("hello", **hello)
        frame = await socket.next()
        assert (frame["event"], frame["data"]["error"]["code"]) == ("error", code)
        assert await socket.closed() == closed


async def test_a_session_that_is_gone_is_said_and_the_socket_goes_on(front: Front) -> None:
    async with open_socket(front) as socket:
        await socket.send("hello", token=front.key, session_id="ses_gone")
        assert (await socket.next())["data"]["error"]["code"] == "not_found"
        await socket.send("hello", token=front.key)
        assert (await socket.next())["event"] == "ready"


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://{host}", 101), ("https://evil.example", 403), ("null", 403), ("http://{host}.evil.example", 403)],
    ids=["own", "foreign", "null", "longer"],
)
async def test_only_the_own_page_and_named_ones_come_in(front: Front, origin: str, status: int) -> None:
    headers = {"origin": origin.format(host=f"{front.host}:{front.port}")}
    if status == 101:
        async with open_socket(front, additional_headers=headers):
            return
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(front, additional_headers=headers):
            pass
    assert refused.value.response.status_code == status


async def test_a_key_in_the_address_is_refused(front: Front) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(front, f"/v1/ws?token={front.key}"):
            pass
    assert refused.value.response.status_code == 400
    assert "first message" in json.loads(refused.value.response.body or b"")["error"]["message"]


BAD_FRAMES: list[tuple[str | bytes, str]] = [
    ("{", "malformed_request"),
    ("[1]", "malformed_request"),
    ('"x"', "malformed_request"),
    (b"{}", "malformed_request"),
    ("{}", "malformed_request"),
    ('{"type": "shout"}', "malformed_request"),
    ('{"type": "ask"}', "invalid_field"),
    ('{"type": "ask", "question": "a", "choice": "b"}', "invalid_field"),
    ('{"type": "ask", "question": 1}', "invalid_field"),
    ('{"type": "ask", "question": "  "}', "invalid_field"),
    ('{"type": "ask", "question": "a", "colour": "red"}', "invalid_field"),
    ('{"type": "ask", "question": "a", "session_id": "ses_other"}', "invalid_field"),
    ('{"type": "ask", "question": "%s"}' % ("字" * 2001), "too_long"),
    ('{"type": "resume", "answer_id": "a"}', "invalid_field"),
    ('{"type": "resume", "answer_id": "a", "after_seq": -1}', "invalid_field"),
    ('{"type": "resume", "answer_id": "ans_unknown", "after_seq": 0}', "not_found"),
    ('{"answer_id": "ans_unknown", "after_seq": 3}', "not_found"),
    ('{"type": "cancel"}', "invalid_field"),
    ('{"type": "hello"}', "invalid_field"),
]


async def test_a_bad_frame_is_told_and_the_socket_goes_on(front: Front) -> None:
    async with greeted(front) as socket:
        for frame, code in BAD_FRAMES:
            await socket.connection.send(frame)
            told = await socket.next()
            assert (told["event"], told["data"]["error"]["code"]) == ("error", code), frame
        await socket.send("ask", message_id="m1")
        assert (await socket.next())["message_id"] == "m1"
        await socket.send("cancel", answer_id="ans_unknown")
        await socket.send("ping")
        assert await socket.next() == {"event": "pong"}
        assert (await socket.ask("你好"))[-1]["event"] == "done"


async def test_nothing_is_answered_before_hello(front: Front) -> None:
    async with open_socket(front) as socket:
        for kind, fields in (("ask", {"question": "你好", "message_id": "m1"}), ("resume", {"answer_id": "a", "after_seq": 0})):
            await socket.send(kind, **fields)
            assert (await socket.next())["data"]["error"]["code"] == "invalid_credentials"
        await socket.send("ping")
        assert (await socket.next())["event"] == "pong"


async def test_a_frame_that_is_too_large_ends_the_socket(front: Front) -> None:
    for size in (64 * 1024, 22 * 1024):  # characters; 字 has three bytes
        async with greeted(front) as socket:
            await socket.connection.send(json.dumps({"type": "ask", "question": "字" * size}, ensure_ascii=False))
            assert await socket.closed() == 1009


async def test_a_token_that_ends_is_renewed_on_the_same_socket(front: Front) -> None:
    async with open_socket(front) as socket:
        ttl = timedelta(seconds=-9)  # there is a leeway of 10 s
        await socket.send("hello", token=front.key, customer_token=front.token("C1001", ttl=ttl))
        session_id = (await socket.next())["data"]["session_id"]

        async def refused() -> Frame:
            while (frames := await socket.ask("你好", message_id=uuid4().hex))[-1]["event"] != "error":
                pass
            return frames[-1]

        error = await refused()
        assert error["data"]["error"]["code"] == "invalid_credentials"
        assert error["message_id"]
        await socket.send("hello", token=front.key, customer_token=front.token("C1001"))
        assert (await socket.next())["data"]["session_id"] == session_id
        assert (await socket.ask("你好"))[-1]["event"] == "done"


async def test_a_customer_who_signs_in_keeps_the_conversation(front: Front) -> None:
    async with greeted(front) as socket:
        await socket.ask("退货政策是什么?")
        await socket.send("hello", token=front.key, customer_token=front.token("C1002"))
        ready = await socket.next()
        assert (ready["data"]["session_id"], ready["data"]["customer_id"]) == (socket.session_id, "C1002")
        assert any(frame["event"] == "card" for frame in await socket.ask("我的快递到哪了?"))
        await socket.send("hello", token=front.key, customer_token=front.token("C1001"))
        assert (await socket.next())["data"]["session_id"] != socket.session_id, "another customer gets another one"


# Messages


class Busy:
    """Holds a turn of a session, so that its next questions cannot begin."""

    def __init__(self, front: Front, session_id: str) -> None:
        self._client = connect(front.config.redis)
        self._sessions = RedisSessions(self._client, ttl_s=60, turn_wait_s=5)
        self._question = QuestionRecord("demo", session_id, uuid4().hex, "a", None, "…", datetime.now(UTC), False)

    async def __aenter__(self) -> None:
        self._number = (await self._sessions.begin(self._question)).number

    async def __aexit__(self, *_: object) -> None:
        await self._sessions.abandon("demo", self._question.session_id, self._number)
        await self._sessions.aclose()
        await self._client.aclose()


async def test_messages_before_the_answer_begins_are_one_question(front: Front) -> None:
    async with greeted(front) as socket:
        async with Busy(front, socket.session_id):
            for n, text in enumerate(("在吗", "我那个订单", "怎么还没到"), 1):
                await socket.send("ask", question=text, message_id=f"m{n}")
            await socket.send("ping")
            assert (await socket.next())["event"] == "pong", "the server has read them all"
        frames = await socket.answer()
        assert frames[0]["data"]["message_ids"] == ["m1", "m2", "m3"]
        assert frames[0]["data"]["kind"] == "templated"
        turns = (await front.get(f"/v1/sessions/{socket.session_id}")).json()["turns"][1:]
        assert [turn["question"] for turn in turns] == ["在吗\n我那个订单\n怎么还没到"]
        for message_id in ("m1", "m3"):
            again = await front.ask("怎么还没到", session_id=socket.session_id, message_id=message_id)
            assert (again["answer_id"], again["text"]) == (frames[0]["answer_id"], text_of(frames))
        assert len((await front.get(f"/v1/sessions/{socket.session_id}")).json()["turns"]) == 2


async def test_a_message_that_is_sent_again_gets_the_same_events(front: Front) -> None:
    async with greeted(front) as socket:
        first = await socket.ask("退货政策是什么?", message_id="m1")
    async with greeted(front, session_id=socket.session_id) as again:
        assert await again.ask("退货政策是什么?", message_id="m1") == first
        assert await again.ask("退货政策是什么?", message_id="m1") == first
    assert len((await front.get(f"/v1/sessions/{socket.session_id}")).json()["turns"]) == 1


async def test_questions_of_one_socket_are_answered_in_order(front: Front) -> None:
    async with greeted(front, "C1005") as socket:
        choice = await socket.ask("我的订单什么状态?")
        option = next(frame for frame in choice if frame["event"] == "choices")["data"]["options"][0]["id"]
        await socket.send("ask", choice=option, message_id="m1")
        await socket.send("ask", question="运费怎么算?", message_id="m2")
        first, second = await socket.answer(), await socket.answer()
        assert (first[0]["data"]["message_ids"], second[0]["data"]["message_ids"]) == (["m1"], ["m2"])
        assert option in json.dumps(first)


async def test_two_tabs_show_the_same(front: Front) -> None:
    async with greeted(front, "C1002") as one, greeted(front, "C1002", session_id=one.session_id) as two:
        asked = await one.ask("我的快递到哪了?", message_id="m1")
        question, *shown = await two.answer()
        assert shown == asked
        assert question["event"] == "question"
        assert (question["answer_id"], question["data"]["text"]) == (asked[0]["answer_id"], "我的快递到哪了?")
        assert question["data"]["message_ids"] == ["m1"]
        back = await two.ask("运费怎么算?")
        assert (await one.answer())[1:] == back


# A model that speaks slowly


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


# Cuts


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


# A person


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
