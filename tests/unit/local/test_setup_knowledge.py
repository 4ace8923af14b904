"""Whose knowledge a start publishes, and what it leaves alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.knowledge_file import load_knowledge
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_drafts import FromFolder, SqlDrafts
from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.config import load_config
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.errors import ConfigError
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry
from serve_app.local.knowledge import publish_knowledge
from serve_app.tenant_settings import TenantSettings

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ENTRY = """
- id: returns
  intent: return_policy
  zh: {questions: [能退吗], answer: 可以。}
  en: {questions: [can I], answer: Yes.}
"""
EXAMPLE = Path(__file__).parents[3] / "examples" / "http_shop"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = connect(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}")
    await create_tables(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my-knowledge"
    folder.mkdir()
    (folder / "returns.yaml").write_text(ENTRY)
    (folder / "templates.yaml").write_text("[]")
    return folder


class Start:
    """Starts with one tenant, on one record; `said` is what went to stderr."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.record = SqlKnowledge(engine)
        self.said: list[str] = []

    async def __call__(self, tenant: TenantSettings) -> set[str]:
        self.said = []
        await publish_knowledge(self._engine, "tea", tenant, NOW, self.said.append)
        return set(await self.record.versions("tea"))


@pytest.fixture
def start(engine: AsyncEngine) -> Start:
    return Start(engine)


async def test_the_demo_shop_gets_the_demos_knowledge_once(start: Start) -> None:
    first = await start(TenantSettings())
    version = await start.record.version("tea")
    assert "return-policy" in first
    assert await start(TenantSettings()) == first
    assert (version, await start.record.version("tea"), start.said) == (1, 1, [])


async def test_what_was_published_since_is_left_alone(start: Start, folder: Path) -> None:
    await start(TenantSettings())
    own = load_knowledge(folder)
    await start.record.publish("tea", own.entries, own.templates, own.policies, NOW)
    assert await start(TenantSettings()) == {"returns"}


async def test_a_shop_without_a_folder_gets_no_knowledge_and_is_told_how(start: Start) -> None:
    assert await start(TenantSettings(sources=())) == set()
    assert len(start.said) == 1
    assert "tea has no knowledge" in start.said[0]
    assert "knowledge: " in start.said[0]


async def test_a_shop_without_a_folder_keeps_what_it_has_and_is_told_so(start: Start, folder: Path) -> None:
    own = load_knowledge(folder)
    await start.record.publish("tea", own.entries, own.templates, own.policies, NOW)
    assert await start(TenantSettings(sources=())) == {"returns"}
    assert start.said == []


async def test_the_demos_knowledge_does_not_answer_for_a_shop_of_ones_own(start: Start) -> None:
    """A record may have served the demo shop under the same name before."""
    demos = await start(TenantSettings())
    assert await start(TenantSettings(sources=())) == set()
    assert "tea has no knowledge" in start.said[0]
    assert await start(TenantSettings()) == demos


@pytest.mark.parametrize("sources", [None, ()])
async def test_a_folder_is_the_truth(start: Start, folder: Path, sources: tuple[()] | None) -> None:
    tenant = TenantSettings(sources=sources, knowledge=folder)
    assert await start(tenant) == {"returns"}
    assert await start(tenant) == {"returns"}
    assert await start.record.version("tea") == 1
    (folder / "returns.yaml").write_text(ENTRY.replace("id: returns", "id: other"))
    assert await start(tenant) == {"other"}


async def test_a_folder_without_templates_takes_the_packaged_ones(start: Start) -> None:
    tenant = load_config(EXAMPLE / "config.yaml").tenants["lantern-tea"]
    assert tenant.knowledge == Path("examples/http_shop/knowledge")
    assert await start(tenant.model_copy(update={"knowledge": EXAMPLE / "knowledge"})) >= {"tea-returns", "parcel"}
    entries, templates = await start.record.published("tea")
    assert 3 <= len(entries) <= 4
    assert len(templates) == len(demo_knowledge().templates)


async def test_figures_that_the_packaged_templates_want_are_named(start: Start, folder: Path) -> None:
    (folder / "templates.yaml").unlink()
    with pytest.raises(ConfigError, match=r"tenant tea, .*my-knowledge: template .*there is no policy"):
        await start(TenantSettings(knowledge=folder))


async def test_a_folder_that_cannot_be_read_is_named(start: Start, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tenant tea, .*none: .*cannot be read"):
        await start(TenantSettings(knowledge=tmp_path / "none"))


async def test_an_empty_folder_is_a_slip(start: Start, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no entries"):
        await start(TenantSettings(knowledge=tmp_path / "empty"))


async def published(start: Start, *ids: str) -> int:
    """Somebody publishes by command; returns the version."""
    entries = [Entry(one, 0, Intent.OTHER, {"zh": (one,), "en": (one,)}, {"zh": one, "en": one}) for one in ids]
    return (await start.record.publish("tea", entries, (), (), NOW, by="ann")).version


async def test_a_start_leaves_what_was_published_since_while_the_folder_is_the_same(start: Start, folder: Path) -> None:
    tenant = TenantSettings(sources=(), knowledge=folder)
    await start(tenant)
    await published(start, "mine")
    (folder / "returns.yaml").write_text("# a comment is no change\n" + ENTRY)
    assert await start(tenant) == {"mine"}
    assert start.said == [
        f"tenant tea: version 2, published since the last start, stays; the folder {folder} has not changed",
    ]


async def test_a_changed_folder_is_published_and_says_what_it_replaces(start: Start, folder: Path) -> None:
    tenant = TenantSettings(sources=(), knowledge=folder)
    await start(tenant)
    await published(start, "mine")
    (folder / "more.csv").write_text("id,language,questions,answer\nmore,zh,更多,好\nmore,en,more,ok\n")
    assert await start(tenant) == {"returns", "more"}
    assert "published as version 3, in the place of version 2; `zerowait knowledge rollback 2`" in start.said[0]
    assert await start(tenant) == {"returns", "more"}
    assert start.said == []
    latest = (await start.record.history("tea", 1))[0]
    assert (latest.by, latest.note) == ("a start", "the folder my-knowledge")


async def test_a_folder_that_is_named_later_says_what_it_replaces(start: Start, folder: Path) -> None:
    await published(start, "mine")
    assert await start(TenantSettings(sources=(), knowledge=folder)) == {"returns"}
    assert "rollback 1" in start.said[0]


async def test_what_was_published_in_the_demos_place_stays(start: Start) -> None:
    await start(TenantSettings())
    await published(start, "mine")
    assert await start(TenantSettings()) == {"mine"}
    assert await start(TenantSettings(sources=())) == {"mine"}
    assert start.said == []


async def test_a_shops_own_sources_withdraw_an_older_demo(start: Start, engine: AsyncEngine) -> None:
    await published(start, "an-older-demo")
    await SqlDrafts(engine).remember_folder("tea", FromFolder("demo", "of an older one", 1))
    assert await start(TenantSettings(sources=())) == set()
    await published(start, "an-older-demo")
    await SqlDrafts(engine).remember_folder("tea", FromFolder("demo", "of an older one", 3))
    assert "return-policy" in await start(TenantSettings())
