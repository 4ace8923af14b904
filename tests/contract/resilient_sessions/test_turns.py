"""Turns that are in progress, half known or repeated when Redis goes or returns: each stands there once, in its place."""

from __future__ import annotations

import asyncio

import pytest

from serve_app.adapters.stand_in_sessions import DEGRADED
from serve_app.domain.errors import NotFound, StoreFailed
from tests.contract.resilient_sessions.processes import Process, is_told, until
from tests.contract.sessions.keeping import ask, start
from tests.redis_proxy import RedisProxy


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
