"""The Cache room's knowledge stays current, and says so when it cannot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.fake_embedder import FakeEmbedder
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.adapters.vector_file import VectorFile
from serve_app.domain.errors import NotReady, StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Found, Lookup
from serve_app.domain.messages import Kind
from serve_app.live_knowledge import EMBEDDED_AT_ONCE, OFFERED_EVERY_S, SILENCE_MAX_S, TEACH_AGAIN_S, WAITING_MAX, LiveKnowledge

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ENTRY = Entry("fee", 0, Intent.SHIPPING_FEE, {"zh": ("运费多少",), "en": ("how much is it",)}, {"zh": "包邮。", "en": "Free."})


class SteppedClock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds


class SlowEmbedder(FakeEmbedder):
    """Embeds when the test lets it."""

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.stops_after_one = False

    def embed(self, texts: Sequence[str]) -> Any:
        self.may_go_on.wait(timeout=30)
        if self.stops_after_one:
            self.may_go_on.clear()
        self.embedded += texts
        return super().embed(texts)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = connect(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}")
    await create_tables(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def record(engine: AsyncEngine) -> SqlKnowledge:
    return SqlKnowledge(engine)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def embedder() -> SlowEmbedder:
    return SlowEmbedder()


@pytest.fixture
def vectors(tmp_path: Path) -> VectorFile:
    return VectorFile(tmp_path / "data" / "vectors.npz")


@pytest.fixture
async def live(
    record: SqlKnowledge, clock: SteppedClock, embedder: SlowEmbedder, vectors: VectorFile
) -> AsyncIterator[LiveKnowledge]:
    live = LiveKnowledge(record, ["demo"], lambda: embedder, clock, 0.005, vectors)
    yield live
    embedder.may_go_on.set()
    await live.aclose()


def ask(text: str = "运费多少", tenant: str = "demo", intent: Intent = Intent.OTHER) -> Lookup:
    return Lookup(tenant, text, text, intent, Kind.PUBLIC, "zh", NOW)


async def until(live: LiveKnowledge, answer: str | None) -> None:
    """Waits until the live knowledge gives this answer; the suite's time limit ends a vain wait."""
    while True:
        found = await live.look_up(ask())
        if (found.entry and found.entry.answers["zh"]) == answer:
            return
        await asyncio.sleep(0.005)


async def test_it_is_ready_with_everything_that_is_published(live: LiveKnowledge, record: SqlKnowledge) -> None:
    await record.publish("demo", [ENTRY], [], [], NOW)
    await live.check()
    found = await live.look_up(ask())
    assert found.entry == replace(ENTRY, version=1)


async def test_a_publication_is_seen_without_a_restart(live: LiveKnowledge, record: SqlKnowledge) -> None:
    await live.check()
    assert await live.look_up(ask()) == Found()
    await record.publish("demo", [ENTRY], [], [], NOW)
    await until(live, "包邮。")
    await record.publish("demo", [replace(ENTRY, answers={"zh": "八元。", "en": "Eight."})], [], [], NOW)
    await until(live, "八元。")
    await record.publish("demo", [], [], [], NOW)
    await until(live, None)


async def test_an_asker_that_has_seen_a_publication_first_waits_for_it(
    record: SqlKnowledge, clock: SteppedClock, embedder: SlowEmbedder, vectors: VectorFile
) -> None:
    slow = LiveKnowledge(record, ["demo"], lambda: embedder, clock, 3600, vectors)
    await slow.check()
    await record.publish("demo", [ENTRY], [], [], NOW)
    assert (await slow.look_up(ask())).entry is None
    seen = replace(ask(), at_least=await record.version("demo"))
    found = await asyncio.gather(*(slow.look_up(seen) for _ in range(3)))
    assert [one.entry and one.entry.version for one in found] == [1, 1, 1]
    assert (await slow.look_up(replace(seen, at_least=99))).entry is not None, "what never comes is not waited for for ever"
    await slow.aclose()


async def test_a_text_is_embedded_only_where_something_is_offered(
    live: LiveKnowledge, record: SqlKnowledge, embedder: SlowEmbedder
) -> None:
    await record.publish("demo", [replace(ENTRY, suggested=False)], [], [], NOW)
    assert await live.look_up(ask("别的问题")) == Found()
    assert embedder.embedded == []


async def test_an_unknown_tenant_finds_nothing(live: LiveKnowledge, record: SqlKnowledge) -> None:
    await record.publish("other", [ENTRY], [], [], NOW)
    assert await live.look_up(ask(tenant="other")) == Found()


async def test_it_does_not_start_without_the_record(clock: SteppedClock, vectors: VectorFile, tmp_path: Path) -> None:
    engine = connect(f"sqlite+aiosqlite:///{tmp_path / 'no-tables.db'}")
    live = LiveKnowledge(SqlKnowledge(engine), ["demo"], FakeEmbedder, clock, 0.005, vectors)
    with pytest.raises(StoreFailed):
        await live.check()
    await create_tables(engine)
    await live.check()
    await live.aclose()
    await engine.dispose()


