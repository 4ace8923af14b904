"""A person takes a conversation over and gives it back, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner

from serve_app.adapters import record
from serve_app.adapters.desk_watch import DeskWatch
from serve_app.adapters.sql_tickets import SqlTickets
from serve_app.adapters.system import SystemClock
from serve_app.answering.handover import Handover, HandoverShop
from serve_app.cli import desk
from serve_app.domain.messages import Agent, Conversation, DeskEvent, Handoff
from tests.contract.webhook_receiver import Receiver, receiving
from tests.graph.front import Front, serving
from tests.graph.socket_client import greeted
from tests.packaged import saying

SECRET = "a secret of more than twenty-four bytes"
TICKETS = "/v1/admin/desk/tickets"


class Colleague:
    """Somebody at the desk."""

    def __init__(self, front: Front, key: str) -> None:
        self._front = front
        self.headers = {"authorization": f"Bearer {key}"}

    async def get(self, path: str = "") -> Any:
        response = await self._front.client.get(TICKETS + path, headers=self.headers)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self._front.client.post(TICKETS + path, headers=self.headers, json=body)

    async def does(self, path: str, **body: Any) -> Any:
        response = await self.post(path, **body)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture(scope="module")
async def agent(front: Front) -> Colleague:
    return Colleague(front, await front.new_key(frozenset({"ops"})))


async def session_of(front: Front, session_id: str, customer: str | None = None) -> Any:
    response = await front.get(f"/v1/sessions/{session_id}", customer=customer)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_person_takes_over_and_gives_back(front: Front, agent: Colleague) -> None:
    first = await front.ask("我的快递到哪了?", "C1002")
    session_id = first["session_id"]
    asked = await front.ask("转人工", "C1002", session_id=session_id)
    assert asked["finish_reason"] == "handoff"
    ticket_id = asked["handoff"]["ticket_id"]
    assert asked["handoff"]["state"] == "queued"
    assert asked["handoff"]["hours"] in asked["text"] or asked["handoff"]["on_duty"]
    assert ticket_id in [ticket["ticket_id"] for ticket in (await agent.get())["tickets"]]

    queued = await front.ask("退货政策是什么?", "C1002", session_id=session_id)
    assert queued["source"] in ("faq", "cache"), "while nobody has taken it the bot answers what it can"

    await agent.does(f"/{ticket_id}/claim", name="小王")
    silent = await front.ask("你好,在吗?", "C1002", session_id=session_id)
    assert (silent["source"], silent["text"], silent["finish_reason"]) == ("agent", "", "handoff")
    await agent.does(f"/{ticket_id}/reply", text="您好,我来处理。", name="小王")

    told = await session_of(front, session_id, "C1002")
    assert told["handoff"]["state"] == "human"
    assert [turn["question"] for turn in told["turns"]][-1] == "你好,在吗?"
    assert [(one["from"], one["name"]) for one in told["messages"]] == [("desk", "小王"), ("agent", "小王")]
    assert told["messages"][1]["text"] == "您好,我来处理。"

    opened = await agent.get(f"/{ticket_id}")
    words = [(line["from"], line["text"]) for line in opened["packet"]["transcript"]]
    assert ("customer", "退货政策是什么?") in words
    assert ("bot", queued["text"]) in words
    assert ("customer", "你好,在吗?") in words
    assert ("agent", "您好,我来处理。") in words
    assert len(words) == len(set(words))
    assert opened["packet"]["tried"]

    await agent.does(f"/{ticket_id}/close", note="查过了")
    after = await front.ask("运费怎么算?", "C1002", session_id=session_id)
    assert after["source"] in ("faq", "cache")
    told = await session_of(front, session_id, "C1002")
    assert told["handoff"]["state"] == "closed"
    assert "查过了" not in str(told), "the desk's note is its own"

    again = await front.ask("转人工", "C1002", session_id=session_id)
    assert again["handoff"]["ticket_id"] != ticket_id


async def test_an_answer_from_memory_is_in_a_ticket_that_was_opened_meanwhile(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    await front.ask("运费怎么算?", "C1004")  # it is in memory then
    session_id = (await front.ask("退货政策是什么?", "C1004"))["session_id"]
    asked = await front.post(f"/v1/sessions/{session_id}/handoff", customer="C1004", json={"reason": "button"})
    assert asked.is_success
    # The question was looked at before the ticket was there.
    monkeypatch.setattr(Handover, "is_quiet", lambda *_: True)
    answered = await front.ask("运费怎么算?", "C1004", session_id=session_id)
    engine = record.connect(str(front.config.record.url))
    tickets, said = SqlTickets(engine, []), [""]
    try:
        async with asyncio.timeout(10):
            while said[-2:] != ["运费怎么算?", answered["text"]]:
                await asyncio.sleep(0.05)
                _, messages = await tickets.of_session("demo", session_id)
                said = [message.text for message in messages]
    finally:
        await engine.dispose()


async def test_the_button_opens_one_ticket_only(front: Front) -> None:
    session_id = (await front.ask("hello", "C1003"))["session_id"]
    first = await front.post(f"/v1/sessions/{session_id}/handoff", customer="C1003", json={"reason": "button"})
    again = await front.post(f"/v1/sessions/{session_id}/handoff", customer="C1003")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["ticket_id"] == again.json()["ticket_id"]
    assert set(first.json()) == {"state", "ticket_id", "hours", "on_duty", "wait_s"}


async def test_only_its_own_customer_may_hand_a_conversation_over(front: Front) -> None:
    session_id = (await front.ask("hello", "C1001"))["session_id"]
    path = f"/v1/sessions/{session_id}/handoff"
    assert (await front.post(path, customer="C1002")).status_code == 403
    assert (await front.post(path)).status_code == 403
    assert (await front.post("/v1/sessions/ses_unknown/handoff")).status_code == 404
    assert (await front.post(path, customer="C1001", json={"why": 1})).status_code == 422


async def test_the_desk_needs_its_scope_and_hears_what_is_wrong(front: Front, agent: Colleague) -> None:
    refused = await front.get(TICKETS)
    assert refused.status_code == 403
    assert (await agent.post("/tkt_unknown/claim")).status_code == 404
    answer = await front.ask("talk to a human")
    ticket_id = answer["handoff"]["ticket_id"]
    assert (await agent.post(f"/{ticket_id}/reply", text="  ")).status_code == 422
    for query in ("?limit=0", "?limit=0000100000", "?all=maybe"):
        assert (await front.client.get(TICKETS + query, headers=agent.headers)).status_code == 422
    claims = await asyncio.gather(*(agent.post(f"/{ticket_id}/claim", name=name) for name in ("Ann", "Bob")))
    assert sorted(claim.status_code for claim in claims) == [200, 409]
    lost = next(claim for claim in claims if claim.status_code == 409)
    assert "taken this conversation already" in lost.json()["error"]["message"]
    await agent.does(f"/{ticket_id}/close")
    closed = await agent.post(f"/{ticket_id}/reply", text="hello?")
    assert closed.status_code == 409
    assert "closed" in closed.json()["error"]["message"]


async def test_another_process_hears_each_change_once(front: Front, agent: Colleague) -> None:
    """What an ingress process that has done none of it itself tells its sockets."""
    answer = await front.ask("转人工")
    ticket_id, session_id = answer["handoff"]["ticket_id"], answer["session_id"]
    engine = record.connect(str(front.config.record.url))
    desk = HandoverShop.of(front.config.tenants["demo"]).desk
    watch = DeskWatch(SqlTickets(engine), {"demo": desk}, SystemClock(), heartbeat_s=0.05, idle_s=3600)
    await watch.refresh()
    beating = asyncio.create_task(watch.run())
    events: list[DeskEvent] = []
    async with asyncio.timeout(10), aclosing(watch.follow("demo", session_id)) as feed:
        following = asyncio.ensure_future(anext(feed))
        await agent.does(f"/{ticket_id}/reply", text="一", name="小李")
        await agent.does(f"/{ticket_id}/reply", text="二", name="小李", message_id="a1")
        await agent.does(f"/{ticket_id}/reply", text="二", name="小李", message_id="a1")
        await agent.does(f"/{ticket_id}/close")
        events.append(await following)
        while not (isinstance(events[-1], Handoff) and events[-1].state is Conversation.CLOSED):
            events.append(await anext(feed))
    beating.cancel()
    await asyncio.wait([beating])
    await engine.dispose()
    assert [event.text for event in events if isinstance(event, Agent)] == ["一", "二"]
    states = [event.state for event in events if isinstance(event, Handoff)]
    assert states[-1] is Conversation.CLOSED
    assert len(states) == len(set(states))


async def test_the_chat_hears_the_person_and_a_second_tab_too(front: Front, agent: Colleague) -> None:
    async with greeted(front, "C1004") as first:
        opened = await front.post(f"/v1/sessions/{first.session_id}/handoff", customer="C1004")
        assert opened.status_code == 201, "before anything was asked"
        ticket_id = opened.json()["ticket_id"]
        async with greeted(front, "C1004", session_id=first.session_id) as second:
            assert second.ready["handoff"]["state"] == "queued"
            await agent.does(f"/{ticket_id}/reply", text="您好", name="小王")
            for socket in (first, second):
                frames = await socket.until("agent")
                assert (frames[-1]["data"]["text"], frames[-1]["data"]["name"]) == ("您好", "小王")
                assert "human" in [frame["data"]["state"] for frame in frames if frame["event"] == "handoff"]
            silent = await first.ask("我的快递呢", message_id="m1")
            assert [frame["event"] for frame in silent] == ["meta", "done"]
            assert silent[0]["data"]["source"] == "agent"
            told = (await session_of(front, first.session_id, "C1004"))["messages"]
            assert [one["text"] for one in told if one["from"] == "agent"] == ["您好"]
            await agent.does(f"/{ticket_id}/close")
            closed = (await first.until("handoff"))[-1]
            assert closed["data"]["state"] == "closed"
            assert (await first.ask("你好"))[0]["data"]["source"] != "agent"


async def test_an_answer_that_hands_over_says_so_in_its_own_stream(front: Front) -> None:
    async with greeted(front) as socket:
        frames = await socket.ask("转人工")
    names = [frame["event"] for frame in frames if "seq" in frame]
    assert names == ["meta", "delta", "handoff", "done"]
    turns = (await session_of(front, socket.session_id))["turns"]
    assert [event["event"] for event in turns[0]["answer"]["events"]] == ["handoff"]


async def test_a_message_sent_again_while_a_person_has_it_is_kept_once(front: Front, agent: Colleague) -> None:
    answer = await front.ask("转人工")
    session_id, ticket_id = answer["session_id"], answer["handoff"]["ticket_id"]
    again = await front.ask("你们几点下班", session_id=session_id, message_id="before")
    await agent.does(f"/{ticket_id}/claim")
    for _ in range(2):
        silent = await front.ask("在吗", session_id=session_id, message_id="during")
        assert (silent["source"], silent["text"]) == ("agent", "")
    repeated = await front.ask("你们几点下班", session_id=session_id, message_id="before")
    assert repeated["text"] == again["text"], "what was answered before stays answered"
    transcript = (await agent.get(f"/{ticket_id}"))["packet"]["transcript"]
    assert [line["text"] for line in transcript if line["from"] == "customer"] == ["转人工", "你们几点下班", "在吗"]


async def test_an_agent_may_number_as_the_customer_does(front: Front, agent: Colleague) -> None:
    answer = await front.ask("转人工", message_id="1")
    session_id, ticket_id = answer["session_id"], answer["handoff"]["ticket_id"]
    for text in ("转人工", "请稍等"):
        await agent.does(f"/{ticket_id}/reply", text=text, message_id="1")
    told = (await session_of(front, session_id))["messages"]
    assert [one["text"] for one in told if one["from"] == "agent"] == ["转人工", "请稍等"]
    transcript = (await agent.get(f"/{ticket_id}"))["packet"]["transcript"]
    assert [line["text"] for line in transcript if line["from"] == "agent"] == ["转人工", "请稍等"]


async def test_a_person_at_a_terminal_has_the_conversation_at_once(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process claims: the very next question is not answered by the bot."""
    monkeypatch.setenv("ZEROWAIT_DATA_DIR", str(front.config.home))
    monkeypatch.setenv("REDIS_URL", str(front.config.redis.url))
    answer = await front.ask("talk to a human", "C1005")
    session_id, ticket_id = answer["session_id"], answer["handoff"]["ticket_id"]

    async def zerowait(*arguments: str) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, desk.app, list(arguments))
        assert done.exit_code == 0, done.output
        return done.stdout

    await zerowait("claim", ticket_id, "--name", "Ann")
    assert (await front.ask("what is your return policy?", "C1005", session_id=session_id))["source"] == "agent"
    await zerowait("reply", ticket_id, "Thirty days for you.")
    assert "what is your return policy?" in await zerowait("show", ticket_id)
    told = await session_of(front, session_id, "C1005")
    assert [one["text"] for one in told["messages"] if one["from"] == "agent"] == ["Thirty days for you."]
    await zerowait("close", ticket_id)
    assert (await front.ask("what is your return policy?", "C1005", session_id=session_id))["source"] in ("faq", "cache")


