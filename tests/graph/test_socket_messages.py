"""What is said and answered over `/v1/ws`, on a real server: as over HTTP, in order, once, and the same in every tab."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

from serve_app.adapters.redis_client import connect
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.domain.session import QuestionRecord
from tests.graph.front import Front
from tests.graph.socket_client import greeted, names_of, text_of


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


async def test_a_frame_that_is_too_large_ends_the_socket(front: Front) -> None:
    for size in (64 * 1024, 22 * 1024):  # characters; 字 has three bytes
        async with greeted(front) as socket:
            await socket.connection.send(json.dumps({"type": "ask", "question": "字" * size}, ensure_ascii=False))
            assert await socket.closed() == 1009


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
