"""A Redis that is gone, restarts empty or is stopped: it is left alone, and used again."""

from __future__ import annotations

import asyncio
import signal

import pytest

from serve_app.adapters.resilient_link import ResilientLink
from serve_app.adapters.stand_in_sessions import DEGRADED
from serve_app.domain.errors import NotFound, StoreFailed
from tests.contract.resilient_sessions.processes import BUDGET_S, Process, is_told, process, until
from tests.contract.sessions.keeping import ask, start
from tests.redis_proxy import RedisProxy
from tests.redis_servers import redis7_binary, server, valkey_binary


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
