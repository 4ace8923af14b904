"""Answers that this process gives: their events, as they are numbered, and as they are stored for whoever resumes them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from serve_app.answering.frames import event_frame
from serve_app.domain.errors import StoreFailed
from serve_app.domain.live import Talk, Told
from serve_app.domain.messages import Done, Event, Failed
from serve_app.ports import LiveAnswers

logger = logging.getLogger(__name__)

# An answer with more events is not kept to be resumed, and is told to no other process.
EVENTS_MAX = 20_000
# So many events are stored in one step.
BATCH_MAX = 200
RETRY_S = 0.25
# How long the events of an answer that has ended are tried to be stored.
GIVE_UP_S = 10.0


class Viewer(Protocol):
    """A socket of a conversation."""

    @property
    def customer_id(self) -> str | None: ...

    def show(self, frames: Sequence[str]) -> None:
        """Never waits. A socket that cannot take them is cut."""
        ...


@dataclass(eq=False, slots=True)
class Telling:
    """An answer that this process gives."""

    talk: Talk
    answer_id: str
    customer_id: str | None
    message_ids: tuple[str, ...]
    asker: Viewer
    question: str  # the frame for the others
    tells: Callable[[Telling, Told], None]
    stop: Callable[[], object] = lambda: None
    events: list[Told] = field(default_factory=list[Told])
    stored: int = 0
    ended_at: float | None = None

    def tell(self, event: Event) -> None:
        """To every socket of the conversation. The sockets of this process have it when this returns."""
        seq = len(self.events) + 1
        last = isinstance(event, Done | Failed)
        frame = event_frame(self.answer_id, seq, event, self.message_ids)
        told = Told(self.answer_id, seq, self.customer_id, frame, last, self.question if seq == 1 else None)
        self.events.append(told)
        if last:
            self.ended_at = asyncio.get_running_loop().time()
        self.tells(self, told)


class Keeper:
    """Stores what is told, in order, off everybody's path. What the store does not take is tried again for a while.

    `done` is called when nothing of an answer that has ended is left to be stored.
    """

    def __init__(self, store: LiveAnswers, done: Callable[[Telling], None]) -> None:
        self._store = store
        self._done = done
        self._unstored: dict[Telling, None] = {}
        self._changed = asyncio.Event()

    def add(self, telling: Telling) -> None:
        """Some of its events are new."""
        self._unstored[telling] = None
        self._changed.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            tellings, self._unstored = list(self._unstored), {}
            if not all(await asyncio.gather(*map(self._store_some, tellings))):
                await asyncio.sleep(RETRY_S)

    async def flush(self) -> None:
        """One last time."""
        await asyncio.gather(*map(self._store_some, list(self._unstored)))

    async def _store_some(self, telling: Telling) -> bool:
        """One step for one answer; false when the store failed."""
        try:
            if len(telling.events) > EVENTS_MAX:
                await self._store.forget(telling.talk, telling.answer_id)
                telling.stored = len(telling.events)
            elif events := telling.events[telling.stored : telling.stored + BATCH_MAX]:
                telling.stored = await self._store.tell(telling.talk, telling.answer_id, events)
        except StoreFailed as error:
            if telling.ended_at is not None and asyncio.get_running_loop().time() > telling.ended_at + GIVE_UP_S:
                logger.warning("answer %s cannot be resumed: %s", telling.answer_id, error)
                self._done(telling)
                return True
            self.add(telling)
            return False
        except Exception:
            logger.exception("answer %s cannot be resumed", telling.answer_id)
            telling.stored = len(telling.events)
        if telling.stored < len(telling.events):
            self.add(telling)
        elif telling.ended_at is not None:
            self._done(telling)
        return True
