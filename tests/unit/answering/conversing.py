"""What the tests of chats need: answers that go on when they are told to, and sockets that remember what they showed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from serve_app import tracing
from serve_app.adapters.memory_live import MemoryLive, MemoryStore
from serve_app.adapters.memory_sessions import MemorySessions
from serve_app.adapters.system import SystemClock
from serve_app.answering.chat import Chat
from serve_app.answering.in_flight import InFlight
from serve_app.answering.live import Live
from serve_app.answering.reply import Reply
from serve_app.answering.work import Draft, Work
from serve_app.domain.live import Talk
from serve_app.domain.messages import Ask, Caller, Delta, DeskEvent, Kind, Meta, Middle
from serve_app.ports import LiveAnswers

CLOCK = SystemClock()
TALK = Talk("demo", "s")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


class Screen:
    """A socket that shows everything."""

    def __init__(self, customer_id: str | None = None) -> None:
        self.customer_id = customer_id
        self.frames: list[dict[str, Any]] = []

    def show(self, frames: Sequence[str]) -> None:
        self.frames += [json.loads(frame) for frame in frames]

    @property
    def events(self) -> list[str]:
        return [frame["event"] for frame in self.frames]

    def of(self, answer_id: str) -> list[dict[str, Any]]:
        """An answer's events."""
        return [frame for frame in self.frames if frame.get("answer_id") == answer_id and "seq" in frame]

    async def has(self, event: str, count: int = 1) -> None:
        await until(lambda: self.events.count(event) >= count)


class Course:
    """Opens answers when `opens` is set, and says each delta when it is allowed one. `asked`: the questions, as opened."""

    def __init__(self, deltas: int = 3) -> None:
        self.opens = asyncio.Event()
        self.opens.set()
        self.deltas = deltas
        self.allowed = asyncio.Semaphore(1000)
        self.asked: list[Ask] = []
        self.recorded: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.error_within: Exception | None = None
        self.repeats: str | None = None
        self.opening = 0

    async def open(self, ask: Ask, *, new_session: bool) -> Reply:
        assert new_session
        self.asked.append(ask)
        answer_id = f"ans_{len(self.asked)}"
        self.opening += 1
        try:
            await self.opens.wait()
        finally:
            self.opening -= 1
        if self.error is not None:
            raise self.error
        meta = Meta(self.repeats or answer_id, ask.session_id, Kind.PERSONAL, "model", "en")
        work = Work(ask, answer_id, CLOCK, CLOCK.monotonic() + 30, tracing.current())
        work.text = ask.question or f"<{ask.choice}>"

        async def record(reason: str, said: tuple[Middle, ...]) -> None:
            self.recorded.append((reason, "".join(event.text for event in said if isinstance(event, Delta))))

        return Reply(meta, Draft("model", self._body()), work, record)

    async def _body(self) -> AsyncGenerator[Middle, None]:
        for n in range(self.deltas):
            await self.allowed.acquire()
            yield Delta(str(n))
        if self.error_within is not None:
            raise self.error_within


class QuietDesk:
    """A desk; `says` reaches everybody who follows."""

    def __init__(self) -> None:
        self._followers: list[asyncio.Queue[DeskEvent]] = []

    def says(self, event: DeskEvent) -> None:
        for follower in self._followers:
            follower.put_nowait(event)

    async def follow(self, tenant: str, session_id: str) -> AsyncGenerator[DeskEvent, None]:
        del tenant, session_id
        events: asyncio.Queue[DeskEvent] = asyncio.Queue()
        self._followers.append(events)
        try:
            while True:
                yield await events.get()
        finally:
            self._followers.remove(events)

    @property
    def followers(self) -> int:
        return len(self._followers)


class Process:
    """One ingress process."""

    def __init__(self, live: Live, sessions: MemorySessions, desk: QuietDesk) -> None:
        self.live = live
        self.sessions = sessions
        self.desk = desk
        self.running = asyncio.create_task(live.run())

    def chat(self, screen: Screen, course: Course, *, in_flight: int = 100, waiting_max: int = 4, chars_max: int = 200) -> Chat:
        return Chat(
            TALK,
            screen,
            opener=course.open,
            live=self.live,
            in_flight=InFlight(in_flight),
            clock=CLOCK,
            chars_max=chars_max,
            waiting_max=waiting_max,
        )

    def stores_in(self, store: LiveAnswers) -> LiveAnswers:
        """From now on; returns where it stored until now."""
        before = self.live._store  # pyright: ignore[reportPrivateUsage]
        self.live._store = self.live._keeper._store = store  # pyright: ignore[reportPrivateUsage]
        return before

    async def joined(self, customer_id: str | None = None) -> Screen:
        screen = Screen(customer_id)
        await self.live.join(TALK, screen)
        return screen

    async def end(self) -> None:
        await self.live.aclose()
        await self.die()

    async def die(self) -> None:
        """It does nothing more, and says goodbye to nobody."""
        self.running.cancel()
        await asyncio.wait([self.running])


@asynccontextmanager
async def processes(
    count: int = 1, *, grace_s: float = 10.0, store: Callable[[MemoryStore], LiveAnswers] = MemoryLive
) -> AsyncGenerator[list[Process]]:
    """So many processes over one store."""
    shared, sessions = MemoryStore(), MemorySessions()
    await sessions.enter(*TALK, None, new=True)
    desk = QuietDesk()
    made = [Process(Live(store(shared), sessions, desk, grace_s), sessions, desk) for _ in range(count)]
    try:
        yield made
    finally:
        for process in made:
            await process.end()


def message(message_id: str, text: str | None = "hello", **fields: Any) -> Ask:
    return Ask(fields.pop("caller", Caller("demo")), TALK.session_id, message_id, question=text, **fields)
