"""A socket whose client does not read, goes away at a bad moment, or meets stores that fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.websockets import WebSocket

from serve_app.answering.in_flight import InFlight
from serve_app.api.draining import Draining
from serve_app.api.outbox import Outbox
from serve_app.api.services import Services
from serve_app.api.socket import Socket
from serve_app.config import LimitSettings
from serve_app.domain.errors import StoreFailed, Unauthenticated
from serve_app.domain.live import Talk
from serve_app.domain.messages import Caller
from serve_app.tenant_settings import TenantSettings
from tests.unit.answering.conversing import CLOCK, Course, Process, message, processes, until


class Client:
    """The other side of a socket. `reads`: whether it takes what it is sent."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.got: list[dict[str, Any]] = []
        self.closed: int | None = None

    def says(self, kind: str, **fields: Any) -> None:
        self.incoming.put_nowait({"type": "websocket.receive", "text": json.dumps({"type": kind, **fields})})

    def goes(self) -> None:
        self.incoming.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def receive(self) -> dict[str, Any]:
        return await self.incoming.get()

    async def send_text(self, text: str) -> None:
        await self.reads.wait()
        self.got.append(json.loads(text))

    async def close(self, code: int) -> None:
        self.closed = code

    async def has(self, event: str) -> dict[str, Any]:
        await until(lambda: event in [frame["event"] for frame in self.got])
        return next(frame for frame in self.got if frame["event"] == event)


class Who:
    """Lets in who has the key; `ended`: the key is no more."""

    ended = False
    error: Exception | None = None

    async def caller(self, api_key: str | None, customer_token: str | None, scope: str) -> Caller:
        assert scope == "ask"
        if self.error is not None:
            raise self.error
        if self.ended or api_key != "key":
            raise Unauthenticated("no")
        return Caller("demo", customer_token)


class Shop:
    """What a socket needs, in this process."""

    def __init__(self, process: Process, **limits: Any) -> None:
        self.course = Course()
        self.who = Who()
        self.process = process
        self.handover = SimpleNamespace(of=self._of)
        self.desk_error: Exception | None = None
        self.draining = Draining(spread_s=(0, 0))
        self.opened: list[tuple[str, str | None]] = []
        self.services = SimpleNamespace(
            course=self.course,
            sessions=process.sessions,
            authenticator=self.who,
            tenants={"demo": TenantSettings()},
            handover=self.handover,
            live=process.live,
            facts_ahead=SimpleNamespace(opened=lambda *who: self.opened.append(who)),
            in_flight=InFlight(4),
            limits=LimitSettings(**limits),
            clock=CLOCK,
            new_id=lambda prefix: f"{prefix}_1",
            draining=self.draining,
        )

    async def _of(self, *_: str) -> tuple[None, tuple[()]]:
        if self.desk_error is not None:
            raise self.desk_error
        return None, ()

    def connect(self, client: Client) -> asyncio.Task[None]:
        return asyncio.create_task(Socket(cast(WebSocket, client), cast(Services, self.services)).run())


@pytest.fixture
async def process() -> AsyncGenerator[Process]:
    async with processes() as (one,):
        yield one


async def ended(socket: asyncio.Task[None]) -> None:
    async with asyncio.timeout(10):
        await socket


async def test_a_client_that_does_not_read_is_cut(process: Process) -> None:
    shop, client = Shop(process, socket_backlog_chars=2000), Client()
    socket = shop.connect(client)
    client.says("hello", token="key", session_id="s")
    await client.has("ready")
    client.reads.clear()
    for n in range(200):
        client.says("ask", message_id=f"m{n}")
    await ended(socket)
    assert client.closed == 4503
    assert len(client.got) == 1, "nothing of what it missed is sent out of its turn"


async def test_a_new_chat_has_its_facts_fetched_and_one_that_goes_on_has_not(process: Process) -> None:
    shop, client = Shop(process), Client()
    socket = shop.connect(client)
    client.says("hello", token="key", customer_token="C1")
    session = (await client.has("ready"))["data"]["session_id"]
    client.says("hello", token="key", customer_token="C1")
    await until(lambda: len(client.got) == 2)
    client.goes()
    await ended(socket)
    again = Client()
    socket = shop.connect(again)
    again.says("hello", token="key", customer_token="C1", session_id=session)
    await again.has("ready")
    again.goes()
    await ended(socket)
    assert shop.opened == [("demo", "C1")]


async def test_what_is_shown_at_once_may_be_long() -> None:
    outbox, client = Outbox(1000), Client()
    outbox.release()
    outbox.show([json.dumps({"event": "delta", "n": n}) for n in range(200)])
    outbox.show(["x" * 2000])
    assert outbox.cut.is_set()
    outbox = Outbox(1000)
    outbox.release()
    outbox.show([json.dumps({"event": "delta", "n": n}) for n in range(200)])
    outbox.end()
    await outbox.send(cast(WebSocket, client))
    assert [frame["n"] for frame in client.got] == list(range(200))


