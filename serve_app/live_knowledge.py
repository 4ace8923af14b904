"""Each tenant's published knowledge in this process, never older than a heartbeat while the record answers."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import numpy
from numpy.typing import NDArray

from serve_app import tracing
from serve_app.adapters.entry_classifier import EntryClassifier
from serve_app.adapters.vector_file import VectorFile
from serve_app.domain.errors import NotReady, StoreFailed
from serve_app.domain.knowledge import Found, Lookup
from serve_app.knowledge import KnowledgeIndex
from serve_app.meaning import Train
from serve_app.ports import Clock, Embedder, KnowledgeRecord

logger = logging.getLogger(__name__)

# Texts that wait for their embedding, 20 to 40 ms each. A later one would come about when its asker's patience ends
# (deadlines.cache_ms): it is not compared, at once.
WAITING_MAX = 12
SILENCE_MAX_S = 30.0  # a record that is away for longer makes the room unhealthy
EMBEDDED_AT_ONCE = 4  # questions; a customer's text waits for no more than these
START_MAX_S = 120.0  # a start waits so long until everything can be offered; the rest follows while it answers
CATCH_UP_S = 0.5  # an asker that has seen a publication first waits so long until this room has seen it, too
OFFERED_EVERY_S = 30.0  # while ten thousand questions are embedded, those that are ready are offered now and then
TEACH_AGAIN_S = 300.0  # after a training that failed

_T = TypeVar("_T")


class LiveKnowledge:
    """The port `CacheRoom`, in process. `make_embedder` loads a model, so it is called off the event loop, once."""

    def __init__(
        self,
        record: KnowledgeRecord,
        tenants: Iterable[str],
        make_embedder: Callable[[], Embedder],
        clock: Clock,
        heartbeat_s: float,
        vectors: VectorFile,
        train: Train = EntryClassifier.train,
        *,
        meaning_answers: bool = True,
    ) -> None:
        """`meaning_answers`: an entry whose wordings lie near answers when the gates agree; else it is offered first."""
        self._record = record
        self._tenants = tuple(tenants)
        self._make_embedder = make_embedder
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._vectors = vectors
        self._train = train
        self._meaning_answers = meaning_answers
        self._teaching: asyncio.Task[None] | None = None
        self._teach_from: dict[str, float] = {}
        self._known: dict[str, NDArray[numpy.float32]] = {}  # vectors of the questions that are published
        self._kept: frozenset[str] = frozenset()  # whose vectors stand in the file
        self._unembedded: list[str] = []
        self._offered_at = clock.monotonic()
        self._indices: dict[str, KnowledgeIndex] = {}
        self._versions: dict[str, int] = {}
        self._heard_at = clock.monotonic()
        self._embedding_now: dict[str, asyncio.Future[NDArray[numpy.float32]]] = {}
        # One thread: the model uses every core for one text already.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedding")
        self._start = asyncio.Lock()
        self._embedder: Embedder | None = None
        self._heartbeat: asyncio.Task[None] | None = None
        self._behind = asyncio.Event()
        self._refreshed = asyncio.Condition()

    async def start(self) -> None:
        """Returns when every tenant's index answers all that is published now, and offers it, or `START_MAX_S` have passed.

        Idempotent. Raises ConfigError, StoreFailed.
        """
        async with self._start:
            if self._heartbeat is None:
                embedder = self._embedder = self._embedder or await self._in_thread(self._make_embedder)
                self._known = await self._in_thread(lambda: self._vectors.load(embedder.name))
                self._kept = frozenset(self._known)
                await self._refresh(embedder)
                give_up_at = self._clock.monotonic() + START_MAX_S
                while self._clock.monotonic() < give_up_at and await self._learn(embedder):
                    pass
                self._heartbeat = asyncio.create_task(self._beat(embedder))

    async def look_up(self, lookup: Lookup) -> Found:
        """What answers, in microseconds; else suggestions and passages, after 20 to 40 ms. An unknown tenant has neither."""
        await self.start()
        if self._versions.get(lookup.tenant, lookup.at_least) < lookup.at_least:
            await self._catch_up(lookup)
        index = self._indices.get(lookup.tenant)
        if index is None:
            return Found()
        with tracing.tracer().start_as_current_span("cache.look_up", context=tracing.incoming(lookup.trace)) as span:
            found = index.answer(lookup)
            span.set_attribute("zerowait.answered", found is not None)
            if found is not None:
                return found
            # Where nothing is offered there is nothing to compare the text with.
            if not index.vectors:
                return index.near(lookup, None)
            vector = await self._embedding(lookup.text)
            return replace(index.near(lookup, vector, answers=self._meaning_answers), partial=vector is None)

    async def check(self) -> None:
        """Starts if need be. Raises NotReady while the record has been away for long, and what `start` raises."""
        await self.start()
        silent_s = self._clock.monotonic() - self._heard_at
        if silent_s > SILENCE_MAX_S or (self._heartbeat is not None and self._heartbeat.done()):
            raise NotReady(f"The record of the knowledge has not been read for {silent_s:.0f} s.", retry_after_s=5)

    async def aclose(self) -> None:
        for task in (self._heartbeat, self._teaching):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _embedding(self, text: str) -> NDArray[numpy.float32] | None:
        """None when too many texts wait already. Those who ask the same at once share one embedding, and so find the same."""
        embedder = self._embedder
        vectors = self._embedding_now.get(text)
        if vectors is None:
            if embedder is None or len(self._embedding_now) >= WAITING_MAX:
                return None
            vectors = asyncio.get_running_loop().run_in_executor(self._thread, lambda: embedder.embed([text]))
            self._embedding_now[text] = vectors
            vectors.add_done_callback(lambda _: self._embedding_now.pop(text))
        # Whoever goes away takes nothing from the others.
        return (await asyncio.shield(vectors))[0]

    async def _catch_up(self, lookup: Lookup) -> None:
        """The next heartbeat comes at once. When it brings nothing in time, what is here has to do: the asker sees its age."""
        self._behind.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP_S), self._refreshed:
                await self._refreshed.wait_for(lambda: self._versions[lookup.tenant] >= lookup.at_least)

    async def _beat(self, embedder: Embedder) -> None:
        while True:
            if not await self._learn(embedder):
                self._teach()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._behind.wait(), self._heartbeat_s)
            self._behind.clear()
            try:
                await self._refresh(embedder)
            except StoreFailed as error:
                logger.warning("the knowledge cannot be read again, the last one is kept: %s", error)
            async with self._refreshed:
                self._refreshed.notify_all()

    async def _refresh(self, embedder: Embedder) -> None:
        is_news = False
        for tenant in self._tenants:
            # Asked first: what is published while the rest is read is seen at the next beat.
            version = await self._record.version(tenant)
            if self._versions.get(tenant) != version:
                entries, templates = await self._record.published(tenant)
                # Embedding thousands of questions takes minutes; what they answer does not wait for it.
                make = functools.partial(
                    KnowledgeIndex, entries, templates, self._known, embedder.related_from, self._indices.get(tenant)
                )
                # Beside the embedding thread: customers' texts do not wait for it.
                self._indices[tenant] = await asyncio.to_thread(make)
                self._versions[tenant] = version
                is_news = True
                logger.info("tenant %s: %d entries, %d templates, version %d", tenant, len(entries), len(templates), version)
        self._heard_at = self._clock.monotonic()
        if is_news:
            texts = (text for index in self._indices.values() for text in index.unembedded())
            self._unembedded = list(dict.fromkeys(texts))
            if not self._unembedded:
                await self._keep_vectors(embedder.name)

    async def _learn(self, embedder: Embedder) -> bool:
        """Embeds some of the questions that have no vector yet; False when there are none."""
        some, self._unembedded = self._unembedded[:EMBEDDED_AT_ONCE], self._unembedded[EMBEDDED_AT_ONCE:]
        if not some:
            return False
        vectors = await self._in_thread(lambda: embedder.embed(some))
        self._known.update(zip(some, vectors, strict=True))
        now = self._clock.monotonic()
        if not self._unembedded or now >= self._offered_at + OFFERED_EVERY_S:
            for tenant, index in self._indices.items():
                self._indices[tenant] = await asyncio.to_thread(index.with_vectors, self._known)
            self._offered_at = now
            await self._keep_vectors(embedder.name)
        return True

    def _teach(self) -> None:
        """Classifiers for the indices that have wordings enough, in their own time: until then nearness alone decides less."""
        now = self._clock.monotonic()
        untaught = {t: index for t, index in self._indices.items() if index.may_learn and now >= self._teach_from.get(t, now)}
        if untaught and (self._teaching is None or self._teaching.done()):
            self._teaching = asyncio.create_task(self._taught(untaught))

    async def _taught(self, untaught: dict[str, KnowledgeIndex]) -> None:
        for tenant, index in untaught.items():
            try:
                learnt = await asyncio.to_thread(index.learnt, self._train)
            except Exception:  # whatever a training may raise, questions are answered without it
                self._teach_from[tenant] = self._clock.monotonic() + TEACH_AGAIN_S
                logger.exception("tenant %s: no classifier of the wordings, tried again in %.0f s", tenant, TEACH_AGAIN_S)
                continue
            if self._indices.get(tenant) is index:  # nothing was published meanwhile
                self._indices[tenant] = learnt

    async def _keep_vectors(self, model: str) -> None:
        vectors = {text: vector for index in self._indices.values() for text, vector in index.vectors.items()}
        if vectors.keys() != self._kept:
            await self._in_thread(lambda: self._vectors.save(model, vectors))
        self._kept = frozenset(vectors)
        if not self._unembedded:
            self._known = vectors

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
