"""Drafting, publishing and rolling back, on every database that can hold the record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.csv_knowledge import read_csv
from serve_app.adapters.knowledge_tables import publication_changes, publications
from serve_app.adapters.memory_proposals import MemoryProposals
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_drafts import FromFolder, SqlDrafts
from serve_app.adapters.sql_knowledge import Published, SqlKnowledge
from serve_app.adapters.sql_proposals import SqlProposals
from serve_app.domain.draft_effects import Diff
from serve_app.domain.drafting import Reading, Unreadable
from serve_app.domain.errors import Conflict, NotFound
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, SourceVersion, Template, TemplateCase
from serve_app.domain.messages import Kind
from serve_app.domain.policies import Policy
from serve_app.domain.proposals import Variant, proposal_id
from serve_app.domain.question import Entities, Understanding
from serve_app.knowledge_editing import KnowledgeEditor

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DAYS = Policy("return_days", "days", 7)
TIER = Template("tier", 0, Intent.TIER, (TemplateCase("", {"zh": "好", "en": "ok"}),))


def rows(*told: str) -> Reading:
    """`id=answer` for each entry."""
    cells = [one.split("=") for one in told]
    lines = [f"{name},{language},{name} {language}?,{answer}" for name, answer in cells for language in ("zh", "en")]
    return read_csv("faq.csv", "id,language,questions,answer\n" + "\n".join(lines), "UTC")


def as_it_is(_tenant: str, text: str) -> Understanding:
    """A rule's question, unless it begins with "my"."""
    kind = Kind.TEMPLATED if text.startswith("my") else Kind.PUBLIC
    return Understanding(text, "en", False, Intent.OTHER, 0.0, Entities(), kind, text)