async def test_what_is_told_during_hello_comes_after_ready(process: Process) -> None:
    shop, client = Shop(process), Client()
    other = await process.joined()
    chat = process.chat(other, shop.course)
    asking, going_on = asyncio.Event(), asyncio.Event()

    async def slowly(*_: str) -> tuple[None, tuple[()]]:
        asking.set()
        await going_on.wait()
        return None, ()

    shop.handover.of = slowly
    socket = shop.connect(client)
    client.says("hello", token="key", session_id="s")
    async with asyncio.timeout(10):
        await asking.wait()
    chat.ask(message("m1"), 0)
    await other.has("done")
    going_on.set()
    await client.has("done")
    assert [frame["event"] for frame in client.got] == ["ready", "question", "meta", "delta", "delta", "delta", "done"]
    client.goes()
    await ended(socket)
    assert client.closed is None


async def test_a_key_that_ends_refuses_the_next_question_only(process: Process) -> None:
    shop, client = Shop(process), Client()
    socket = shop.connect(client)
    client.says("hello", token="key", session_id="s")
    client.says("ask", question="hello")
    await client.has("done")
    shop.who.ended = True
    client.says("ask", question="hello", message_id="m2")
    refused = await client.has("error")
    assert (refused["message_id"], refused["data"]["error"]["code"]) == ("m2", "invalid_credentials")
    client.says("ping")
    await client.has("pong")
    client.goes()
    await ended(socket)


async def test_stores_that_fail_at_hello_close_the_socket(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreFailed("away")

    shop, client = Shop(process), Client()
    monkeypatch.setattr(process.sessions, "enter", away)
    socket = shop.connect(client)
    client.says("hello", token="key")
    await ended(socket)
    assert client.got[0]["data"]["error"]["code"] == "not_ready"
    assert client.closed == 4503


async def test_a_desk_that_does_not_answer_keeps_nobody_out(process: Process) -> None:
    shop, client = Shop(process), Client()
    shop.desk_error = StoreFailed("away")
    socket = shop.connect(client)
    client.says("hello", token="key", session_id="s")
    assert (await client.has("ready"))["data"]["handoff"] is None
    client.goes()
    await ended(socket)


async def test_what_nobody_foresaw_is_told_without_its_words(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    shop, client = Shop(process), Client()
    socket = shop.connect(client)
    client.says("hello", token="key", session_id="s")
    await client.has("ready")
    shop.who.error = RuntimeError("SELECT secret")
    client.says("ask", question="hello", message_id="m1")
    refused = await client.has("error")
    assert (refused["message_id"], refused["data"]["error"]["code"]) == ("m1", "internal_error")
    assert "SELECT" not in str(client.got)
    assert "SELECT" in caplog.text
    shop.who.error = None
    client.says("ask", question="hello")
    await client.has("done")
    client.goes()
    await ended(socket)


async def test_a_client_that_goes_leaves_nothing_behind(process: Process) -> None:
    shop, client = Shop(process), Client()
    socket = shop.connect(client)
    client.says("hello", token="key")
    await client.has("ready")
    client.goes()
    await ended(socket)
    audiences = process.live._audiences  # pyright: ignore[reportPrivateUsage]
    assert Talk("demo", "ses_1") not in audiences


# A process that is replaced


async def test_an_idle_socket_goes_when_its_process_drains(process: Process) -> None:
    shop, greeted, silent = Shop(process), Client(), Client()
    sockets = [shop.connect(greeted), shop.connect(silent)]
    greeted.says("hello", token="key", session_id="s")
    await greeted.has("ready")
    shop.draining.begin()
    for socket in sockets:
        await ended(socket)
    assert (greeted.closed, silent.closed) == (1012, 1012)


async def test_a_socket_that_comes_while_its_process_drains_goes_again(process: Process) -> None:
    shop, client = Shop(process), Client()
    shop.draining.begin()
    await ended(shop.connect(client))
    assert client.closed == 1012


async def test_an_answer_under_way_ends_before_its_sockets_go(process: Process) -> None:
    """Both that of the asker and that of somebody who watches."""
    shop, asker, watcher = Shop(process), Client(), Client()
    shop.course.allowed = asyncio.Semaphore(1)
    sockets = [shop.connect(asker), shop.connect(watcher)]
    for client in (asker, watcher):
        client.says("hello", token="key", session_id="s")
        await client.has("ready")
    asker.says("ask", question="hello")
    for client in (asker, watcher):
        await client.has("delta")
    shop.draining.begin()
    done, _ = await asyncio.wait(sockets, timeout=0.5)
    assert not done
    shop.course.allowed.release()
    shop.course.allowed.release()
    for socket, client in zip(sockets, (asker, watcher), strict=True):
        await ended(socket)
        assert (client.got[-1]["event"], client.closed) == ("done", 1012)


async def test_a_process_is_settled_when_its_answers_have_ended_not_when_its_sockets_have_gone(process: Process) -> None:
    shop, client = Shop(process), Client()
    watcher = await process.joined()
    shop.course.allowed = asyncio.Semaphore(0)
    socket = shop.connect(client)
    client.says("hello", token="key", session_id="s")
    client.says("ask", question="hello")
    await client.has("meta")
    client.goes()
    await ended(socket)
    settled = asyncio.create_task(process.live.settled())
    await asyncio.wait({settled}, timeout=0.2)
    assert not settled.done()
    for _ in range(3):
        shop.course.allowed.release()
    await watcher.has("done")
    await asyncio.wait_for(settled, 10)
