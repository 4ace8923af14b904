"""What customers see while Redis is slow or away, and after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.graph.front import Front, serving
from tests.packaged import saying
from tests.redis_proxy import RedisProxy, through_a_proxy
from tests.redis_servers import server, valkey_binary

# Whatever waited for Redis's reply, and not for the budget, would wait longer than any test.
NEVER_MS = 600_000
SHIPPING, RETURNS = "运费怎么算?", "退货政策是什么?"


@pytest.fixture(scope="module")
async def proxy() -> AsyncGenerator[RedisProxy]:
    with server(valkey_binary()) as store:
        async with through_a_proxy(store.url) as made:
            yield made


@pytest.fixture(scope="module")
async def away(tmp_path_factory: pytest.TempPathFactory, proxy: RedisProxy, packaged_model: Path) -> AsyncGenerator[Front]:
    """A front whose way to Redis is `proxy`."""
    redis = {"url": proxy.url, "timeout_ms": NEVER_MS, "budget_ms": 500, "breaker": {"failures": 2, "reset_s": 0.2}}
    home = tmp_path_factory.mktemp("away")
    async with serving(home, proxy.url, packaged_model, saying("Hello you"), redis=redis) as running:
        yield running


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.05)


def turns_are(front: Front, session_id: str, expected: list[str]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        reply = await front.get(f"/v1/sessions/{session_id}", customer="C1001")
        return reply.status_code == 200 and [turn["question"] for turn in reply.json()["turns"] if turn["answer"]] == expected

    return check


@pytest.mark.parametrize("how", ["silent", "gone"])
async def test_answers_go_on_and_nothing_is_lost(away: Front, proxy: RedisProxy, how: str) -> None:
    before = await away.ask(SHIPPING, "C1001")
    assert before["degraded"] == []
    if how == "silent":
        proxy.silent()
    else:
        await proxy.cut()
    earlier = await away.ask(RETURNS, "C1001", session_id=before["session_id"])
    assert (earlier["text"] != "", earlier["degraded"]) == (True, ["sessions"])
    new = await away.ask(SHIPPING, "C1001", message_id="m1")
    assert (new["text"], new["degraded"]) == (before["text"], ["sessions"])
    again = await away.ask(SHIPPING, "C1001", message_id="m1", session_id=new["session_id"])
    assert again["answer_id"] == new["answer_id"], "a repeated message gives the same answer"
    parcel = await away.ask("我的快递到哪了?", "C1001", session_id=new["session_id"])
    assert parcel["kind"] == "templated"
    foreign = await away.post("/v1/ask", customer="C1002", json={"question": SHIPPING, "session_id": new["session_id"]})
    assert foreign.status_code == 403

    async def is_degraded() -> bool:
        ready = await away.get("/readyz")
        assert ready.status_code == 200
        return ready.json()["parts"]["sessions"] == "degraded"

    await until(is_degraded)
    if how == "silent":
        proxy.silent(False)
    else:
        await proxy.open()
    await until(turns_are(away, before["session_id"], [SHIPPING, RETURNS]))
    await until(turns_are(away, new["session_id"], [SHIPPING, "我的快递到哪了?"]))

    async def is_well() -> bool:
        return (await away.get("/readyz")).json()["parts"]["sessions"] == "ok"

    await until(is_well)
    after = await away.ask(SHIPPING, "C1001", session_id=new["session_id"])
    assert after["degraded"] == []
    strangers = await away.get(f"/v1/sessions/{new['session_id']}", customer="C1002")
    assert strangers.status_code == 403


async def test_of_a_conversation_that_only_redis_knows_nothing_is_shown(away: Front, proxy: RedisProxy) -> None:
    anonymous = await away.ask(SHIPPING)
    await proxy.cut()
    try:
        answer = await away.ask(RETURNS, "C1002", session_id=anonymous["session_id"])
        assert answer["degraded"] == ["sessions"]
        assert (await away.get(f"/v1/sessions/{anonymous['session_id']}", customer="C1002")).status_code == 503
        refused = await away.post(f"/v1/sessions/{anonymous['session_id']}/handoff", customer="C1002", json={})
        assert refused.status_code == 503
        person = await away.ask("转人工", "C1002", session_id=anonymous["session_id"])
        assert set(person["degraded"]) == {"sessions"}
        assert person["finish_reason"] == "handoff"
    finally:
        await proxy.open()
