"""What a process knows of the desk, and how its followers hear of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from serve_app.adapters.desk_watch import ALL_EVERY, DeskWatch
from serve_app.adapters.memory_tickets import MemoryTickets
from serve_app.domain.errors import StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Agent, Conversation, DeskEvent, Handoff
from serve_app.domain.packet import Packet
from serve_app.domain.phrases import Desk
from serve_app.domain.tickets import Author, Book, Message, Numbered, Ticket, steps_of

PACKET = Packet("", Intent.OTHER, "calm", (), (), ())
DESK = Desk("00:00-24:00", {"zh": "", "en": ""}, "Asia/Shanghai", 60)


class Time:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class Counted(MemoryTickets):
    """Counts its queries, and can be away."""

    def __init__(self, time: Time) -> None:
        super().__init__(time.now)
        self.queries = 0
        self.away = False
        self.failure: Exception | None = None

    async def changed(self, since: datetime, open_since: datetime | None = None) -> Sequence[Ticket]:
        self._count()
        return await super().changed(since, open_since)

    async def messages(self, ticket_ids: Sequence[str]) -> Sequence[Numbered]:
        self._count()
        return await super().messages(ticket_ids)

    def _count(self) -> None:
        self.queries += 1
        if self.away:
            raise StoreFailed("away")
        if self.failure is not None:
            raise self.failure


class Desked:
    def __init__(self) -> None:
        self.time = Time()
        self.tickets = Counted(self.time)
        self.watch = DeskWatch(self.tickets, {"demo": DESK}, self.time, heartbeat_s=60, idle_s=24 * 3600)
        self._ids = 0

    def id(self) -> str:
        self._ids += 1
        return f"id_{self._ids}"

    async def opened(self, session_id: str) -> Ticket:
        at = self.time.at + timedelta(seconds=self._ids)
        ticket = Ticket(self.id(), "demo", session_id, None, "zh", Conversation.QUEUED, (), at, 0)
        return (await self.tickets.open(ticket, PACKET))[0]

    def said(self, text: str, author: Author = Author.AGENT) -> Message:
        return Message(self.id(), author, text, self.time.at, "小王")

    async def replied(self, ticket: Ticket, text: str) -> None:
        await self.tickets.reply("demo", ticket.id, self.said(text), self.said("joined", Author.DESK))


@pytest.fixture
def desked() -> Desked:
    return Desked()


async def until_idle(feed: asyncio.Task[None], events: list[DeskEvent]) -> list[DeskEvent]:
    for _ in range(20):
        await asyncio.sleep(0)
    feed.cancel()
    return events


def following(desked: Desked, session_id: str) -> tuple[asyncio.Task[None], list[DeskEvent]]:
    events: list[DeskEvent] = []
    heard = events.append

    async def follow() -> None:
        async with aclosing(desked.watch.follow("demo", session_id)) as feed:
            async for event in feed:
                heard(event)

    return asyncio.create_task(follow()), events


async def test_a_beat_is_one_query_whatever_the_number_of_tickets(desked: Desked) -> None:
    for number in range(50):
        await desked.opened(f"s{number}")
    await desked.watch.refresh()
    await desked.watch.refresh()
    assert desked.tickets.queries == 2
    last = (await desked.tickets.list("demo"))[-1]
    assert desked.watch.waiting_before(last) == 49
    assert desked.watch.waiting_before(replace(last, tenant="other")) == 0


async def test_only_the_followed_conversation_hears(desked: Desked) -> None:
    mine, other = await desked.opened("mine"), await desked.opened("other")
    await desked.watch.refresh()
    feed, events = following(desked, "mine")
    await asyncio.sleep(0)
    await desked.replied(other, "not for me")
    await desked.replied(mine, "for me")
    for _ in range(3):
        await desked.watch.refresh()
    told = await until_idle(feed, events)
    assert [event.text for event in told if isinstance(event, Agent)] == ["for me"]
    assert [event.state for event in told if isinstance(event, Handoff)] == [Conversation.HUMAN]


async def test_what_happened_while_the_record_was_away_is_told_when_it_is_back(desked: Desked) -> None:
    ticket = await desked.opened("s")
    await desked.watch.refresh()
    feed, events = following(desked, "s")
    await asyncio.sleep(0)
    desked.tickets.away = True
    await desked.replied(ticket, "one")
    with pytest.raises(StoreFailed):
        await desked.watch.refresh()
    assert desked.watch.has_open("demo", "s"), "it is asked of the record what became of it"
    desked.time.at += timedelta(hours=2)
    await desked.tickets.close("demo", ticket.id, "", desked.said("ended", Author.DESK))
    desked.tickets.away = False
    await desked.watch.refresh()
    told = await until_idle(feed, events)
    assert [event.text for event in told if isinstance(event, Agent)] == ["one"]
    assert [event.state for event in told if isinstance(event, Handoff)] == [Conversation.HUMAN, Conversation.CLOSED]
    assert not desked.watch.has_open("demo", "s")


async def test_a_look_that_fails_as_nobody_foresaw_is_not_the_last(desked: Desked, caplog: pytest.LogCaptureFixture) -> None:
    desked.watch = DeskWatch(desked.tickets, {"demo": DESK}, desked.time, heartbeat_s=0.001, idle_s=3600)
    desked.tickets.failure = RuntimeError("unforeseen")
    beating = asyncio.create_task(desked.watch.run())
    async with asyncio.timeout(10):
        while "unforeseen" not in caplog.text:
            await asyncio.sleep(0)
        desked.tickets.failure = None
        await desked.opened("s")
        while not desked.watch.has_open("demo", "s"):
            await asyncio.sleep(0)
    beating.cancel()
    await asyncio.wait([beating])


async def test_what_this_process_did_is_known_at_once_and_until_it_is_seen(desked: Desked) -> None:
    await desked.watch.refresh()
    ticket = await desked.opened("s")
    assert not desked.watch.has_open("demo", "s")
    desked.watch.changed_here(ticket)
    assert desked.watch.has_open("demo", "s")
    await desked.watch.refresh()
    assert desked.watch.has_open("demo", "s")
    await desked.tickets.close("demo", ticket.id, "", desked.said("ended", Author.DESK))
    await desked.watch.refresh()
    assert not desked.watch.has_open("demo", "s")


async def test_its_own_change_is_told_without_waiting_for_a_beat(desked: Desked) -> None:
    ticket = await desked.opened("s")
    await desked.watch.refresh()
    running = asyncio.create_task(desked.watch.run())
    feed, events = following(desked, "s")
    await asyncio.sleep(0)
    await desked.replied(ticket, "now")
    desked.watch.changed_here(ticket)
    async with asyncio.timeout(5):
        while len(events) < 2:
            await asyncio.sleep(0)
    running.cancel()
    feed.cancel()
    assert isinstance(events[1], Agent)


async def test_a_ticket_that_was_missed_is_found_by_the_full_look(desked: Desked) -> None:
    await desked.watch.refresh()
    ticket = await desked.opened("late")
    # Its writer's clock was an hour behind.
    desked.time.at += timedelta(hours=1)
    for _ in range(ALL_EVERY):
        desked.time.at += timedelta(seconds=60)
        await desked.watch.refresh()
    assert desked.watch.has_open("demo", "late")
    assert ticket.is_open


async def test_a_ticket_in_which_nothing_happens_keeps_nobody_waiting(desked: Desked) -> None:
    await desked.opened("forgotten")
    await desked.watch.refresh()
    late = replace(a_ticket(Conversation.QUEUED, 1), opened_at=desked.time.at + timedelta(days=2))
    assert desked.watch.waiting_before(late) == 1
    desked.time.at += timedelta(days=2)
    for _ in range(ALL_EVERY):
        await desked.watch.refresh()
    assert desked.watch.waiting_before(late) == 0
    assert len(await desked.tickets.list("demo")) == 1, "the desk still sees it"


async def test_a_follower_that_leaves_is_forgotten(desked: Desked) -> None:
    feed, _ = following(desked, "s")
    await asyncio.sleep(0)
    feed.cancel()
    await asyncio.wait([feed])
    ticket = await desked.opened("s")
    await desked.replied(ticket, "nobody hears")
    before = desked.tickets.queries
    await desked.watch.refresh()
    assert desked.tickets.queries == before + 1


def a_ticket(state: Conversation, changes: int) -> Ticket:
    return Ticket("t", "demo", "s", None, "zh", state, (), datetime(2026, 11, 22, tzinfo=UTC), changes)


def test_an_older_view_says_nothing() -> None:
    book = Book()
    book.see([a_ticket(Conversation.HUMAN, 5)], all_open=True)
    assert book.news([a_ticket(Conversation.QUEUED, 4), a_ticket(Conversation.HUMAN, 5)]) == []
    book.see([a_ticket(Conversation.CLOSED, 6)], all_open=False)
    assert book.news([a_ticket(Conversation.CLOSED, 6)]) == []
    assert not book.has("demo", "s")


def test_what_happened_between_two_looks_is_told_in_order() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    said = [Numbered("t", number, Message(f"m{number}", Author.AGENT, str(number), at)) for number in (3, 5, 9)]
    queued, closed = a_ticket(Conversation.QUEUED, 1), a_ticket(Conversation.CLOSED, 6)
    steps = [step if isinstance(step, Conversation) else step.text for step in steps_of(queued, closed, said)]
    assert steps == [Conversation.HUMAN, "3", "5", Conversation.CLOSED], "what came after the look comes with the next"
    human = a_ticket(Conversation.HUMAN, 4)
    assert [step.text for step in steps_of(human, a_ticket(Conversation.HUMAN, 6), said) if isinstance(step, Message)] == ["5"]
    assert steps_of(human, a_ticket(Conversation.HUMAN, 4), said) == []
