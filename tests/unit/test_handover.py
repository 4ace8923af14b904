"""Nothing that is said is lost while a conversation changes hands, whatever the order in which things happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app import tracing
from serve_app.adapters.desk_watch import DeskWatch
from serve_app.adapters.memory_tickets import MemoryTickets
from serve_app.answering.handover import Handover, HandoverShop
from serve_app.answering.work import Work
from serve_app.domain.errors import Conflict, NotReady, StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Ask, Caller, Conversation, Delta, Handoff, Kind
from serve_app.domain.packet import packet_of
from serve_app.domain.phrases import Phrase
from serve_app.domain.question import Entities, Focus, Understanding
from serve_app.domain.session import AnswerRecord, QuestionRecord, Session, Turn
from serve_app.domain.tickets import Author, Message, Ticket
from serve_app.tenant_settings import TenantSettings

SHOP = HandoverShop.of(TenantSettings())
UNDERSTOOD = Understanding("", "zh", False, Intent.OTHER, 1.0, Entities(), Kind.PERSONAL, "")


@dataclass
class Ticking:
    """Each look at the clock is later than the one before."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 4, 0, tzinfo=UTC))

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class Away(MemoryTickets):
    """A record that does not answer."""

    async def open(self, *_: object) -> tuple[Ticket, bool]:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise StoreFailed("away")

    hear = of_session = cast(Callable[..., object], open)  # pyright: ignore[reportAssignmentType]


class Silent(MemoryTickets):
    """A record that takes the question and never replies."""

    async def open(self, *_: object) -> tuple[Ticket, bool]:  # pyright: ignore[reportIncompatibleMethodOverride]
        await asyncio.Event().wait()
        raise AssertionError

    hear = note = of_session = cast(Callable[..., object], open)  # pyright: ignore[reportAssignmentType]


class Played:
    """One conversation: what happens to it in steps, and everything that was said."""

    def __init__(self, tickets: MemoryTickets | None = None) -> None:
        self.clock = Ticking()
        self.tickets = tickets or MemoryTickets()
        self.watch = DeskWatch(self.tickets, {"demo": SHOP.desk}, self.clock, heartbeat_s=1, idle_s=3600)
        numbers = count(1)
        self.new_id = lambda prefix: f"{prefix}_{next(numbers)}"
        self.handover = Handover(self.tickets, self.watch, {"demo": SHOP}, self.clock, self.new_id)
        self.turns: list[Turn] = []
        self.said: list[tuple[Author, str]] = []
        self.under_way: list[Work] = []

    def session(self) -> Session:
        return Session("demo", "s", "C1", tuple(self.turns), Focus())

    def work(self, text: str, **fields: str) -> Work:
        number = len(self.turns) + 1
        ask = Ask(Caller("demo", "C1"), "s", f"m{number}", text, **fields)  # pyright: ignore[reportArgumentType]
        work = Work(ask, f"a{number}", self.clock, 1e12, tracing.current())
        work.session, work.number, work.understood = self.session(), number, UNDERSTOOD
        work.text, work.asked_at = text, self.clock.now()
        return work

    async def ask(self) -> None:
        """A question comes in. One turn at a time, as the sessions keep it."""
        await self.answer()
        work = self.work(f"question {len(self.turns) + 1}")
        question = QuestionRecord("demo", "s", work.ask.message_id, work.answer_id, "C1", work.text, work.asked_at, False)
        self.turns.append(Turn(work.number, question))
        self.said.append((Author.CUSTOMER, work.text))
        if await self.handover.hears(work):
            self.finish(work, "")
        else:
            self.under_way.append(work)

    async def answer(self) -> None:
        """The answer that is under way ends."""
        while self.under_way:
            work = self.under_way.pop()
            text = f"answer {work.number}"
            self.finish(work, text)
            self.said.append((Author.BOT, text))
            self.handover.answered(work, text)
            await self.handover.aclose()

    def finish(self, work: Work, text: str) -> None:
        turn = self.turns[work.number - 1]
        record = AnswerRecord(work.answer_id, text, "zh", Kind.PERSONAL, "faq" if text else "agent", "stop", self.clock.now())
        self.turns[work.number - 1] = Turn(turn.number, turn.question, record)

    async def hand_over(self) -> None:
        await self.handover.ask_for(Caller("demo", "C1"), self.session(), "button", "zh")

    async def look(self) -> None:
        await self.watch.refresh()

    async def at_the_desk(self, what: str) -> None:
        """By another process: nothing here is told."""
        ticket, _ = await self.tickets.of_session("demo", "s")
        if ticket is None:
            return
        joined = Message(self.new_id("tm"), Author.DESK, "joined", self.clock.now())
        text = f"reply {len(self.said)}"
        try:
            if what == "claim":
                await self.tickets.claim("demo", ticket.id, "Ann", joined)
            elif what == "reply":
                await self.tickets.reply(
                    "demo", ticket.id, Message(self.new_id("tm"), Author.AGENT, text, self.clock.now()), joined
                )
                self.said.append((Author.AGENT, text))
            else:
                await self.tickets.close("demo", ticket.id, "", joined)
        except Conflict:
            pass

    async def state(self) -> Conversation | None:
        ticket, _ = await self.tickets.of_session("demo", "s")
        return ticket and ticket.state

    async def told(self, turns: list[Turn]) -> list[tuple[Author, str]]:
        _, messages = await self.tickets.of_session("demo", "s")
        lines = packet_of(turns, Focus(), messages, SHOP.formats, "zh").transcript
        return [(line.author, line.text) for line in lines if line.author is not Author.DESK]


