"""A primary of a cluster dies under load, and its replica takes over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from serve_app.adapters.redis_client import connect, session_keys
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.adapters.resilient_link import ResilientLink
from serve_app.adapters.resilient_sessions import ResilientSessions
from serve_app.adapters.stand_in_sessions import StandInSessions
from serve_app.config import RedisSettings
from serve_app.domain.errors import StoreFailed
from serve_app.domain.question import Focus
from serve_app.domain.session import Session
from tests.contract.test_redis_sessions import answer, ask
from tests.redis_servers import Cluster, cluster, valkey_binary

TALKS = 24


@pytest.fixture
async def stores() -> AsyncGenerator[Cluster]:
    with cluster(valkey_binary(), replicas=True, node_timeout_ms=1000) as made:
        yield made


@dataclass
class Talking:
    """A customer who asks one question after the other. `in_redis`, `here`: the answered messages, by where they were kept."""

    session_id: str = field(default_factory=lambda: uuid4().hex)
    in_redis: list[str] = field(default_factory=list[str])
    here: list[str] = field(default_factory=list[str])

    async def turn(self, sessions: ResilientSessions) -> None:
        number = len(self.in_redis) + len(self.here) + 1
        question = ask(self.session_id, f"m{number}", new=number == 1)
        begun = await sessions.begin(question)
        kept = await sessions.finish("demo", self.session_id, begun.number, answer(question.message_id), Focus())
        (self.in_redis if kept else self.here).append(question.message_id)


async def test_no_conversation_is_lost_with_a_primary(stores: Cluster):
    settings = RedisSettings(url=stores.url, nodes=stores.nodes, timeout_ms=1000)
    link = connect(settings)
    calls = ResilientLink(link, budget_s=0.5, failures=5, reset_s=0.2)
    one, other = (RedisSessions(by, ttl_s=3600, turn_wait_s=20, lease_s=1, off_path=link) for by in (calls, link))
    sessions = ResilientSessions(
        one, other, calls, StandInSessions(turn_wait_s=20, turns_shown=60), turn_wait_s=20, pause_s=0.05
    )
    giving_back = asyncio.create_task(sessions.run())
    await link.ping()
    talks = [Talking() for _ in range(TALKS)]
    ending = asyncio.Event()

    async def talk(one: Talking) -> None:
        while not ending.is_set():
            await one.turn(sessions)
            await asyncio.sleep(0.1)

    talking = [asyncio.create_task(talk(one)) for one in talks]
    victim = stores.primary_of(session_keys("demo", talks[0].session_id)[0])
    while not all(len(one.in_redis) >= 3 for one in talks):
        await asyncio.sleep(0.01)
    victim.kill()
    of_victim = [one for one in talks if stores.primary_of(session_keys("demo", one.session_id)[0]) is victim]
    before = {one.session_id: set(one.in_redis) for one in talks}
    async with asyncio.timeout(60):
        while not all(one.here for one in of_victim):
            await asyncio.sleep(0.01)  # some turns were kept here meanwhile
        again = {one.session_id: len(one.in_redis) for one in talks}
        while not all(len(one.in_redis) >= again[one.session_id] + 3 for one in talks):
            await asyncio.sleep(0.01)  # and Redis is used again for each conversation
    ending.set()
    await asyncio.gather(*talking)
    giving_back.cancel()
    await asyncio.wait([giving_back])
    await sessions.aclose()

    lost = 0
    reading = RedisSessions(link, ttl_s=3600, turn_wait_s=20)
    for one in talks:
        session = await _read(reading, one.session_id)
        assert [turn.number for turn in session.turns] == list(range(1, len(session.turns) + 1))
        messages = [turn.question.message_id for turn in session.turns]
        assert len(set(messages)) == len(messages), "no turn stands there twice"
        assert all(turn.answer is None or turn.answer.text == turn.question.message_id for turn in session.turns)
        recorded = {turn.question.message_id for turn in session.turns if turn.answer is not None}
        missing = {*one.in_redis, *one.here} - recorded
        assert missing <= (before[one.session_id] if one in of_victim else set()), "only what the primary had not passed on yet"
        lost += len(missing)
    assert lost <= len(of_victim), "at most the last write of each conversation"
    await reading.aclose()
    await link.aclose()


async def _read(sessions: RedisSessions, session_id: str) -> Session:
    async with asyncio.timeout(20):
        while True:
            try:
                return await sessions.read("demo", session_id, "C1001")
            except StoreFailed:
                await asyncio.sleep(0.1)
