"""The desk's webhook: a real outbox, a real HTTP server, signatures checked by the library."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook

from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_outbox import SqlOutbox
from serve_app.adapters.sql_tickets import SqlTickets
from serve_app.adapters.webhook import Hook, WebhookSender
from serve_app.domain.errors import ConfigError
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Conversation
from serve_app.domain.packet import Packet
from serve_app.domain.tickets import Author, Message, Ticket
from serve_app.domain.webhook import GIVE_UP_AFTER
from tests.contract.webhook_receiver import Receiver, receiving
from tests.postgres import free_port

SECRET = "a secret of more than twenty-four bytes"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PACKET = Packet("", Intent.OTHER, "calm", (), (), ())


@dataclass
class Time:
    """Real time, which can be put forward."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        raise NotImplementedError


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[AsyncEngine]:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'record.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    made = connect(url)
    await create_tables(made)
    yield made
    await made.dispose()


@pytest.fixture
def tenant() -> str:
    return f"shop-{uuid4().hex}"


async def a_ticket(engine: AsyncEngine, tenant: str, clock: Time) -> tuple[SqlTickets, Ticket]:
    tickets = SqlTickets(engine, [tenant])
    ticket = Ticket(uuid4().hex, tenant, "s", "C1", "zh", Conversation.QUEUED, ("handoff",), clock.now(), 0)
    return tickets, (await tickets.open(ticket, PACKET))[0]


def said(author: Author, text: str, clock: Time) -> Message:
    return Message(uuid4().hex, author, text, clock.now(), "小王")


def a_sender(engine: AsyncEngine, tenant: str, url: str, clock: Time, **options: Any) -> WebhookSender:
    return WebhookSender(SqlOutbox(engine), {tenant: Hook(url, SECRET)}, clock, lambda: 0.0, **options)


async def test_every_change_is_told_signed_and_in_order(engine: AsyncEngine, tenant: str, receiver: Receiver) -> None:
    clock = Time()
    tickets, ticket = await a_ticket(engine, tenant, clock)
    await tickets.hear(tenant, "s", "C1", said(Author.CUSTOMER, "喂", clock))
    joined = said(Author.DESK, "已接入", clock)
    await tickets.reply(tenant, ticket.id, replace(joined, id="r", author=Author.AGENT, text="您好"), joined)
    await tickets.hear(tenant, "s", "C1", replace(said(Author.CUSTOMER, "我的单", clock), about="m2"))
    await tickets.close(tenant, ticket.id, "完", said(Author.DESK, "已结束", clock))
    sender = a_sender(engine, tenant, receiver.url, clock)
    assert await sender.send_due(tenant) == 5
    assert await sender.send_due(tenant) == 0
    await sender.aclose()
    types = [body["type"] for body in receiver.bodies()]
    assert types == ["ticket.opened", "ticket.claimed", "ticket.replied", "ticket.message", "ticket.closed"]
    for headers, body in receiver.got:
        Webhook(base64.b64encode(SECRET.encode()).decode()).verify(body, headers)
    numbers = [body["data"]["number"] for body in receiver.bodies()]
    assert numbers == sorted(numbers)
    message = receiver.bodies()[3]["data"]["message"]
    assert (message["text"], message["message_id"]) == ("我的单", "m2")
    assert all(body["data"]["ticket_id"] == ticket.id for body in receiver.bodies())


async def test_a_failure_is_tried_again_later_with_the_same_id_and_survives_a_restart(
    engine: AsyncEngine, tenant: str, receiver: Receiver
) -> None:
    clock = Time()
    await a_ticket(engine, tenant, clock)
    receiver.statuses = [500, 302, 429]
    for _ in range(4):
        # Each time another process.
        sender = a_sender(engine, tenant, receiver.url, clock)
        assert await sender.send_due(tenant) == 1
        assert await sender.send_due(tenant) == 0, "not at once"
        await sender.aclose()
        clock.ahead += timedelta(hours=4)
    assert len(receiver.got) == 4, "a redirect is not followed"
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({body for _, body in receiver.got}) == 1
    assert await SqlOutbox(engine).given_up(tenant, LONG_AGO) == 0


async def test_after_a_day_it_is_given_up_and_seen(engine: AsyncEngine, tenant: str, caplog: pytest.LogCaptureFixture) -> None:
    clock = Time()
    await a_ticket(engine, tenant, clock)
    sender = a_sender(engine, tenant, f"http://127.0.0.1:{free_port()}", clock)
    outbox = SqlOutbox(engine)
    attempts = 0
    while await outbox.given_up(tenant, LONG_AGO) == 0:
        attempts += await sender.send_due(tenant)
        clock.ahead += timedelta(hours=1)
        assert clock.ahead < GIVE_UP_AFTER + timedelta(hours=8)
    await sender.aclose()
    assert attempts > 5
    assert clock.ahead > GIVE_UP_AFTER
    assert "given up" in caplog.text
    assert await outbox.take(tenant, clock.now() + timedelta(days=1), 60) == []


