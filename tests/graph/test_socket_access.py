"""Who may come in at `/v1/ws`, over a real server, and whose the conversation then is."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from tests.graph.front import Front
from tests.graph.socket_client import Frame, greeted, open_socket


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


async def test_nothing_is_answered_before_hello(front: Front) -> None:
    async with open_socket(front) as socket:
        for kind, fields in (("ask", {"question": "你好", "message_id": "m1"}), ("resume", {"answer_id": "a", "after_seq": 0})):
            await socket.send(kind, **fields)
            assert (await socket.next())["data"]["error"]["code"] == "invalid_credentials"
        await socket.send("ping")
        assert (await socket.next())["event"] == "pong"


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