STEPS = st.lists(st.sampled_from(["ask", "answer", "hand_over", "look", "claim", "reply", "close"]), max_size=30)


@given(STEPS)
async def test_everything_said_is_told_once_and_the_bot_is_silent_exactly_while_a_person_has_it(steps: list[str]) -> None:
    played = Played()
    for step in steps:
        state = await played.state()
        if step == "ask":
            await played.answer()
            await played.ask()
            assert bool(played.under_way) is (state is not Conversation.HUMAN)
        elif step in ("claim", "reply", "close"):
            await played.at_the_desk(step)
        else:
            await getattr(played, step)()
    await played.answer()
    assert sorted(await played.told(played.turns)) == sorted(played.said)


@given(STEPS)
async def test_what_is_said_from_the_hand_over_on_is_in_the_record_alone(steps: list[str]) -> None:
    """The conversation's own store may be lost: the ticket has what was said while it was open."""
    played = Played()
    await played.hand_over()
    for step in steps:
        if step in ("claim", "reply"):
            await played.at_the_desk(step)
        elif step != "close":
            await getattr(played, step)()
    await played.answer()
    assert sorted(await played.told([])) == sorted(played.said)


async def test_a_question_from_before_the_ticket_is_in_it_with_its_answer() -> None:
    played = Played()
    await played.ask()
    await played.hand_over()
    await played.at_the_desk("claim")
    await played.answer()
    assert await played.told([]) == [(Author.CUSTOMER, "question 1"), (Author.BOT, "answer 1")]


async def test_a_hand_over_says_where_the_customer_stands() -> None:
    played = Played()
    said, state = await played.handover.over(played.work("转人工"), Phrase.HANDOFF)
    assert isinstance(said, Delta)
    assert isinstance(state, Handoff)
    assert (state.state, state.on_duty, state.wait_s) == (Conversation.QUEUED, True, 0)
    await played.look()
    other = played.work("转人工")
    other.ask = Ask(Caller("demo", "C2"), "s2", "m1", "转人工")
    other.session = Session("demo", "s2", "C2")
    said, state = await played.handover.over(other, Phrase.HANDOFF)
    assert isinstance(said, Delta)
    assert isinstance(state, Handoff)
    assert state.wait_s == 120
    assert "2 分钟" in said.text


async def test_out_of_hours_no_wait_is_told() -> None:
    played = Played()
    played.clock.at = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    said, state = await played.handover.over(played.work("转人工"), Phrase.HANDOFF)
    assert isinstance(said, Delta)
    assert isinstance(state, Handoff)
    assert (state.on_duty, state.wait_s, state.hours) == (False, None, "09:00-22:00")
    assert "09:00-22:00" in said.text


async def test_without_the_record_the_bot_answers_and_says_how_a_person_is_reached() -> None:
    played = Played(Away())
    work = played.work("转人工")
    (said,) = await played.handover.over(work, Phrase.HANDOFF)
    assert isinstance(said, Delta)
    assert "09:00-22:00" in said.text
    assert work.degraded == ["desk"]
    played.watch.changed_here(Ticket("t", "demo", "s", "C1", "zh", Conversation.QUEUED, (), played.clock.now(), 1))
    assert await played.handover.hears(played.work("运费?")) is False


async def test_a_record_that_is_silent_counts_as_one_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serve_app.answering.handover.WITHIN_S", 0.001)
    monkeypatch.setattr("serve_app.answering.handover.NOTED_WITHIN_S", 0.001)
    opened = await Played().handover.over(Played().work("转人工"), Phrase.HANDOFF)
    played = Played(Silent())
    work = played.work("转人工")
    assert len(await played.handover.over(work, Phrase.HANDOFF)) == 1
    played.watch.changed_here(Ticket("t", "demo", "s", "C1", "zh", Conversation.QUEUED, (), played.clock.now(), 1))
    assert await played.handover.hears(work) is False
    assert await played.handover.as_of_now(work, opened) == list(opened)
    with pytest.raises(StoreFailed):
        await played.handover.of("demo", "s")
    with pytest.raises(NotReady):
        await played.handover.ask_for(Caller("demo", "C1"), played.session(), "button", "zh")
    played.handover.answered(work, "答")
    await played.handover.aclose()


async def test_who_may_not_be_the_conversations_customer_has_nothing_to_do_with_its_ticket() -> None:
    """The sessions are away, so nobody knows whose it is."""
    played = Played()
    await played.hand_over()
    before = await played.tickets.of_session("demo", "s")
    work = played.work("转人工")
    work.session = replace(work.session, apart=True)
    assert await played.handover.hears(work) is False
    (said,) = await played.handover.over(work, Phrase.HANDOFF_ASKED)
    assert isinstance(said, Delta), "how a person is reached, and no state of the ticket"
    played.handover.answered(work, "答")
    await played.handover.aclose()
    assert await played.tickets.of_session("demo", "s") == before


async def test_a_client_that_holds_its_transcript_gets_no_ticket() -> None:
    played = Played()
    work = played.work("转人工", channel="completions")
    assert len(await played.handover.over(work, Phrase.HANDOFF)) == 1
    assert await played.tickets.list("demo") == []
    assert await played.handover.hears(work) is False


async def test_a_recorded_hand_over_is_repeated_with_the_state_of_now() -> None:
    played = Played()
    work = played.work("转人工")
    events = await played.handover.over(work, Phrase.HANDOFF)
    await played.at_the_desk("claim")
    again = await played.handover.as_of_now(work, events)
    assert [event.state for event in again if isinstance(event, Handoff)] == [Conversation.HUMAN]
