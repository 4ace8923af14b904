"""Conversations while Redis is slow, silent or gone, and when it is back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest

from serve_app.adapters.redis_client import connect
from serve_app.adapters.redis_link import RedisLink
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.adapters.resilient_link import ResilientLink
from serve_app.adapters.resilient_sessions import ATTEMPTS_MAX, ResilientSessions
from serve_app.adapters.stand_in_sessions import DEGRADED, StandInSessions
from serve_app.config import RedisSettings
from serve_app.domain.errors import Forbidden, NotFound, StoreFailed
from serve_app.domain.live import Talk
from serve_app.domain.question import Focus
from serve_app.domain.session import Begun, QuestionRecord
from tests.contract.sessions.keeping import FOCUS, answer, ask, start
from tests.redis_proxy import RedisProxy, through_a_proxy
from tests.redis_servers import redis7_binary, server, valkey_binary

# An answer's budget in these tests. A busy machine's Redis replies within it.
BUDGET_S = 0.5


@dataclass
class Process:
    """One process's sessions."""

    sessions: ResilientSessions
    calls: ResilientLink
    link: RedisLink

    async def say(self, question: QuestionRecord, text: str) -> Begun:
        """One turn."""
        begun = await self.sessions.begin(question)
        if begun.repeated is None:
            await self.end(question, begun.number, text)
        return begun

    async def end(self, question: QuestionRecord, number: int, text: str) -> bool:
        given = replace(answer(text), answer_id=f"for-{question.message_id}")
        return await self.sessions.finish(question.tenant, question.session_id, number, given, FOCUS)

    async def told(self, question: QuestionRecord) -> list[tuple[str, str | None]]:
        """What stands in the conversation, as its owner reads it."""
        session = await self.sessions.read(question.tenant, question.session_id, question.customer_id)
        assert [turn.number for turn in session.turns] == list(range(1, len(session.turns) + 1))
        return [(turn.question.message_id, turn.answer and turn.answer.text) for turn in session.turns]


@asynccontextmanager
async def process(url: str, budget_s: float = BUDGET_S, failures: int = 3) -> AsyncGenerator[Process]:
    link = connect(RedisSettings(url=url, timeout_ms=1000))
    calls = ResilientLink(link, budget_s=budget_s, failures=failures, reset_s=0.05)
    one, other = (RedisSessions(by, ttl_s=3600, turn_wait_s=10, lease_s=0.5, off_path=link) for by in (calls, link))
    stand_in = StandInSessions(turn_wait_s=10, turns_shown=60)
    sessions = ResilientSessions(one, other, calls, stand_in, turn_wait_s=10, pause_s=0.02)
    giving_back = asyncio.create_task(sessions.run())
    try:
        yield Process(sessions, calls, link)
    finally:
        giving_back.cancel()
        await asyncio.wait([giving_back])
        await sessions.aclose()
        await link.aclose()


@pytest.fixture
async def proxy(valkey_url: str) -> AsyncGenerator[RedisProxy]:
    async with through_a_proxy(valkey_url) as made:
        yield made


@pytest.fixture
async def here(proxy: RedisProxy) -> AsyncGenerator[Process]:
    """A process whose way to Redis is `proxy`."""
    async with process(proxy.url) as made:
        yield made


@pytest.fixture
async def elsewhere(valkey_url: str) -> AsyncGenerator[Process]:
    """A process whose way to Redis is good."""
    async with process(valkey_url) as made:
        yield made


async def until(condition: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.01)


def is_told(
    process: Process, question: QuestionRecord, expected: Sequence[tuple[str, str | None]]
) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        try:
            return await process.told(question) == list(expected)
        except (NotFound, StoreFailed):
            return False

    return check


async def test_a_conversation_begins_and_goes_on_without_redis_and_is_given_back(
    proxy: RedisProxy, here: Process, elsewhere: Process
):
    await proxy.cut()
    first = start()
    begun = await here.sessions.begin(first)
    assert (begun.degraded, begun.session.apart, begun.repeated) == (DEGRADED, False, None)
    assert await here.end(first, begun.number, "one") is False
    second = ask(first.session_id)
    begun = await here.say(second, "two")
    assert [turn.question.message_id for turn in begun.session.turns] == [first.message_id]
    assert begun.session.focus == FOCUS
    assert (await here.sessions.begin(first)).repeated is not None, "a repeated message gives the same answer"
    await proxy.open()
    expected = [(first.message_id, "one"), (second.message_id, "two")]
    await until(is_told(elsewhere, first, expected))
    third = ask(first.session_id)
    begun = await elsewhere.say(third, "three")
    assert (begun.number, begun.degraded, begun.session.focus) == (3, (), FOCUS)
    assert await elsewhere.sessions.session_of("demo", f"for-{first.message_id}") == first.session_id
    again = await here.sessions.begin(replace(second, new_session=False))
    assert again.repeated is not None
    assert again.number == 2
    assert again.degraded == ()