async def test_a_record_that_stays_away_makes_it_unhealthy_and_keeps_the_last_answers(
    live: LiveKnowledge, record: SqlKnowledge, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record.publish("demo", [ENTRY], [], [], NOW)
    await live.check()
    asked = asyncio.Event()

    async def away(tenant: str) -> int:
        asked.set()
        raise StoreFailed("away")

    monkeypatch.setattr(record, "version", away)
    await asked.wait()
    clock.seconds += SILENCE_MAX_S
    await live.check()
    clock.seconds += 1
    with pytest.raises(NotReady):
        await live.check()
    assert (await live.look_up(ask())).entry is not None
    monkeypatch.undo()
    await until_healthy(live)


async def until_healthy(live: LiveKnowledge) -> None:
    while True:
        try:
            return await live.check()
        except NotReady:
            await asyncio.sleep(0.005)


async def test_exact_answers_do_not_wait_for_embeddings_and_the_queue_is_bounded(
    live: LiveKnowledge, record: SqlKnowledge, embedder: SlowEmbedder
) -> None:
    await record.publish("demo", [ENTRY], [], [], NOW)
    await live.check()
    embedder.may_go_on.clear()
    waiting = [asyncio.create_task(live.look_up(ask(f"运费多少钱{n}", intent=Intent.SHIPPING_FEE))) for n in range(WAITING_MAX)]
    await asyncio.sleep(0)
    assert (await live.look_up(ask())).entry is not None
    beyond = await live.look_up(ask("运费多少钱", intent=Intent.SHIPPING_FEE))
    assert ([one.id for one in beyond.suggestions], beyond.partial) == (["fee"], True)
    assert not any(task.done() for task in waiting)
    embedder.may_go_on.set()
    found = await asyncio.gather(*waiting)
    assert {(one.suggestions[0].id, one.partial) for one in found} == {("fee", False)}


async def test_any_number_of_equal_questions_share_one_embedding_and_find_the_same(
    live: LiveKnowledge, record: SqlKnowledge, embedder: SlowEmbedder
) -> None:
    await record.publish("demo", [ENTRY], [], [], NOW)
    await live.check()
    embedder.may_go_on.clear()
    everybody = [asyncio.create_task(live.look_up(ask("运费多少才合适"))) for _ in range(3 * WAITING_MAX)]
    await asyncio.sleep(0)
    everybody.pop(0).cancel()
    embedder.may_go_on.set()
    found = await asyncio.gather(*everybody)
    assert embedder.embedded.count("运费多少才合适") == 1
    assert {tuple(one.id for one in it.suggestions) for it in found} == {("fee",)}


async def test_questions_answer_before_they_are_embedded_and_are_offered_as_they_come(
    live: LiveKnowledge, record: SqlKnowledge, clock: SteppedClock, embedder: SlowEmbedder, vectors: VectorFile
) -> None:
    await live.check()
    embedder.may_go_on.clear()
    many = [replace(ENTRY, id=f"e{n}", questions={"zh": (f"问{n}",), "en": (f"ask {n}",)}) for n in range(EMBEDDED_AT_ONCE)]
    await record.publish("demo", [ENTRY, *many], [], [], NOW)
    await until(live, "包邮。")
    clock.seconds += OFFERED_EVERY_S
    embedder.stops_after_one = True
    embedder.may_go_on.set()
    while not vectors.load("fake"):
        await asyncio.sleep(0.005)
    asker = asyncio.create_task(live.look_up(ask("ask 3 ?")))
    await asyncio.sleep(0)
    embedder.stops_after_one = False
    embedder.may_go_on.set()
    offered = {one.id for one in (await asker).suggestions}
    assert offered, "the first few are offered"
    assert "e3" not in offered, "it is not embedded yet"
    while (found := await live.look_up(ask("ask 3 ?"))).entry is None:
        await asyncio.sleep(0.005)
    assert found.entry.id == "e3"
    await live.check()


async def test_a_publication_amid_embedding_is_seen(live: LiveKnowledge, record: SqlKnowledge, embedder: SlowEmbedder) -> None:
    await live.check()
    many = [replace(ENTRY, id=f"e{n}", questions={"zh": (f"问{n}",), "en": (f"ask {n}",)}) for n in range(50)]
    await record.publish("demo", many, [], [], NOW)
    await record.publish("demo", [ENTRY], [], [], NOW)
    await until(live, "包邮。")
    while not (await live.look_up(ask("how much ?"))).suggestions:
        await asyncio.sleep(0.005)
    assert len(embedder.embedded) >= 2


async def test_a_second_start_embeds_only_what_is_new_and_customers_words_are_not_kept(
    live: LiveKnowledge, record: SqlKnowledge, clock: SteppedClock, vectors: VectorFile, tmp_path: Path
) -> None:
    await record.publish("demo", [ENTRY], [], [], NOW)
    await live.look_up(ask("a customer's words"))
    assert set(vectors.load("fake")) == {"运费多少", "how much is it"}
    await live.aclose()
    other = replace(ENTRY, questions={"zh": ("运费多少", "邮费多少"), "en": ("what does it cost",)})
    await record.publish("demo", [other], [], [], NOW)
    again = SlowEmbedder()
    second = LiveKnowledge(record, ["demo"], lambda: again, clock, 60, vectors)
    await second.check()
    await second.aclose()
    assert sorted(again.embedded) == ["what does it cost", "邮费多少"]
    assert set(vectors.load("fake")) == {"运费多少", "邮费多少", "what does it cost"}


@pytest.mark.parametrize("content", [b"", b"not a file of vectors", b"PK\x03\x04 broken"])
async def test_an_unreadable_file_of_vectors_holds_nothing(vectors: VectorFile, tmp_path: Path, content: bytes) -> None:
    assert vectors.load("fake") == {}
    vectors.save("fake", {"text": numpy.ones(3, dtype=numpy.float32)})
    assert vectors.load("other model") == {}
    (tmp_path / "data" / "vectors.npz").write_bytes(content)
    assert vectors.load("fake") == {}


async def test_vectors_that_cannot_be_kept_are_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    VectorFile(tmp_path / "file" / "vectors.npz").save("fake", {"text": numpy.ones(3, dtype=numpy.float32)})


async def test_a_lookup_is_a_span_under_the_questions_trace(live: LiveKnowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr("serve_app.tracing.tracer", lambda: provider.get_tracer("zerowait"))
    trace_id, parent_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    await live.look_up(replace(ask(), trace={"traceparent": f"00-{trace_id}-{parent_id}-01"}))
    (span,) = spans.get_finished_spans()
    assert span.name == "cache.look_up"
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (trace_id, parent_id)


async def test_where_wordings_are_many_a_classifier_is_trained_beside_the_answering(
    record: SqlKnowledge, clock: SteppedClock, vectors: VectorFile
) -> None:
    topics = ("card", "loan", "branch")
    entries = [
        Entry(topic, 0, Intent.OTHER, {"zh": (topic,), "en": worded}, {"zh": topic, "en": topic})
        for topic in topics
        for worded in [tuple(f"{topic} {letter}{letter}" for letter in "abcdefghijklmnopqrstuvw")]
    ]
    await record.publish("demo", entries, [], [], NOW)
    may_train, asked = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    class Certain:
        def best(self, vector: Any) -> tuple[str, float]:
            return "card", 1.0

    def train(_vectors: Any, labels: Sequence[str]) -> Certain:
        assert set(labels) == set(topics)
        loop.call_soon_threadsafe(asked.set)
        may_train.wait(timeout=30)
        return Certain()

    live = LiveKnowledge(record, ["demo"], FakeEmbedder, clock, 0.005, vectors, train)
    lookup = replace(ask("card zz card"), language="en")
    try:
        await live.check()
        await asked.wait()
        assert (await live.look_up(lookup)).entry is None
        may_train.set()
        while (found := await live.look_up(lookup)).entry is None:
            await asyncio.sleep(0)
        assert found.entry.id == "card"
    finally:
        may_train.set()
        await live.aclose()


async def test_a_training_that_fails_is_told_once_and_tried_again_later(
    record: SqlKnowledge, clock: SteppedClock, vectors: VectorFile, caplog: pytest.LogCaptureFixture
) -> None:
    letters = "abcdefghijklmnopqrstuvw"
    entries = [
        Entry(
            topic, 0, Intent.OTHER, {"zh": (topic,), "en": tuple(f"{topic} {a}{a}" for a in letters)}, {"zh": "好", "en": topic}
        )
        for topic in ("card", "loan", "branch")
    ]
    await record.publish("demo", entries, [], [], NOW)
    tries: list[float] = []

    def train(_vectors: Any, _labels: Sequence[str]) -> Any:
        tries.append(clock.seconds)
        raise ValueError("no two classes")

    live = LiveKnowledge(record, ["demo"], FakeEmbedder, clock, 0.005, vectors, train)

    async def told(times: int) -> None:
        while sum("no classifier" in message for message in caplog.messages) < times:
            await asyncio.sleep(0.01)

    try:
        await live.check()
        await told(1)
        await record.publish("demo", [*entries[1:], replace(entries[0], answers={"zh": "好", "en": "Yes."})], [], [], NOW)
        # A heartbeat passes, which sees what is published.
        await live.look_up(replace(ask("card aa"), at_least=await record.version("demo"), language="en"))
        assert len(tries) == 1
        clock.seconds += TEACH_AGAIN_S
        await told(2)
        assert len(tries) == 2
    finally:
        await live.aclose()


async def test_what_is_meant_may_only_be_offered(record: SqlKnowledge, clock: SteppedClock, vectors: VectorFile) -> None:
    await record.publish("demo", [ENTRY], [], [], NOW)
    live = LiveKnowledge(record, ["demo"], FakeEmbedder, clock, 60, vectors, meaning_answers=False)
    try:
        found = await live.look_up(ask("运费是多少钱"))
        assert found.entry is None
        assert [one.id for one in found.suggestions] == ["fee"]
    finally:
        await live.aclose()
