"""Answers under way in this process's memory: a fake for tests, under the same contract tests as Redis. It forgets nothing by
itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field

from serve_app.domain.live import Note, Talk, Told

_INBOX_MAX = 10_000

Message = tuple[Talk, Sequence[Told] | Note]


@dataclass(slots=True)
class MemoryStore:
    """What several processes share."""

    answers: dict[tuple[Talk, str], list[Told]] = field(default_factory=dict[tuple[Talk, str], list[Told]])
    processes: list[MemoryLive] = field(default_factory=list["MemoryLive"])


class MemoryLive:
    """The port `LiveAnswers`. Objects over one `store` are processes of one cluster."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self._store = store or MemoryStore()
        self._store.processes.append(self)
        self._talks: set[Talk] = set()
        self._inbox: asyncio.Queue[Message | None] = asyncio.Queue(_INBOX_MAX)
        self._inbox.put_nowait(None)

    async def tell(self, talk: Talk, answer_id: str, events: Sequence[Told]) -> int:
        """See the port."""
        stored = self._store.answers.setdefault((talk, answer_id), [])
        if events[0].seq > len(stored) + 1:
            return len(stored)
        stored += [event for event in events if event.seq > len(stored)]
        self._pass_on(talk, tuple(events))
        return len(stored)

    async def told(self, talk: Talk, answer_id: str, after_seq: int) -> Sequence[Told] | None:
        """See the port."""
        stored = self._store.answers.get((talk, answer_id))
        return stored[after_seq:] if stored else None

    async def under_way(self, talk: Talk) -> Mapping[str, int]:
        """See the port."""
        return {
            answer_id: len(stored)
            for (its, answer_id), stored in self._store.answers.items()
            if its == talk and stored and not stored[-1].last
        }

    async def forget(self, talk: Talk, answer_id: str) -> None:
        """See the port."""
        self._store.answers.pop((talk, answer_id), None)

    async def say(self, talk: Talk, note: Note) -> None:
        """See the port."""
        self._pass_on(talk, note)

    async def listen(self, talk: Talk) -> None:
        """See the port."""
        self._talks.add(talk)

    async def ignore(self, talk: Talk) -> None:
        """See the port."""
        self._talks.discard(talk)

    async def heard(self) -> AsyncGenerator[Message | None, None]:
        """See the port."""
        while True:
            yield await self._inbox.get()

    def interrupt(self) -> None:
        """As when a connection was away: something may have been missed."""
        self._inbox.put_nowait(None)

    def _pass_on(self, talk: Talk, message: Sequence[Told] | Note) -> None:
        for process in self._store.processes:
            if process is not self and talk in process._talks:
                process._inbox.put_nowait((talk, message))