async def test_a_conversation_that_redis_knows_goes_on_without_its_turns(proxy: RedisProxy, here: Process, elsewhere: Process):
    first = start(customer_id=None)
    await elsewhere.say(first, "one")
    await proxy.cut()
    second = ask(first.session_id, customer_id=None)
    begun = await here.say(second, "two")
    assert (begun.degraded, begun.session.apart, begun.session.turns) == (DEGRADED, True, ())
    assert (await here.sessions.read("demo", first.session_id, None)).apart, "this is not all of it"
    with pytest.raises(StoreFailed):
        await here.sessions.enter("demo", first.session_id, None)
    await proxy.open()
    await until(is_told(elsewhere, first, [(first.message_id, "one"), (second.message_id, "two")]))


async def test_who_has_nothing_to_do_with_a_conversation_sees_and_leaves_nothing_in_it(
    proxy: RedisProxy, here: Process, elsewhere: Process, caplog: pytest.LogCaptureFixture
):
    first = start()
    await elsewhere.say(first, "one")
    await proxy.cut()
    for stranger in ("C1002", None):
        begun = await here.say(ask(first.session_id, customer_id=stranger), "to a stranger") if stranger else None
        assert begun is None or (begun.session.turns == () and begun.session.apart)
        with pytest.raises(StoreFailed):
            await here.sessions.enter("demo", first.session_id, stranger)
    await proxy.open()

    async def is_dropped() -> bool:
        return "is lost" in caplog.text

    await until(is_dropped)
    assert await elsewhere.told(first) == [(first.message_id, "one")]
    with pytest.raises(Forbidden):
        await here.sessions.read("demo", first.session_id, "C1002")


async def test_a_customer_whom_this_process_knows_enters_his_conversation_and_nobody_else(proxy: RedisProxy, here: Process):
    first = start()
    await here.say(first, "one")
    await proxy.cut()
    await here.sessions.enter("demo", first.session_id, "C1001")
    for stranger in ("C1002", None):
        with pytest.raises(Forbidden):
            await here.sessions.enter("demo", first.session_id, stranger)
        with pytest.raises(Forbidden):
            await here.sessions.begin(ask(first.session_id, customer_id=stranger))
    assert not (await here.say(ask(first.session_id), "two")).session.apart


async def test_an_answer_that_redis_does_not_take_is_given_all_the_same(proxy: RedisProxy, here: Process, elsewhere: Process):
    first = start()
    await here.say(first, "one")
    second = ask(first.session_id)
    begun = await here.sessions.begin(second)
    await proxy.cut()
    assert await here.end(second, begun.number, "two") is False
    third = ask(first.session_id)
    begun = await here.say(third, "three")
    assert [turn.answer and turn.answer.text for turn in begun.session.turns] == ["one", "two"], (
        "it goes on with what it showed"
    )
    assert not begun.session.apart
    await proxy.open()
    expected = [(first.message_id, "one"), (second.message_id, "two"), (third.message_id, "three")]
    await until(is_told(elsewhere, first, expected))


async def test_an_answer_that_redis_got_though_its_reply_was_lost_stands_there_once(
    proxy: RedisProxy, here: Process, elsewhere: Process
):
    first = start()
    begun = await here.sessions.begin(first)
    proxy.silent()
    assert await here.end(first, begun.number, "one") is False
    second = ask(first.session_id)
    await here.say(second, "two")
    proxy.silent(False)
    await until(is_told(elsewhere, first, [(first.message_id, "one"), (second.message_id, "two")]))


async def test_a_question_that_arrives_late_is_no_second_turn(proxy: RedisProxy, here: Process, elsewhere: Process):
    first = start()
    await here.say(first, "one")
    proxy.deaf()
    second = ask(first.session_id)
    begun = await here.say(second, "two")
    assert begun.degraded == DEGRADED
    proxy.deaf(False)
    await until(is_told(elsewhere, first, [(first.message_id, "one"), (second.message_id, "two")]))


