"""Two ingress processes over one record and one Valkey: what is published, withdrawn, set aside, or ends at midnight is gone
for both within a second, and everything else stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.memory_tier_counts import MemoryTierCounts
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.redis_answers import RedisAnswers, TieredAnswers
from serve_app.adapters.redis_client import connect as connect_redis
from serve_app.adapters.redis_link import RedisLink
from serve_app.adapters.sql_aside import SqlSetAsides
from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.answering.shared_tier import SharedTier
from serve_app.answering.voices import Stamp
from serve_app.config import RedisSettings
from serve_app.domain.aside import Complaint
from serve_app.domain.generation import Sampling
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, SourceVersion
from serve_app.domain.policies import Policy
from serve_app.domain.sharing import SharedAnswer, Stale, question_of
from serve_app.published import Published
from serve_app.versions import Versions

HEARTBEAT_S = 0.5
# 2026-11-11 00:00 in Shanghai.
MIDNIGHT = datetime(2026, 11, 10, 16, tzinfo=UTC)
BEFORE = MIDNIGHT - timedelta(hours=1)
STAMP = Stamp("2", "digest", "capable", Sampling())
TENANT = "demo"


class Time:
    """Of day as the test sets it; for measuring, the machine's."""

    at = BEFORE

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic()


def entry(name: str, text: str, **fields: object) -> Entry:
    questions = {"zh": (f"{name}怎么样",), "en": (f"how about {name}",)}
    return replace(Entry(name, 0, Intent.OTHER, questions, {"zh": text, "en": text}), **fields)  # pyright: ignore[reportArgumentType]


class Ingress:
    """What of one ingress process keeps and says shared answers."""

    def __init__(self, shop: Shop) -> None:
        knowledge = SqlKnowledge(shop.engine, shop.time.now)
        self.published = Published(knowledge)
        self.versions = Versions(knowledge, SqlSetAsides(shop.engine), [TENANT], shop.time, HEARTBEAT_S, self.published.renew)
        self.counts = MemoryTierCounts()
        self.shared = SharedTier(
            TieredAnswers(MemoryAnswers(), RedisAnswers(shop.redis)),
            view=self.versions.view,
            shops={TENANT: shop.name},
            stamp=lambda _: STAMP,
            clock=shop.time,
            ttl_s=3600,
            serve_stale_s=1.0,
            counts=self.counts,
        )

    def key(self, question: str) -> str:
        return self.shared.key_of(TENANT, "zh", question)

    async def keep(self, question: str, *sources: str, expires_at: datetime | None = None) -> None:
        """An answer that used these, as they are published now."""
        view = self.versions.view(TENANT)
        assert view is not None
        used = tuple(SourceVersion(source, view.versions[source]) for source in sources)
        answer = SharedAnswer(f"{question}: 好的", "zh", "model", BEFORE, "capable", sources=used, expires_at=expires_at)
        self.shared.keep(self.key(question), answer)
        await self.shared.settled()

    async def says(self, question: str) -> bool:
        return await self.shared.anywhere(TENANT, self.key(question)) is not None


@dataclass
class Shop:
    name: str
    time: Time
    engine: AsyncEngine
    redis: RedisLink
    knowledge: SqlKnowledge
    asides: SqlSetAsides

    async def publish(self, *entries: Entry, policies: Sequence[Policy] = ()) -> None:
        await self.knowledge.publish(TENANT, entries, (), policies, self.time.now())


@pytest.fixture
async def shop(tmp_path: Path, valkey_url: str) -> AsyncGenerator[Shop]:
    now = Time()
    engine = connect(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}")
    await create_tables(engine)
    redis = connect_redis(RedisSettings(url=valkey_url, timeout_ms=5000))
    # A shop of its own: its keys are nobody else's in Valkey.
    yield Shop(uuid4().hex, now, engine, redis, SqlKnowledge(engine, now.now), SqlSetAsides(engine))
    await redis.aclose()
    await engine.dispose()


FREIGHT, RETURNS, GIFTS = entry("freight", "8元"), entry("returns", "7天"), entry("gifts", "没有")


@pytest.fixture
async def both(shop: Shop) -> AsyncGenerator[tuple[Ingress, Ingress]]:
    """Two processes with their heartbeats, after a first publication; both have said every answer."""
    await shop.publish(FREIGHT, RETURNS, GIFTS)
    one, other = Ingress(shop), Ingress(shop)
    await asyncio.gather(one.versions.refresh(), other.versions.refresh())
    beats = [asyncio.create_task(ingress.versions.run()) for ingress in (one, other)]
    await one.keep("运费", "freight")
    await one.keep("退货", "returns")
    await one.keep("运费和退货", "freight", "returns")
    for question in ("运费", "退货", "运费和退货"):
        assert await one.says(question)
        assert await other.says(question)
    yield one, other
    for beat in beats:
        beat.cancel()
        with suppress(asyncio.CancelledError):
            await beat


