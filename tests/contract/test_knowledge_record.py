"""Published knowledge, on every database that can hold the record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_knowledge import Published, SqlKnowledge
from serve_app.demo.knowledge import demo_knowledge, publish_demo
from serve_app.domain.errors import ConfigError, StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, SourceVersion, Template, TemplateCase
from serve_app.domain.policies import Policy

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DAYS = Policy("return_days", "days", 7)
RETURNS = Entry(
    "returns",
    0,
    Intent.RETURN_POLICY,
    {"zh": ("能退货吗", "可以退吗"), "en": ("can I return it",)},
    {"zh": "{policy.return_days}内可退。", "en": "Within {policy.return_days}."},
)
HELLO = Entry("hello", 0, Intent.GREETING, {"zh": ("你好",), "en": ("hi",)}, {"zh": "您好。", "en": "Hello."}, suggested=False)
TIER = Template("tier", 0, Intent.TIER, (TemplateCase("", {"zh": "{customer.tier_name}", "en": "{customer.tier_name}"}),))


class Time:
    """The record's clock."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'record.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    engine = connect(url)
    await create_tables(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    """Every test has a tenant of its own, so that they can share a database."""
    return f"t{abs(hash(request.node.nodeid)) % 10**12}"


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def record(engine: AsyncEngine, time: Time) -> SqlKnowledge:
    return SqlKnowledge(engine, time)


async def test_what_is_published_is_read_back(record: SqlKnowledge, tenant: str) -> None:
    done = await record.publish(tenant, [RETURNS, HELLO], [TIER], [DAYS], NOW)
    assert done == Published(1, added=("hello", "policy.return_days", "returns", "tier"))
    entries, templates = await record.published(tenant)
    shown = replace(RETURNS, version=1, answers={"zh": "7天内可退。", "en": "Within 7 days."})
    assert list(entries) == [replace(HELLO, version=1), shown]
    assert list(templates) == [replace(TIER, version=1)]
    assert await record.versions(tenant) == {"hello": 1, "policy.return_days": 1, "returns": 1, "tier": 1}
    assert await record.version(tenant) == 1


async def test_publishing_the_same_again_changes_nothing(record: SqlKnowledge, tenant: str) -> None:
    await record.publish(tenant, [RETURNS], [TIER], [DAYS], NOW)
    again = await record.publish(tenant, [RETURNS], [TIER], [DAYS], NOW + timedelta(days=1))
    assert again == Published(1)
    assert not again.is_news
    assert await record.version(tenant) == 1


async def test_a_new_figure_changes_the_entries_that_use_it(record: SqlKnowledge, tenant: str) -> None:
    await record.publish(tenant, [RETURNS, HELLO], [], [DAYS], NOW)
    done = await record.publish(tenant, [RETURNS, HELLO], [], [replace(DAYS, value=15)], NOW)
    assert done == Published(2, changed=("policy.return_days", "returns"))
    assert await record.versions(tenant) == {"hello": 1, "policy.return_days": 2, "returns": 2}
    entries, _ = await record.published(tenant)
    assert {entry.id: entry.answers["zh"] for entry in entries}["returns"] == "15天内可退。"


async def test_what_is_left_out_is_withdrawn_and_never_reuses_a_version(record: SqlKnowledge, tenant: str) -> None:
    await record.publish(tenant, [RETURNS, HELLO], [], [DAYS], NOW)
    assert (await record.publish(tenant, [RETURNS], [], [DAYS], NOW)).withdrawn == ("hello",)
    assert "hello" not in await record.versions(tenant)
    other = replace(HELLO, answers={"zh": "在的。", "en": "I am here."})
    done = await record.publish(tenant, [RETURNS, other], [], [DAYS], NOW)
    assert done == Published(3, added=("hello",))
    assert (await record.versions(tenant))["hello"] == 2


async def test_tenants_do_not_see_each_other(record: SqlKnowledge, tenant: str) -> None:
    await record.publish(tenant, [HELLO], [], [], NOW)
    assert await record.published(f"{tenant}-other") == ([], [])
    assert await record.versions(f"{tenant}-other") == {}
    assert await record.version(f"{tenant}-other") == 0


async def test_nothing_is_stored_of_what_cannot_be_published(record: SqlKnowledge, tenant: str) -> None:
    await record.publish(tenant, [HELLO], [], [], NOW)
    with pytest.raises(ConfigError, match="return_days"):
        await record.publish(tenant, [HELLO, RETURNS], [], [], NOW)
    assert await record.versions(tenant) == {"hello": 1}


async def test_the_version_grows_when_an_entrys_time_begins_and_ends(record: SqlKnowledge, tenant: str, time: Time) -> None:
    sale = replace(HELLO, valid_from=NOW + timedelta(hours=1), valid_to=NOW + timedelta(hours=2))
    await record.publish(tenant, [sale], [], [], NOW)
    seen: list[int] = []
    for minutes in (0, 59, 60, 119, 120, 180):
        time.now = NOW + timedelta(minutes=minutes)
        seen.append(await record.version(tenant))
    assert seen == [1, 1, 2, 2, 3, 3]
    await record.publish(tenant, [HELLO], [], [], time.now)
    assert await record.version(tenant) == 4
    entries, _ = await record.published(tenant)
    assert [(entry.valid_from, entry.valid_to, entry.version) for entry in entries] == [(None, None, 2)]


async def test_two_publications_at_once_come_one_after_the_other(record: SqlKnowledge, tenant: str) -> None:
    answers = [replace(HELLO, answers={"zh": f"您好{n}", "en": f"Hello {n}"}) for n in range(4)]
    done = await asyncio.gather(*(record.publish(tenant, [answer], [], [], NOW) for answer in answers))
    assert sorted(one.version for one in done) == [1, 2, 3, 4]
    assert await record.versions(tenant) == {"hello": 4}


async def test_the_demo_is_published_once(engine: AsyncEngine, record: SqlKnowledge, tenant: str) -> None:
    assert (await publish_demo(engine, tenant, NOW)).is_news
    assert not (await publish_demo(engine, tenant, NOW)).is_news
    entries, templates = await record.published(tenant)
    assert len(entries) >= 24
    assert len(templates) == len(demo_knowledge().templates)


async def test_a_record_that_does_not_answer_is_named(tmp_path: Path) -> None:
    engine = connect(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}")
    try:
        with pytest.raises(StoreFailed, match="no such table"):
            await SqlKnowledge(engine).version("demo")
    finally:
        await engine.dispose()
    engine = connect("postgresql+asyncpg://nobody:secret@127.0.0.1:1/none")
    try:
        with pytest.raises(StoreFailed) as error:
            await SqlKnowledge(engine).versions("demo")
        assert "secret" not in str(error.value)
    finally:
        await engine.dispose()


async def test_a_derived_entry_is_withheld_while_what_it_was_made_of_is_not_as_it_was(engine: AsyncEngine, tenant: str) -> None:
    record = SqlKnowledge(engine)

    async def publish(*entries: Entry) -> None:
        await record.publish(tenant, entries, [], [DAYS], NOW)

    async def served() -> tuple[list[str], list[str]]:
        entries, _ = await record.published(tenant)
        return [entry.id for entry in entries], sorted(key for key in await record.versions(tenant) if "policy" not in key)

    returns = replace(RETURNS, answers={"zh": "可退。", "en": "Yes."})
    derived = replace(
        HELLO, id="asked", questions={"zh": ("能退吗",), "en": ("back?",)}, derived_from=(SourceVersion("returns", 1),)
    )
    further = replace(
        HELLO, id="further", questions={"zh": ("退吗",), "en": ("go back?",)}, derived_from=(SourceVersion("asked", 1),)
    )
    await publish(returns, derived, further)
    assert await served() == (["asked", "further", "returns"], ["asked", "further", "returns"])
    changed = replace(returns, answers={"zh": "不可退。", "en": "No."})
    await publish(changed, derived, further)
    assert await served() == (["returns"], ["returns"])
    assert await record.withheld(tenant) == {"asked", "further"}
    # It is still there for people, and as it was.
    content = await record.written(tenant)
    assert [entry.id for entry in content.entries] == ["asked", "further", "returns"]
    assert content.entries[0].derived_from == (SourceVersion("returns", 1),)
    confirmed = replace(derived, derived_from=(SourceVersion("returns", 2),))
    await publish(changed, confirmed)
    assert (await served())[0] == ["asked", "returns"]
    await publish(confirmed)
    assert (await served())[0] == []


async def test_what_was_read_once_is_read_again_only_where_it_changed(engine: AsyncEngine, tenant: str) -> None:
    record, other = SqlKnowledge(engine), SqlKnowledge(engine)
    await record.publish(tenant, [HELLO, RETURNS], [], [DAYS], NOW)
    before = {entry.id: entry for entry in (await record.published(tenant))[0]}
    await record.publish(tenant, [replace(HELLO, answers={"zh": "你好呀", "en": "Hello!"}), RETURNS], [], [DAYS], NOW)
    after = {entry.id: entry for entry in (await record.published(tenant))[0]}
    assert after["returns"] is before["returns"]
    assert (after["hello"].version, after["hello"].answers["zh"]) == (2, "你好呀")
    assert list((await other.published(tenant))[0]) == list(after.values())
    await other.publish(tenant, [RETURNS], [], [DAYS], NOW)
    assert [entry.id for entry in (await record.published(tenant))[0]] == ["returns"]


async def test_versions_are_the_same_whether_read_whole_or_as_they_changed(engine: AsyncEngine, tenant: str) -> None:
    record, publisher = SqlKnowledge(engine), SqlKnowledge(engine)

    async def publish(*entries: Entry) -> None:
        await publisher.publish(tenant, entries, [], [DAYS], NOW)
        whole = await SqlKnowledge(engine).versions(tenant)
        assert await record.versions(tenant) == whole

    other = replace(HELLO, answers={"zh": "你好呀", "en": "Hello!"})
    assert await record.versions(tenant) == {}
    await publish(HELLO, RETURNS)
    await publish(other, RETURNS)
    await publisher.publish(tenant, [RETURNS], [], [DAYS], NOW)
    await publish(HELLO, RETURNS)
    await publish(HELLO)
    await publish()