class Shop:
    """A tenant with an editor of its own record."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.tenant = uuid4().hex
        self.record, self.drafts, self.proposals = SqlKnowledge(engine), SqlDrafts(engine), SqlProposals(engine)
        self.editor = KnowledgeEditor(self.record, self.drafts, self.proposals, lambda: NOW, as_it_is)
        self.engine = engine

    async def take(self, *told: str, replacing: bool = False):
        return await self.editor.take(self.tenant, rows(*told), replacing=replacing, by="ann")

    async def publish(self, *told: str, by: str = "ann") -> int:
        if told:
            await self.take(*told)
        return (await self.editor.publish(self.tenant, by=by, note="")).version

    async def back(self, version: int | None = None) -> Published:
        return await self.editor.rollback(self.tenant, await self.editor.way_back(self.tenant, version), by="bob")

    async def answers(self, version: int | None = None) -> dict[str, str]:
        content = await self.editor.content(self.tenant, version)
        return {entry.id: entry.answers["en"] for entry in content.entries}

    async def served(self) -> dict[str, str]:
        entries, _ = await self.record.published(self.tenant)
        return {entry.id: entry.answers["en"] for entry in entries}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AsyncEngine]:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('record') / 'record.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    engine = connect(url)
    await create_tables(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def shop(engine: AsyncEngine) -> Shop:
    return Shop(engine)


async def test_a_draft_is_served_only_when_it_is_published(shop: Shop) -> None:
    drafted = await shop.take("a=1", "b=2")
    assert [(change.id, change.what) for change in drafted.changes] == [("a", "added"), ("b", "added")]
    assert await shop.served() == {}
    assert await shop.publish() == 1
    assert await shop.served() == {"a": "1", "b": "2"}
    assert await shop.drafts.read(shop.tenant) is None
    with pytest.raises(Conflict, match="no draft"):
        await shop.publish()


async def test_a_draft_grows_and_forgets_what_is_taken_back(shop: Shop) -> None:
    await shop.publish("a=1", "b=2")
    await shop.take("a=9")
    assert [change.id for change in (await shop.take("b=8")).changes] == ["a", "b"]
    assert [change.id for change in (await shop.take("a=1")).changes] == ["b"]
    assert (await shop.take("b=2")).draft is None


async def test_replacing_withdraws_and_leaves_templates_and_policies(shop: Shop) -> None:
    reading = replace(rows("a=1", "b={policy.return_days}"), templates=(TIER,), policies=(DAYS,))
    await shop.editor.take(shop.tenant, reading, replacing=False, by="ann")
    await shop.publish()
    assert await shop.served() == {"a": "1", "b": "7 days"}
    changes = (await shop.take("a=2", replacing=True)).changes
    assert [(change.id, change.what) for change in changes] == [("a", "changed"), ("b", "withdrawn")]
    await shop.publish()
    content = await shop.editor.content(shop.tenant)
    assert (content.templates, content.policies) == ((TIER,), (DAYS,))


async def test_nothing_of_a_bad_file_is_kept(shop: Shop) -> None:
    await shop.take("a=1")
    before = await shop.drafts.read(shop.tenant)
    with pytest.raises(Unreadable, match=r"faq.csv:4: entry c, zh: there is no policy 'fee'"):
        await shop.take("b=2", "c={policy.fee}")
    assert await shop.drafts.read(shop.tenant) == before


async def test_every_version_is_listed_and_can_be_read(shop: Shop) -> None:
    await shop.publish("a=1", "b=1")
    await shop.publish("a=2", "c=1")
    await shop.take("c=1", replacing=True)
    await shop.publish()
    listed = await shop.editor.history(shop.tenant)
    assert [(one.version, one.entries, one.added, one.changed, one.withdrawn) for one in listed] == [
        (3, 1, 0, 0, 2),
        (2, 3, 1, 1, 0),
        (1, 2, 2, 0, 0),
    ]
    assert {(one.by, one.published_at) for one in listed} == {("ann", NOW)}
    assert [await shop.answers(version) for version in (1, 2, 3)] == [
        {"a": "1", "b": "1"},
        {"a": "2", "b": "1", "c": "1"},
        {"c": "1"},
    ]
    with pytest.raises(NotFound):
        await shop.answers(4)


async def test_a_rollback_publishes_what_was_as_a_new_version(shop: Shop) -> None:
    await shop.publish("a=1", "b=1")
    await shop.publish("a=2", "c=1")
    done = await shop.back()
    assert (done.version, done.changed, done.withdrawn) == (3, ("a",), ("c",))
    assert await shop.served() == {"a": "1", "b": "1"}
    assert (await shop.editor.history(shop.tenant, 1))[0].note == "rollback to version 1"
    assert await shop.answers(2) == {"a": "2", "b": "1", "c": "1"}
    assert (await shop.back(2)).version == 4
    assert await shop.served() == {"a": "2", "b": "1", "c": "1"}
    with pytest.raises(Conflict, match="same as version 2"):
        await shop.back(2)
    with pytest.raises(NotFound):
        await shop.back(7)


async def test_a_way_back_is_over_what_is_published_and_foreseen_before_it_is_taken(shop: Shop) -> None:
    await shop.publish("a=1")
    await shop.publish("a=2")
    back = await shop.editor.way_back(shop.tenant, None)
    foreseen = await shop.editor.foreseen(shop.tenant, back.revision)
    assert [entry.answers["en"] for entry in foreseen.entries] == ["1"]
    await shop.publish("b=1")
    for taking in (shop.editor.foreseen(shop.tenant, back.revision), shop.editor.rollback(shop.tenant, back, by="bob")):
        with pytest.raises(Conflict):
            await taking
    assert await shop.served() == {"a": "2", "b": "1"}


async def test_the_first_version_has_none_before_it(shop: Shop) -> None:
    with pytest.raises(NotFound, match="no earlier version"):
        await shop.back()
    await shop.publish("a=1")
    with pytest.raises(NotFound, match="no earlier version"):
        await shop.back()


async def test_an_item_that_comes_back_does_not_change_the_others(shop: Shop) -> None:
    await shop.publish("a=1", "b=1")
    await shop.publish("a=2")
    await shop.back()
    versions = await shop.record.versions(shop.tenant)
    assert versions == {"a": 3, "b": 1}
    await shop.publish("c=1")
    assert await shop.record.versions(shop.tenant) == {"a": 3, "b": 1, "c": 1}


async def test_a_draft_on_an_older_version_is_refused_then_rebased(shop: Shop) -> None:
    await shop.publish("a=1", "b=1")
    await shop.take("a=2")
    entries = rows("b=3").entries
    published = await shop.editor.content(shop.tenant)
    await shop.record.publish(
        shop.tenant, [patch.onto(None) for patch in entries] + [published.entries[0]], (), (), NOW, by="bob"
    )
    with pytest.raises(Conflict, match=r"builds on version 1, and version 2 was published since by bob.*rebase"):
        await shop.publish()
    assert (await shop.editor.diff(shop.tenant)).is_stale
    rebased = await shop.editor.rebase(shop.tenant, keep=None, by="ann")
    assert not rebased.is_stale
    assert [change.id for change in rebased.changes] == ["a"]
    assert await shop.publish() == 3
    assert await shop.served() == {"a": "2", "b": "3"}


@pytest.mark.parametrize(("keep", "answer"), [("draft", "2"), ("published", "3")])
async def test_what_both_changed_is_decided_by_a_person(shop: Shop, keep: str, answer: str) -> None:
    await shop.publish("a=1")
    await shop.take("a=2", "z=1")
    (entry,) = (patch.onto(None) for patch in rows("a=3").entries)
    await shop.record.publish(shop.tenant, (entry,), (), (), NOW, by="bob")
    assert (await shop.editor.diff(shop.tenant)).conflicts == ("a",)
    with pytest.raises(Conflict, match="both changed a"):
        await shop.editor.rebase(shop.tenant, keep=None, by="ann")
    await shop.editor.rebase(shop.tenant, keep="draft" if keep == "draft" else "published", by="ann")
    await shop.publish()
    assert await shop.served() == {"a": answer, "z": "1"}


async def test_two_publications_of_one_draft_make_one_version(shop: Shop) -> None:
    await shop.take("a=1")
    done = await asyncio.gather(*(shop.editor.publish(shop.tenant, by=name, note="") for name in "xy"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "Published"]
    assert [one.version for one in await shop.editor.history(shop.tenant)] == [1]


async def test_files_taken_at_the_same_time_are_all_in_the_draft(shop: Shop) -> None:
    await asyncio.gather(*(shop.take(f"{name}=1") for name in "abc"))
    assert {change.id for change in (await shop.editor.diff(shop.tenant)).changes} == {"a", "b", "c"}


async def test_only_the_draft_that_was_looked_at_is_published(shop: Shop) -> None:
    seen = (await shop.take("a=1")).draft
    assert seen is not None
    await shop.take("b=1")
    with pytest.raises(Conflict, match="changed meanwhile"):
        await shop.editor.publish(shop.tenant, by="ann", note="", revision=seen.revision)


async def test_a_discarded_draft_is_gone(shop: Shop) -> None:
    await shop.take("a=1")
    assert await shop.editor.discard(shop.tenant)
    assert not await shop.editor.discard(shop.tenant)
    assert await shop.editor.diff(shop.tenant) == Diff(0, None)


async def test_a_record_from_before_versions_were_kept_has_its_last_one(shop: Shop) -> None:
    await shop.publish("a=1", "b=1")
    async with shop.engine.begin() as connection:
        for table in (publications, publication_changes):
            await connection.execute(delete(table).where(table.c.tenant == shop.tenant))
    assert await shop.publish("a=2") == 2
    assert [one.version for one in await shop.editor.history(shop.tenant)] == [2, 1]
    await shop.back(1)
    assert await shop.served() == {"a": "1", "b": "1"}


async def test_many_rows_are_written_in_batches(shop: Shop) -> None:
    many = [f"e{number}={number}" for number in range(1200)]
    await shop.take(*many)
    await shop.publish()
    await shop.take(*many[:-1], "extra=1", replacing=True)
    assert await shop.publish() == 2
    assert len(await shop.served()) == 1200


async def test_an_accepted_proposal_is_in_the_draft(shop: Shop) -> None:
    await shop.publish("a=1", "b=1")
    for text in ("换个问法", "b zh?"):
        await shop.proposals.keep(shop.tenant, Variant("a", "zh", text), NOW)
    good, bad = (proposal_id(Variant("a", "zh", text)) for text in ("换个问法", "b zh?"))
    await shop.editor.accept(shop.tenant, good, by="ann")
    _, content = await shop.editor.drafted(shop.tenant)
    assert content.entries[0].questions["zh"] == ("a zh?", "换个问法")
    with pytest.raises(Unreadable, match="belongs to the entries a and b"):
        await shop.editor.accept(shop.tenant, bad, by="ann")
    assert [one.id for one in await shop.proposals.list(shop.tenant, "proposed", 9)] == [bad]
    await shop.editor.reject(shop.tenant, bad, by="ann")
    with pytest.raises(Conflict, match="rejected already"):
        await shop.editor.reject(shop.tenant, bad, by="ann")
    with pytest.raises(NotFound):
        await shop.editor.accept(f"{shop.tenant}-other", good, by="ann")


async def test_proposals_are_counted_and_decided(engine: AsyncEngine) -> None:
    for proposals in (MemoryProposals(), SqlProposals(engine)):
        tenant, later = uuid4().hex, NOW + timedelta(hours=1)
        often, seldom = Variant("a", "zh", "换个问法"), Variant("b", "en", "another way")
        for variant, at in ((seldom, NOW), (often, NOW), (replace(often, text="请问换个问法？"), later)):
            await proposals.keep(tenant, variant, at)
        first, second = await proposals.list(tenant, "proposed", 9)
        assert (first.variant, first.count, first.first_seen, first.last_seen) == (often, 2, NOW, later)
        assert (second.variant, second.count) == (seldom, 1)
        assert await proposals.list(tenant, "proposed", 1) == [first]
        assert await proposals.list("other", "proposed", 9) == []
        await proposals.decide(tenant, first.id, "rejected", "ann", later)
        await proposals.keep(tenant, often, later)
        kept = await proposals.find(tenant, first.id)
        assert kept == replace(first, count=3, state="rejected", decided_by="ann", decided_at=later)
        assert await proposals.find("other", first.id) is None
        assert [one.id for one in await proposals.list(tenant, "proposed", 9)] == [second.id]


async def test_what_a_start_published_is_remembered(shop: Shop) -> None:
    assert await shop.drafts.folder(shop.tenant) is None
    for folder in (FromFolder("demo", "x", 1), FromFolder("folder", "y", 2)):
        await shop.drafts.remember_folder(shop.tenant, folder)
        assert await shop.drafts.folder(shop.tenant) == folder


async def test_changed_questions_that_nobody_will_answer_are_told(shop: Shop) -> None:
    await shop.publish("my-parcel=x")
    found = await shop.take("my-order=x", "hats=y")
    assert {doubt.partition(":")[0] for doubt in found.doubts} == {
        "my-order answers everybody's 'my-order zh?'",
        "my-order answers everybody's 'my-order en?'",
    }
    await shop.editor.discard(shop.tenant)
    assert (await shop.take("my-parcel=another answer")).doubts == ()


async def test_a_question_taken_from_an_entry_that_no_file_names_is_told_with_its_place(shop: Shop) -> None:
    await shop.publish("a=x", "b=x")
    stolen = read_csv("faq.csv", "id,language,questions,answer\na,en,Please: B en,x\n", "UTC")
    with pytest.raises(Unreadable) as error:
        await shop.editor.take(shop.tenant, stolen, replacing=False, by="ann")
    assert "faq.csv:2: " in str(error.value)
    assert "'Please: B en'" in str(error.value)
    assert "'b en?'" in str(error.value)


async def test_what_is_withdrawn_goes_with_the_next_publication(shop: Shop) -> None:
    await shop.publish("a=x", "b=x")
    found = await shop.editor.withdraw(shop.tenant, ["a"], by="ann")
    assert [(change.id, change.what) for change in found.changes] == [("a", "withdrawn")]
    with pytest.raises(NotFound, match="template or policy a:"):
        await shop.editor.withdraw(shop.tenant, ["a", "b"], by="ann")
    await shop.publish()
    assert await shop.served() == {"b": "x"}


async def test_an_accepted_variant_that_is_taken_out_again_is_proposed_again(shop: Shop) -> None:
    await shop.publish("a=1")
    variant = Variant("a", "zh", "换个问法")
    await shop.proposals.keep(shop.tenant, variant, NOW)

    async def accepted() -> None:
        await shop.editor.accept(shop.tenant, proposal_id(variant), by="ann")
        assert await shop.proposals.list(shop.tenant, "proposed", 9) == []

    await accepted()
    await shop.take("a=2")
    assert [one.variant for one in await shop.proposals.list(shop.tenant, "proposed", 9)] == [variant]
    await accepted()
    await shop.editor.discard(shop.tenant)
    assert [one.variant for one in await shop.proposals.list(shop.tenant, "proposed", 9)] == [variant]


async def test_only_so_many_variants_wait_for_a_person(engine: AsyncEngine) -> None:
    for proposals in (MemoryProposals(2), SqlProposals(engine, 2)):
        tenant, variants = uuid4().hex, [Variant("a", "zh", text) for text in ("一", "二", "三")]
        for variant in (*variants, variants[0]):
            await proposals.keep(tenant, variant, NOW)
        waiting = await proposals.list(tenant, "proposed", 9)
        assert [(one.variant.text, one.count) for one in waiting] == [("一", 2), ("二", 1)]
        await proposals.decide(tenant, proposal_id(variants[0]), "rejected", "ann", NOW)
        await proposals.keep(tenant, variants[2], NOW)
        assert len(await proposals.list(tenant, "proposed", 9)) == 2


async def test_a_derived_entry_is_doubted_when_its_source_changes_and_a_person_confirms_it(shop: Shop) -> None:
    await shop.publish("a=1", "b=2")
    made = Entry(
        "asked-1", 0, Intent.OTHER, {"zh": ("谁",), "en": ("who",)}, {"zh": "一", "en": "1"},
        derived_from=(SourceVersion("a", 1),),
    )  # fmt: skip
    await shop.editor.put(shop.tenant, made, by="ann")
    assert (await shop.editor.diff(shop.tenant)).doubts == ()
    await shop.publish()
    assert "asked-1" in await shop.served()
    drafted = await shop.take("a=9", "b=3")
    assert [doubt.split(",")[0] for doubt in drafted.doubts] == ["asked-1 was made of a"]
    await shop.publish()
    assert sorted(await shop.served()) == ["a", "b"]
    assert await shop.editor.withheld(shop.tenant) == {"asked-1"}
    with pytest.raises(Conflict, match="not derived"):
        await shop.editor.confirm(shop.tenant, ["a"], by="ann")
    with pytest.raises(NotFound):
        await shop.editor.confirm(shop.tenant, ["none"], by="ann")
    confirmed = await shop.editor.confirm(shop.tenant, ["asked-1"], by="ann")
    assert confirmed.doubts == ()
    assert [(field.name, field.after) for field in confirmed.changes[0].fields] == [("derived_from", "a (version 2)")]
    await shop.publish()
    assert sorted(await shop.served()) == ["a", "asked-1", "b"]
    await shop.editor.withdraw(shop.tenant, ["a"], by="ann")
    await shop.publish()
    with pytest.raises(Conflict, match="not published any more"):
        await shop.editor.confirm(shop.tenant, ["asked-1"], by="ann")
