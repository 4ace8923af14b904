"""Every keeper of sessions: memory, Valkey and Redis 7, one server and a cluster; and with a stand-in for Redis."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import pytest

from serve_app.adapters.gathered_calls import GatheredCalls
from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.memory_sessions import MemorySessions
from serve_app.adapters.redis_answers import RedisAnswers
from serve_app.adapters.redis_client import connect
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.adapters.resilient_link import ResilientLink
from serve_app.adapters.resilient_sessions import ResilientSessions
from serve_app.adapters.stand_in_sessions import StandInSessions
from serve_app.config import RedisSettings
from tests.contract.sessions.keeping import Kept


@pytest.fixture(scope="module", params=["memory", "valkey", "valkey_cluster", "redis7", "redis7_cluster", "resilient"])
async def kept(request: pytest.FixtureRequest) -> AsyncGenerator[Kept]:
    if request.param == "memory":
        shared = MemoryAnswers()
        yield Kept(partial(MemorySessions, shared=shared), shared)
        return
    if request.param == "resilient":
        async for one in _resilient(request.getfixturevalue("valkey_url")):
            yield one
        return
    link = connect(RedisSettings(url=request.getfixturevalue(f"{request.param}_url"), timeout_ms=5000))
    made: list[RedisSessions] = []

    def make(**options: Any) -> RedisSessions:
        made.append(RedisSessions(link, ttl_s=3600, **options))
        return made[-1]

    yield Kept(make, RedisAnswers(link))
    for sessions in made:
        await sessions.aclose()
    await link.aclose()


async def _resilient(url: str) -> AsyncGenerator[Kept]:
    link = connect(RedisSettings(url=url, timeout_ms=5000))
    made: list[ResilientSessions] = []

    def make(turn_wait_s: float, turns_shown: int = 60, turns_max: int = 1000) -> ResilientSessions:
        guarded = ResilientLink(link, budget_s=5, failures=5, reset_s=1)
        options: dict[str, Any] = {"turn_wait_s": turn_wait_s, "turns_shown": turns_shown, "turns_max": turns_max}
        one, other = (RedisSessions(calls, ttl_s=3600, off_path=link, **options) for calls in (GatheredCalls(guarded), link))
        made.append(ResilientSessions(one, other, guarded, StandInSessions(**options), turn_wait_s=turn_wait_s))
        return made[-1]

    yield Kept(make, RedisAnswers(link))
    for sessions in made:
        await sessions.aclose()
    await link.aclose()
