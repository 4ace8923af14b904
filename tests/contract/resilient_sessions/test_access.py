"""Who may see and use a conversation while Redis is away."""

from __future__ import annotations

import pytest

from serve_app.domain.errors import Forbidden, StoreFailed
from tests.contract.resilient_sessions.processes import Process, until
from tests.contract.sessions.keeping import ask, start
from tests.redis_proxy import RedisProxy


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