class TestASlowModel:
    """What happens while an answer is under way."""

    @pytest.fixture
    def receiver(self) -> Iterator[Receiver]:
        with receiving() as made:
            yield made

    @pytest.fixture
    async def slow(
        self, tmp_path: Path, valkey_url: str, packaged_model: Path, front: Front, receiver: Receiver
    ) -> AsyncGenerator[tuple[Front, Colleague]]:
        """With a webhook, too."""
        engine = saying("word " * 40, token_s=0.01)
        (tmp_path / "hook-secret").write_text(SECRET)
        desk = {"webhook_url": receiver.url, "webhook_secret": "file:hook-secret"}
        (tmp_path / "shop.db").symlink_to(front.config.home / "shop.db")
        async with serving(tmp_path, valkey_url, packaged_model, engine, tenants={"demo": {"desk": desk}}) as running:
            yield running, Colleague(running, await running.new_key(frozenset({"ops"})))

    async def test_an_answer_under_way_is_finished_and_what_follows_is_the_persons(
        self, slow: tuple[Front, Colleague], receiver: Receiver
    ) -> None:
        front, agent = slow
        session_id = (await front.ask("hello"))["session_id"]
        asked = asyncio.create_task(front.ask("Tell me a joke", session_id=session_id, message_id="m1"))
        async with asyncio.timeout(5):
            while not front.engine.in_flight:
                await asyncio.sleep(0.01)
        # It waits for its turn while the conversation changes hands.
        waiting = asyncio.create_task(front.ask("Are you there?", session_id=session_id, message_id="m2"))
        ticket = (await front.post(f"/v1/sessions/{session_id}/handoff")).json()
        await agent.does(f"/{ticket['ticket_id']}/claim", name="Ann")
        answer, silent = await asyncio.gather(asked, waiting)
        assert answer["finish_reason"] == "stop"
        assert answer["text"].count("word") == 40
        assert (silent["source"], silent["text"]) == ("agent", "")
        await agent.does(f"/{ticket['ticket_id']}/close")
        assert (await front.ask("hello", session_id=session_id, message_id="m3"))["text"]
        opened = await agent.get(f"/{ticket['ticket_id']}")
        words = [line["text"] for line in opened["packet"]["transcript"] if line["from"] in ("customer", "bot")]
        assert sorted(words[2:5]) == sorted(["Tell me a joke", answer["text"], "Are you there?"])
        types = ["ticket.opened", "ticket.claimed", "ticket.message", "ticket.closed"]
        async with asyncio.timeout(15):
            while len(receiver.got) < len(types):
                await asyncio.sleep(0.02)
        assert [body["type"] for body in receiver.bodies()] == types
        for headers, body in receiver.got:
            Webhook(SECRET.encode()).verify(body, headers)
