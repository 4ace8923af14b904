"""Tickets: in SQLite, in PostgreSQL, and in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.memory_tickets import MemoryTickets
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_tickets import SqlTickets
from serve_app.domain.errors import Conflict, NotFound, StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Conversation
from serve_app.domain.packet import Line, Packet, Tried
from serve_app.domain.tickets import Author, Message, Ticket
from serve_app.ports import Tickets
from tests.postgres import free_port

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
PACKET = Packet(
    "问了一次",
    Intent.PARCEL,
    "annoyed",
    ("ZW1",),
    (Tried("faq", ("a", "b"), "stop"),),
    (Line("m1", Author.CUSTOMER, "到哪了", NOW),),
)
JOINED = Message("j", Author.DESK, "已接入", NOW, "小王")
ENDED = Message("e", Author.DESK, "已结束", NOW)


@pytest.fixture(scope="module", params=["sqlite", "postgres", "memory"])
async def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[AsyncEngine | None]:
    if request.param == "memory":
        yield None
        return
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('tickets') / 'record.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    made = connect(url)
    await create_tables(made)
    yield made
    await made.dispose()


@pytest.fixture
def tickets(engine: AsyncEngine | None) -> Tickets:
    return MemoryTickets(TIME.now) if engine is None else SqlTickets(engine, now=TIME.now)


class Time:
    """The record's writers' clock."""

    at = NOW

    def now(self) -> datetime:
        return self.at


TIME = Time()


@pytest.fixture
def tenant() -> str:
    return uuid4().hex


def a_ticket(tenant: str, session_id: str = "s", *, after_s: int = 0, reason: str = "handoff") -> Ticket:
    opened_at = NOW + timedelta(seconds=after_s)
    return Ticket(uuid4().hex, tenant, session_id, "C1", "zh", Conversation.QUEUED, (reason,), opened_at, 0)


def words(text: str, author: Author = Author.CUSTOMER, about: str | None = None, name: str = "") -> Message:
    return Message(uuid4().hex, author, text, NOW, name, about)


def joined() -> Message:
    return Message(uuid4().hex, Author.DESK, JOINED.text, NOW, JOINED.name)


def ended() -> Message:
    return Message(uuid4().hex, Author.DESK, ENDED.text, NOW)


async def test_a_ticket_is_read_as_it_was_opened(tickets: Tickets, tenant: str) -> None:
    asked = a_ticket(tenant)
    opened, is_new = await tickets.open(asked, PACKET)
    assert is_new
    assert (opened.id, opened.state, opened.reasons, opened.opened_at) == (asked.id, Conversation.QUEUED, ("handoff",), NOW)
    ticket, packet, messages = await tickets.read(tenant, opened.id)
    assert (ticket, packet, list(messages)) == (opened, PACKET, [])


async def test_a_session_has_one_open_ticket(tickets: Tickets, tenant: str) -> None:
    first, _ = await tickets.open(a_ticket(tenant), PACKET)
    again, is_new = await tickets.open(a_ticket(tenant, reason="button"), PACKET)
    third, _ = await tickets.open(a_ticket(tenant, reason="button"), PACKET)
    other, other_is_new = await tickets.open(a_ticket(tenant, "s2", after_s=1), PACKET)
    assert (again.id, is_new, again.reasons) == (first.id, False, ("handoff", "button"))
    assert third.reasons == ("handoff", "button")
    for number in range(20):
        third, _ = await tickets.open(a_ticket(tenant, reason=f"reason {number}"), PACKET)
    assert third.reasons[:2] == ("handoff", "button")
    assert len(third.reasons) == 10
    assert other_is_new
    assert [ticket.id for ticket in await tickets.list(tenant)] == [first.id, other.id]


async def test_many_who_open_at_once_get_one(tickets: Tickets, tenant: str) -> None:
    opened = await asyncio.gather(*(tickets.open(a_ticket(tenant), PACKET) for _ in range(6)))
    assert len({ticket.id for ticket, _ in opened}) == 1
    assert sum(is_new for _, is_new in opened) == 1


async def test_of_two_who_claim_at_once_one_gets_it(tickets: Tickets, tenant: str) -> None:
    opened, _ = await tickets.open(a_ticket(tenant), PACKET)
    claims = await asyncio.gather(
        *(tickets.claim(tenant, opened.id, name, joined()) for name in ("小王", "小李")), return_exceptions=True
    )
    won = [claim for claim in claims if isinstance(claim, Ticket)]
    lost = [claim for claim in claims if isinstance(claim, Conflict)]
    assert (len(won), len(lost)) == (1, 1)
    assert won[0].agent in lost[0].message
    ticket, _, messages = await tickets.read(tenant, opened.id)
    assert (ticket.state, ticket.agent, ticket.claimed_at) == (Conversation.HUMAN, won[0].agent, NOW)
    assert len(messages) == 1, "one has joined"


async def test_what_is_heard_stands_in_the_ticket_once(tickets: Tickets, tenant: str) -> None:
    assert await tickets.hear(tenant, "s", "C1", words("hello", about="m1")) is None
    opened, _ = await tickets.open(a_ticket(tenant), PACKET)
    before = await tickets.hear(tenant, "s", "C1", words("还在吗", about="m1"))
    assert before is not None
    assert before.state is Conversation.QUEUED
    await tickets.claim(tenant, opened.id, "小王", joined())
    for _ in range(2):
        after = await tickets.hear(tenant, "s", "C1", words("我的单", about="m2"))
        assert after is not None
        assert after.state is Conversation.HUMAN
    # Sent again with more: other words.
    await tickets.hear(tenant, "s", "C1", words("我的单\n怎么还没到", about="m2"))
    _, _, messages = await tickets.read(tenant, opened.id)
    assert [one.text for one in messages] == ["还在吗", "已接入", "我的单", "我的单\n怎么还没到"]
    assert [one.about for one in messages] == ["m1", None, "m2", "m2"]


async def test_a_customer_becomes_known_and_stays(tickets: Tickets, tenant: str) -> None:
    anonymous = Ticket(uuid4().hex, tenant, "s", None, "en", Conversation.QUEUED, (), NOW, 0)
    opened, _ = await tickets.open(anonymous, PACKET)
    await tickets.hear(tenant, "s", "C7", words("me"))
    await tickets.hear(tenant, "s", "C8", words("not me"))
    assert (await tickets.read(tenant, opened.id))[0].customer_id == "C7"


async def test_a_reply_claims_and_is_sent_once(tickets: Tickets, tenant: str) -> None:
    opened, _ = await tickets.open(a_ticket(tenant), PACKET)
    replied = await tickets.reply(tenant, opened.id, words("您好", Author.AGENT, "r1", "小李"), joined())
    assert (replied.state, replied.agent) == (Conversation.HUMAN, "小李")
    again = await tickets.reply(tenant, opened.id, words("您好", Author.AGENT, "r1", "小李"), joined())
    other = await tickets.reply(tenant, opened.id, words("我也在", Author.AGENT, name="小赵"), joined())
    assert again.agent == other.agent == "小李", "who claimed it has it"
    _, _, messages = await tickets.read(tenant, opened.id)
    assert [(one.author, one.text) for one in messages] == [
        (Author.DESK, "已接入"), (Author.AGENT, "您好"), (Author.AGENT, "我也在"),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="taken this conversation already"):
        await tickets.claim(tenant, opened.id, "小王", joined())


async def test_a_reply_may_have_the_number_and_the_words_of_a_question(tickets: Tickets, tenant: str) -> None:
    opened, _ = await tickets.open(a_ticket(tenant), PACKET)
    await tickets.hear(tenant, "s", None, words("你好", about="1"))
    await tickets.reply(tenant, opened.id, words("你好", Author.AGENT, "1", "小李"), joined())
    _, _, messages = await tickets.read(tenant, opened.id)
    assert [one.author for one in messages] == [Author.CUSTOMER, Author.DESK, Author.AGENT]


async def test_a_closed_ticket_is_over_and_a_new_one_may_be_opened(tickets: Tickets, tenant: str) -> None:
    opened, _ = await tickets.open(a_ticket(tenant), PACKET)
    done = await tickets.close(tenant, opened.id, "查过", ended())
    assert (done.state, done.closed_at, done.note) == (Conversation.CLOSED, NOW, "查过")
    assert await tickets.hear(tenant, "s", "C1", words("喂")) is None
    await tickets.note(tenant, "s", [words("答", Author.BOT)])
    for late in (
        tickets.claim(tenant, opened.id, "小王", joined()),
        tickets.reply(tenant, opened.id, words("?", Author.AGENT), joined()),
        tickets.close(tenant, opened.id, "", ended()),
    ):
        with pytest.raises(Conflict, match="closed"):
            await late
    second, is_new = await tickets.open(a_ticket(tenant, after_s=60), PACKET)
    assert is_new
    await tickets.reply(tenant, second.id, words("又来了", Author.AGENT), joined())
    last, messages = await tickets.of_session(tenant, "s")
    assert last is not None
    assert last.id == second.id
    assert [one.text for one in messages] == ["已结束", "已接入", "又来了"]
    assert [ticket.id for ticket in await tickets.list(tenant)] == [second.id]
    assert [ticket.id for ticket in await tickets.list(tenant, closed=True)] == [opened.id, second.id]
    assert [ticket.id for ticket in await tickets.list(tenant, closed=True, limit=1)] == [second.id]


async def test_notes_are_kept_in_order_and_once(tickets: Tickets, tenant: str) -> None:
    opened, _ = await tickets.open(a_ticket(tenant), PACKET)
    await tickets.hear(tenant, "s", "C1", words("运费?", about="m1"))
    await tickets.note(tenant, "s", [words("运费?", about="m1"), words("十元。", Author.BOT, "a1")])
    _, _, messages = await tickets.read(tenant, opened.id)
    assert [one.text for one in messages] == ["运费?", "十元。"]


async def test_tenants_see_their_own(tickets: Tickets, tenant: str) -> None:
    opened, _ = await tickets.open(a_ticket(tenant), PACKET)
    other = uuid4().hex
    assert list(await tickets.list(other)) == []
    assert await tickets.hear(other, "s", "C1", words("?")) is None
    assert await tickets.of_session(other, "s") == (None, ()) or not (await tickets.of_session(other, "s"))[1]
    for foreign in (
        tickets.read(other, opened.id),
        tickets.claim(other, opened.id, "x", joined()),
        tickets.reply(other, opened.id, words("?", Author.AGENT), joined()),
        tickets.close(other, opened.id, "", ended()),
        tickets.read(tenant, "unknown"),
    ):
        with pytest.raises(NotFound):
            await foreign


async def test_what_changed_is_found_and_its_messages_numbered(tickets: Tickets, tenant: str) -> None:
    TIME.at = NOW - timedelta(hours=1)
    old, _ = await tickets.open(a_ticket(tenant, "old"), PACKET)
    gone, _ = await tickets.open(a_ticket(tenant, "gone"), PACKET)
    TIME.at = NOW
    new, _ = await tickets.open(a_ticket(tenant, "new"), PACKET)
    await tickets.close(tenant, gone.id, "", ended())
    recent = {ticket.id: ticket for ticket in await tickets.changed(NOW)}
    assert {new.id, gone.id} <= recent.keys()
    assert old.id not in recent
    every = {ticket.id: ticket for ticket in await tickets.changed(NOW, NOW - timedelta(hours=2))}
    assert {old.id, new.id, gone.id} <= every.keys()
    assert old.id not in {ticket.id for ticket in await tickets.changed(NOW, NOW - timedelta(minutes=1))}
    assert recent[gone.id].state is Conversation.CLOSED
    await tickets.reply(tenant, new.id, words("一", Author.AGENT), joined())
    last = await tickets.reply(tenant, new.id, words("二", Author.AGENT), joined())
    numbered = [one for one in await tickets.messages([old.id, new.id]) if one.message.author is Author.AGENT]
    assert [one.message.text for one in numbered] == ["一", "二"]
    assert new.changes < numbered[0].number < numbered[1].number == last.changes


async def test_a_record_that_is_away_is_said(tmp_path: Path) -> None:
    engine = connect(f"postgresql+asyncpg://u:hidden@127.0.0.1:{free_port()}/none")
    away = SqlTickets(engine)
    try:
        with pytest.raises(StoreFailed) as failed:
            await away.hear("demo", "s", "C1", words("mine alone"))
    finally:
        await engine.dispose()
    assert "hidden" not in str(failed.value)
    assert "mine alone" not in str(failed.value)
    bare = connect(f"sqlite+aiosqlite:///{tmp_path / 'none.db'}")
    try:
        with pytest.raises(StoreFailed):
            await SqlTickets(bare).list("demo")
    finally:
        await bare.dispose()


async def test_writers_of_one_process_do_not_wait_for_sqlites_lock(tmp_path: Path, tenant: str) -> None:
    """SQLite hands its lock to whoever asks just then. Here nobody asks twice."""
    engine = connect(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}")
    await create_tables(engine)
    await engine.dispose()

    @event.listens_for(engine.sync_engine, "connect")
    def _impatient(connection: DBAPIConnection, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.cursor().execute("PRAGMA busy_timeout=0")

    tickets = SqlTickets(engine)
    try:
        opened = await asyncio.gather(*(tickets.open(a_ticket(tenant, f"s{n}"), PACKET) for n in range(20)))
        await asyncio.gather(*(tickets.hear(tenant, f"s{n}", None, words("喂")) for n in range(20)))
        assert [ticket.state for ticket, _ in opened] == [Conversation.QUEUED] * 20
    finally:
        await engine.dispose()