async def hidden(ingresses: tuple[Ingress, Ingress], *questions: str) -> float:
    """Seconds until none of them says any of these. The others are said at every look."""
    began = time.monotonic()
    for ingress in ingresses:
        for question in questions:
            while await ingress.says(question):
                assert await ingress.says("退货"), "what did not change is said all the time"
                await asyncio.sleep(0.01)
    return time.monotonic() - began


async def test_a_publication_hides_what_used_it_on_every_process_and_nothing_else(
    shop: Shop, both: tuple[Ingress, Ingress]
) -> None:
    await shop.publish(entry("freight", "9元"), RETURNS, GIFTS)
    await hidden(both, "运费", "运费和退货")
    for ingress in both:
        assert await ingress.says("退货")
        assert set(ingress.counts.stale) == {Stale.VERSION}, "no scan, no flush, and never without a view"


async def test_a_withdrawal_and_a_rollback_do_so_too(shop: Shop, both: tuple[Ingress, Ingress]) -> None:
    await shop.publish(RETURNS, GIFTS)
    await hidden(both, "运费", "运费和退货")
    await shop.publish(FREIGHT, RETURNS, GIFTS)
    async with asyncio.timeout(20):
        # The same words are the same version again: what was made of them is true again.
        while not all([await ingress.says("运费") for ingress in both]):
            await asyncio.sleep(0.01)


async def test_an_answer_that_was_made_of_what_has_changed_meanwhile_is_never_said(
    shop: Shop, both: tuple[Ingress, Ingress]
) -> None:
    one, other = both
    view = one.versions.view(TENANT)
    assert view is not None
    old = SourceVersion("freight", view.versions["freight"])
    await shop.publish(entry("freight", "9元"), RETURNS, GIFTS)
    await hidden(both, "运费")
    # Its generation began before the publication, and ended after it.
    one.shared.keep(one.key("运费"), SharedAnswer("运费8元", "zh", "model", BEFORE, "capable", sources=(old,)))
    await one.shared.settled()
    assert not await one.says("运费")
    assert not await other.says("运费")


async def test_a_process_whose_record_is_away_says_nothing_shared_after_a_second(
    shop: Shop, both: tuple[Ingress, Ingress]
) -> None:
    lonely = Ingress(shop)
    await lonely.versions.refresh()  # and never again
    assert await lonely.says("退货")
    async with asyncio.timeout(10):
        while await lonely.says("退货"):
            await asyncio.sleep(0.02)
    assert set(lonely.counts.stale) == {Stale.VIEW}
    assert await both[0].says("退货")


async def test_a_complaint_takes_an_answer_out_everywhere_until_a_person_has_looked(
    shop: Shop, both: tuple[Ingress, Ingress]
) -> None:
    one, _ = both
    question = question_of(one.key("运费"))
    await shop.asides.complain(TENANT, Complaint(question, "运费", "运费8元", "model", ("freight",), "capable", True, BEFORE))
    await hidden(both, "运费")
    await one.keep("运费", "freight")
    assert not await one.says("运费"), "also not the next answer"
    await shop.asides.decide(TENANT, question, "restored", "li", BEFORE)
    async with asyncio.timeout(20):
        while not all([await ingress.says("运费") for ingress in both]):
            await asyncio.sleep(0.01)


async def test_a_campaign_ends_an_answer_at_midnight_sharp(shop: Shop, both: tuple[Ingress, Ingress]) -> None:
    one, other = both
    await one.keep("大促", "gifts", expires_at=MIDNIGHT)
    shop.time.at = MIDNIGHT - timedelta(microseconds=1)
    assert await one.says("大促")
    assert await other.says("大促")
    shop.time.at = MIDNIGHT
    assert not await one.says("大促"), "not a heartbeat late, in memory or elsewhere"
    assert not await other.says("大促")
    assert await one.says("退货")


async def test_among_ten_thousand_entries_one_is_hidden_and_shown_anew_at_once(shop: Shop) -> None:
    """A heartbeat reads what changed, not all there is; `benchmarks.cache_validity` times it."""
    many = [entry(f"item-{n}", "好") for n in range(2000)]
    await shop.publish(*many)
    ingress = Ingress(shop)
    await ingress.versions.refresh()
    await ingress.keep("第一件", "item-1")
    await ingress.keep("第二件", "item-2")
    before = ingress.published.entries(TENANT)
    await shop.publish(entry("item-1", "不好"), *many[:1], *many[2:])
    await ingress.versions.refresh()
    assert not await ingress.says("第一件"), "hidden by the heartbeat that sees it, whatever there is to make"
    assert await ingress.says("第二件")
    await ingress.versions.caught_up()
    after = ingress.published.entries(TENANT)
    assert after["item-1"].answers["zh"] == "不好"
    assert after["item-2"] is before["item-2"], "what stayed was not read again"
