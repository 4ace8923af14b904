"""`/v1/ws` over a real server."""

from __future__ import annotations

from tests.graph.front import Front
from tests.graph.socket_client import greeted, names_of, text_of


async def test_a_question_is_answered(front: Front) -> None:
    async with greeted(front) as socket:
        frames = await socket.ask("退货政策是什么?", message_id="m1")
        assert names_of(frames)[0] == "meta"
        assert names_of(frames)[-1] == "done"
        assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
        assert len({frame["answer_id"] for frame in frames}) == 1
        assert frames[0]["data"]["message_ids"] == ["m1"]
        over_http = await front.ask("退货政策是什么?")
        assert text_of(frames) == over_http["text"]
        turns = (await front.get(f"/v1/sessions/{socket.session_id}")).json()["turns"]
        assert [turn["question"] for turn in turns] == ["退货政策是什么?"]