async def test_what_was_given_up_long_ago_is_forgotten(engine: AsyncEngine, tenant: str) -> None:
    clock = Time()
    outbox = SqlOutbox(engine)
    for number in range(3):
        tickets = SqlTickets(engine, [tenant])
        ticket = Ticket(uuid4().hex, tenant, f"s{number}", "C1", "zh", Conversation.QUEUED, (), clock.now(), 0)
        await tickets.open(ticket, PACKET)
        (notice,) = await outbox.take(tenant, clock.now(), 60)
        await outbox.failed(notice.id, "HTTP 500", None)
        clock.ahead += timedelta(days=20)
    assert await outbox.given_up(tenant, LONG_AGO) == 2
    assert await outbox.given_up(tenant, clock.now() - timedelta(days=21)) == 1


async def test_a_dead_address_keeps_no_other_tenant_waiting(engine: AsyncEngine, tenant: str, receiver: Receiver) -> None:
    clock = Time()
    server = await asyncio.start_server(lambda _reader, _writer: asyncio.sleep(60), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    other = f"{tenant}-other"
    for number in range(12):
        await SqlTickets(engine, [tenant]).open(
            Ticket(uuid4().hex, tenant, f"s{number}", "C1", "zh", Conversation.QUEUED, (), clock.now(), 0), PACKET
        )
    await a_ticket(engine, other, clock)
    hooks = {tenant: Hook(f"http://{host}:{port}", SECRET), other: Hook(receiver.url, SECRET)}
    sender = WebhookSender(SqlOutbox(engine), hooks, clock, lambda: 0.0, pause_s=0.01, timeout_s=600)
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(20):
        while not receiver.got:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    await sender.aclose()
    server.close()


async def test_a_notice_that_nobody_foresaw_is_not_the_last(
    engine: AsyncEngine, tenant: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Time()
    await a_ticket(engine, tenant, clock)
    failures = [RuntimeError("unforeseen")]
    outbox = SqlOutbox(engine)
    take = outbox.take

    async def fails_once(*given: Any) -> Any:
        if failures:
            raise failures.pop()
        return await take(*given)

    monkeypatch.setattr(outbox, "take", fails_once)
    sender = WebhookSender(outbox, {tenant: Hook(receiver.url, SECRET)}, clock, lambda: 0.0, pause_s=0.01)
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(20):
        while not receiver.got:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    await sender.aclose()


async def test_of_several_senders_one_has_a_notice_until_its_lease_ends(engine: AsyncEngine, tenant: str) -> None:
    clock = Time()
    for number in range(8):
        tickets = SqlTickets(engine, [tenant])
        ticket = Ticket(uuid4().hex, tenant, f"s{number}", "C1", "zh", Conversation.QUEUED, (), clock.now(), 0)
        await tickets.open(ticket, PACKET)
    outbox = SqlOutbox(engine)
    now = clock.now()
    taken = await asyncio.gather(*(outbox.take(tenant, now, 60, limit=3) for _ in range(5)))
    ids = [notice.id for lot in taken for notice in lot]
    assert len(ids) == len(set(ids))
    rest = await outbox.take(tenant, now, 60, limit=10)
    assert len(set(ids) | {notice.id for notice in rest}) == 8
    assert await outbox.take(tenant, now, 60) == []
    # Their process has died.
    again = await outbox.take(tenant, now + timedelta(seconds=61), 60)
    assert len(again) == 8
    assert {notice.attempt for notice in again} == {2}
    await outbox.delivered(again[0].id)
    assert len(await outbox.take(tenant, now + timedelta(seconds=122), 60)) == 7


async def test_a_silent_receiver_is_left_in_time(engine: AsyncEngine, tenant: str) -> None:
    clock = Time()
    await a_ticket(engine, tenant, clock)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    sender = a_sender(engine, tenant, f"http://{host}:{port}", clock, timeout_s=0.2)
    async with asyncio.timeout(5):
        assert await sender.send_due(tenant) == 1
    await sender.aclose()
    server.close()
    assert len(await SqlOutbox(engine).take(tenant, clock.now() + timedelta(hours=1), 60)) == 1


async def test_a_tenant_without_a_webhook_fills_no_outbox(engine: AsyncEngine, tenant: str) -> None:
    clock = Time()
    await SqlTickets(engine).open(Ticket("t", tenant, "s", None, "zh", Conversation.QUEUED, (), clock.now(), 0), PACKET)
    assert await SqlOutbox(engine).take(tenant, clock.now(), 60) == []
    idle = WebhookSender(SqlOutbox(engine), {}, clock, lambda: 0.0)
    await idle.run()
    await idle.aclose()


def test_secrets_are_checked() -> None:
    whsec = "whsec_" + base64.b64encode(b"x" * 32).decode()
    assert Hook("https://shop.example/hook", whsec).signer()
    for hook in (Hook("https://s.example", "short"), Hook("https://s.example", "whsec_!!"), Hook("ftp://s.example", SECRET)):
        with pytest.raises(ConfigError, match="webhook_"):
            hook.signer()
