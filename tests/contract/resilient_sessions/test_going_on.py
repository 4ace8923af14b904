"""Conversations go on while Redis is away, and are given back to it."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from serve_app.adapters.resilient_sessions import ATTEMPTS_MAX
from serve_app.adapters.stand_in_sessions import DEGRADED
from serve_app.domain.errors import Forbidden, StoreFailed
from serve_app.domain.question import Focus
from tests.contract.resilient_sessions.processes import Process, is_told, process, until
from tests.contract.sessions.keeping import FOCUS, answer, ask, start
from tests.redis_proxy import RedisProxy


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
