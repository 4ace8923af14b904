"""What every keeper of shared answers does, and the two tiers together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.redis_answers import RedisAnswers, TieredAnswers
from serve_app.adapters.redis_client import connect
from serve_app.adapters.redis_link import RedisLink
from serve_app.adapters.resilient_link import ResilientLink
from serve_app.config import RedisSettings
from serve_app.domain.errors import StoreFailed
from serve_app.domain.knowledge import SourceVersion
from serve_app.domain.sharing import SharedAnswer, Stale, VersionView, question_of, stale_because
from serve_app.ports import SharedAnswers
from tests.postgres import free_port
from tests.redis_proxy import RedisProxy, through_a_proxy


@pytest.fixture(scope="module", params=["memory", "valkey", "valkey_cluster", "redis7", "redis7_cluster", "tiers"])
async def answers(request: pytest.FixtureRequest) -> AsyncGenerator[SharedAnswers]:
    if request.param == "memory":
        yield MemoryAnswers()
        return
    server = "valkey" if request.param == "tiers" else request.param
    link = connect(RedisSettings(url=request.getfixturevalue(f"{server}_url")))
    common = RedisAnswers(link)
    yield TieredAnswers(MemoryAnswers(), common) if request.param == "tiers" else common
    await link.aclose()


async def test_what_was_put_is_got(answers: SharedAnswers):
    key = uuid4().hex
    assert await answers.get(key) is None
    await answers.put(key, b"\x00\xff answer", 60)
    assert await answers.get(key) == b"\x00\xff answer"
    await answers.put(key, b"another", 60)
    assert await answers.get(key) == b"another"
    assert await answers.get(uuid4().hex) is None


async def test_an_answer_without_time_to_live_is_not_kept(answers: SharedAnswers):
    key = uuid4().hex
    await answers.put(key, b"answer", 60)
    await answers.put(key, b"answer", 0)
    assert await answers.get(key) is None


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_memory_forgets_in_time():
    time = Time()
    memory = MemoryAnswers(monotonic=time)
    await memory.put("short", b"answer", 10)
    await memory.put("long", b"answer", 20)
    time.now = 9.9
    assert await memory.get("short") == b"answer"
    time.now = 10
    assert await memory.get("short") is None
    assert await memory.get("long") == b"answer"


async def test_memory_is_bounded_and_keeps_what_is_used():
    memory = MemoryAnswers(max_bytes=100_000)
    for n in range(20):
        await memory.put(f"k{n}", bytes(9_000), 60)
        await memory.get("k0")
    kept = [n for n in range(20) if await memory.get(f"k{n}") is not None]
    assert 0 in kept
    assert 19 in kept
    assert len(kept) <= 10
    await memory.put("k0", bytes(100_001), 60)
    assert await memory.get("k0") is None, "the old answer does not stay when the new one does not fit"


async def test_a_time_to_live_is_kept_by_redis(valkey_url: str):
    link = connect(RedisSettings(url=valkey_url))
    key = uuid4().hex
    await RedisAnswers(link).put(key, b"answer", 60)
    assert 0 < await link.client.ttl(f"zw:a:{key}") <= 60
    await link.aclose()


async def test_memory_is_filled_by_what_redis_has(valkey_url: str):
    link = connect(RedisSettings(url=valkey_url))
    common, time = RedisAnswers(link), Time()
    tiers = TieredAnswers(MemoryAnswers(monotonic=time), common, memory_ttl_s=5)
    key = uuid4().hex
    await common.put(key, b"old", 60)
    assert tiers.get_from_memory(key) is None
    assert await tiers.get(key) == b"old"
    assert tiers.get_from_memory(key) == b"old"
    await common.put(key, b"new", 60)
    assert await tiers.get(key) == b"old"
    time.now = 5
    assert await tiers.get(key) == b"new"
    await link.aclose()


async def test_without_redis_there_is_still_memory():
    link = connect(RedisSettings(url=f"redis://127.0.0.1:{free_port()}/0"))
    tiers = TieredAnswers(MemoryAnswers(), RedisAnswers(link))
    assert await tiers.get("k") is None
    await tiers.put("k", b"answer", 60)
    assert await tiers.get("k") == b"answer"
    with pytest.raises(StoreFailed):
        await RedisAnswers(link).get("k")
    await link.aclose()


async def test_a_value_that_is_too_long_is_not_kept_and_hides_what_it_replaces(valkey_url: str):
    link = connect(RedisSettings(url=valkey_url))
    refused: list[None] = []
    answers, key = RedisAnswers(link, value_bytes_max=10, too_large=lambda: refused.append(None)), uuid4().hex
    await answers.put(key, b"0123456789", 60)
    assert await answers.get(key) == b"0123456789"
    assert not refused
    await answers.put(key, b"0123456789a", 60)
    assert await answers.get(key) is None
    assert len(refused) == 1
    await link.aclose()


class TestASlowRedis:
    """Reads beyond the budget are misses, and a write that arrives late says nothing that is not true."""

    @pytest.fixture
    async def proxy(self, valkey_url: str) -> AsyncGenerator[RedisProxy]:
        async with through_a_proxy(valkey_url) as made:
            yield made

    @pytest.fixture
    async def link(self, proxy: RedisProxy) -> AsyncGenerator[RedisLink]:
        made = connect(RedisSettings(url=proxy.url, timeout_ms=60_000))
        yield made
        await made.aclose()

    async def test_a_read_beyond_the_budget_is_a_miss(self, proxy: RedisProxy, link: RedisLink):
        answers = RedisAnswers(ResilientLink(link, budget_s=0.05, failures=100, reset_s=1), off_path=link)
        tiers, key = TieredAnswers(MemoryAnswers(), answers), uuid4().hex
        await answers.put(key, b"answer", 60)
        proxy.silent()
        assert await tiers.get(key) is None
        proxy.silent(False)
        async with asyncio.timeout(20):
            while await tiers.get(key) is None:
                pass
        assert await tiers.get(key) == b"answer", "the reply that came late was no other call's"

    async def test_an_answer_that_is_written_late_is_true_or_not_said(
        self, proxy: RedisProxy, link: RedisLink, valkey_url: str
    ):
        now, key = datetime(2026, 11, 24, 4, 0, tzinfo=UTC), uuid4().hex
        old = SharedAnswer("30 days", "en", "model", now, sources=(SourceVersion("returns", 1),))
        hasty = RedisAnswers(ResilientLink(link, budget_s=0.05, failures=100, reset_s=1))
        proxy.deaf()
        with pytest.raises(StoreFailed):
            await hasty.put(key, old.dumps(), 60)
        # Meanwhile the entry is published anew, or a customer says that the answer is wrong.
        published = VersionView({"returns": 2}, seen_at=0.0, knowledge_version=2)
        set_aside = VersionView({"returns": 1}, seen_at=0.0, knowledge_version=1, set_aside=frozenset({question_of(key)}))
        proxy.deaf(False)
        direct = connect(RedisSettings(url=valkey_url))
        async with asyncio.timeout(20):
            while (arrived := await RedisAnswers(direct).get(key)) is None:
                pass
        assert SharedAnswer.loads(arrived) == old
        assert stale_because(old, key, published, now, 0.0, 1.0) is Stale.VERSION
        assert stale_because(old, key, set_aside, now, 0.0, 1.0) is Stale.ASIDE
        await direct.aclose()