async def test_a_message_that_was_answered_elsewhere_meanwhile_keeps_its_first_answer(
    proxy: RedisProxy, here: Process, elsewhere: Process
):
    first = start()
    await elsewhere.say(first, "one")
    second = ask(first.session_id)
    await proxy.cut()
    await here.say(second, "here")
    await elsewhere.say(second, "elsewhere")
    third = ask(first.session_id)
    await here.say(third, "three")
    await proxy.open()
    expected = [(first.message_id, "one"), (second.message_id, "elsewhere"), (third.message_id, "three")]
    await until(is_told(elsewhere, first, expected))


async def test_a_turn_in_progress_is_not_torn(proxy: RedisProxy, here: Process, elsewhere: Process):
    """Neither is the conversation given back in the middle of a turn, nor does another turn begin meanwhile."""
    first = start()
    await proxy.cut()
    begun = await here.sessions.begin(first)
    following = asyncio.create_task(here.sessions.begin(ask(first.session_id, message_id="next")))
    await proxy.open()

    async def is_back() -> bool:
        try:
            await here.calls.ping()
        except StoreFailed:
            return False
        return True

    await until(is_back)
    with pytest.raises(NotFound):
        await elsewhere.told(first)
    assert not following.done()
    await here.end(first, begun.number, "one")
    second = await following
    assert [turn.answer and turn.answer.text for turn in second.session.turns] == ["one"]
    await here.end(ask(first.session_id, message_id="next"), second.number, "two")
    await until(is_told(elsewhere, first, [(first.message_id, "one"), ("next", "two")]))


async def test_a_question_waits_for_the_turn_that_was_begun_in_redis(proxy: RedisProxy, here: Process, elsewhere: Process):
    first = start()
    begun = await here.sessions.begin(first)
    await proxy.cut()
    second = ask(first.session_id)
    following = asyncio.create_task(here.sessions.begin(second))
    await asyncio.sleep(0.05)  # so that it waits; if it came later, the outcome would be the same
    assert not following.done()
    await here.end(first, begun.number, "one")
    after = await following
    assert [turn.answer and turn.answer.text for turn in after.session.turns] == ["one"]
    await here.end(second, after.number, "two")
    await proxy.open()
    await until(is_told(elsewhere, first, [(first.message_id, "one"), (second.message_id, "two")]))


async def test_an_abandoned_question_stays_unanswered_and_is_answered_anew(
    proxy: RedisProxy, here: Process, elsewhere: Process
):
    await proxy.cut()
    first = start()
    begun = await here.sessions.begin(first)
    await here.sessions.abandon("demo", first.session_id, begun.number)
    await proxy.open()
    await until(is_told(elsewhere, first, [(first.message_id, None)]))
    again = await here.sessions.begin(first)
    assert (again.number, again.repeated, again.degraded) == (1, None, ())
    await here.end(first, again.number, "one")
    assert await elsewhere.told(first) == [(first.message_id, "one")]


async def test_a_known_answer_is_recorded_in_one_step_also_without_redis(proxy: RedisProxy, here: Process, elsewhere: Process):
    first = start()
    await proxy.cut()
    begun = await here.sessions.begin_answered(first, answer("one"), Focus(), FOCUS)
    assert (begun.answered, begun.degraded) == (True, DEGRADED)
    await proxy.open()
    await until(is_told(elsewhere, first, [(first.message_id, "one")]))


async def test_a_session_may_stand_before_its_first_question_without_redis(
    proxy: RedisProxy, here: Process, elsewhere: Process
):
    await proxy.cut()
    name = uuid4().hex
    await here.sessions.enter("demo", name, "C1001", new=True)
    await here.sessions.enter("demo", name, "C1001")
    with pytest.raises(Forbidden):
        await here.sessions.enter("demo", name, "C1002")
    question = ask(name)
    assert not (await here.say(question, "one")).session.apart
    await proxy.open()
    await until(is_told(elsewhere, question, [(question.message_id, "one")]))


async def test_a_conversation_is_not_given_up_because_its_server_is_away_for_long(proxy: RedisProxy, elsewhere: Process):
    """The breaker stays closed, as where other servers of a cluster answer."""
    async with process(proxy.url, failures=10_000) as here:
        await proxy.cut()
        talk = [start()]
        await here.say(talk[0], "kept")
        while len(talk) < ATTEMPTS_MAX + 3:
            talk.append(ask(talk[0].session_id))
            await here.say(talk[-1], "kept")
        await proxy.open()
        await until(is_told(elsewhere, talk[0], [(question.message_id, "kept") for question in talk]))


async def test_a_question_that_waits_in_a_conversation_that_is_dropped_ends():
    stand_in, first = StandInSessions(turn_wait_s=10, turns_shown=60), start()
    talk = Talk("demo", first.session_id)
    await stand_in.admit(talk, "C1001", apart=False)
    begun = await stand_in.begin(first)
    waiting = asyncio.create_task(stand_in.begin(ask(first.session_id)))
    await asyncio.sleep(0.01)  # so that it waits; if it came later, there would be no conversation to wait in
    await stand_in.abandon(talk, begun.number)
    stand_in.forget(talk)
    assert (await waiting).session.apart


async def test_redis_is_left_alone_and_used_again(proxy: RedisProxy, here: Process):
    states: list[bool] = []
    calls = ResilientLink(here.link, budget_s=BUDGET_S, failures=3, reset_s=0.05, watch=states.append)
    await proxy.cut()
    for _ in range(5):
        with pytest.raises(StoreFailed):
            await calls.call("GET", "x")
    assert calls.is_left_alone
    await proxy.open()

    async def is_used() -> bool:
        try:
            await calls.ping()
        except StoreFailed:
            return False
        return True

    await until(is_used)
    assert not calls.is_left_alone
    assert states == [False, True, False]


async def test_what_redis_lost_is_not_brought_back_to_others(valkey_url: str):
    """It restarts empty: a conversation that only it knew is over; the one that this process had in hand goes on."""
    with server(valkey_binary()) as store:
        async with process(store.url) as one:
            known, in_hand = start(customer_id=None), start()
            await one.say(known, "one")
            begun = await one.sessions.begin(in_hand)
            store.kill()
            await one.say(ask(known.session_id, customer_id=None), "two")
            await one.end(in_hand, begun.number, "one")
            store.start()
            await until(is_told(one, in_hand, [(in_hand.message_id, "one")]))

            async def is_over() -> bool:
                try:
                    await one.told(known)
                except NotFound:
                    return True
                except StoreFailed:
                    return False
                return False

            await until(is_over)


@pytest.mark.parametrize("kind", ["valkey", "redis7"])
async def test_a_stopped_server_is_not_waited_for_and_gets_everything_afterwards(kind: str):
    with server(valkey_binary() if kind == "valkey" else redis7_binary()) as store:
        async with process(store.url, budget_s=0.1) as one, process(store.url) as other:
            talks = [start() for _ in range(8)]
            for question in talks:
                await one.say(question, "one")
            store.signal(signal.SIGSTOP)
            later = [ask(question.session_id) for question in talks]
            begun = await asyncio.gather(*(one.say(question, "two") for question in later))
            assert {found.degraded for found in begun} == {DEGRADED}
            assert one.calls.is_left_alone
            store.signal(signal.SIGCONT)
            for question, second in zip(talks, later, strict=True):
                await until(is_told(other, question, [(question.message_id, "one"), (second.message_id, "two")]))


async def test_so_many_conversations_are_kept_and_the_oldest_goes_first():
    lost: list[None] = []
    stand_in = StandInSessions(turn_wait_s=1, turns_shown=60, conversations_max=3, lost=lambda: lost.append(None))
    talks = [Talk("demo", uuid4().hex) for _ in range(5)]
    for number, talk in enumerate(talks):
        await stand_in.admit(talk, "C1001", apart=False)
        if number == 0:
            await stand_in.begin(ask(talk.session_id))
    assert [talk in stand_in for talk in talks] == [True, False, False, True, True], "one with a turn in progress stays"
    assert (len(stand_in), len(lost)) == (3, 2)


async def test_so_much_is_kept_and_the_oldest_conversation_goes_first():
    stand_in = StandInSessions(turn_wait_s=1, turns_shown=60, bytes_max=4000)
    talks = [Talk("demo", uuid4().hex) for _ in range(3)]

    async def said(talk: Talk, text: str) -> None:
        begun = await stand_in.begin(ask(talk.session_id))
        await stand_in.finish(talk, begun.number, answer(text), Focus())

    for talk in talks:
        await stand_in.admit(talk, "C1001", apart=False)
        await said(talk, "short")
    assert len(stand_in) == 3
    await said(talks[1], "x" * 4000)
    await said(talks[1], "short")
    assert [talk in stand_in for talk in talks] == [False, True, False], "the one that goes on stays"
    stand_in.forget(talks[1])
    for talk in talks:
        await stand_in.admit(talk, "C1001", apart=False)
        await said(talk, "short")
    assert len(stand_in) == 3, "what is forgotten leaves room"
