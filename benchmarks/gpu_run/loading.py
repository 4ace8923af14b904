"""The load, in a process of its own on cores of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import uvloop

from benchmarks.gpu_run.plans import Asked, Conversation, Session
from benchmarks.gpu_run.visits import Target, Turn, Visit, ask
from benchmarks.load.streams import Streams

CONNECTIONS_READY = 64
OPENED_AT_A_TIME = 16

T = TypeVar("T")
Ask = Callable[[str, Sequence[Turn], str, float], Awaitable[Visit]]  # conversation, its turns, question, when it is due


class Loading:
    """Each call is made there and waited for."""

    def __init__(self, pool: ProcessPoolExecutor, target: Target) -> None:
        self._pool = pool
        self._target = target

    def opened(self, names: Sequence[str], openings: Sequence[Sequence[str]]) -> list[Conversation]:
        """Conversations that have been had so far. Raises RuntimeError where an answer fails."""
        return self._pool.submit(_opened, self._target, names, openings).result()

    def alone(self, conversations: Sequence[Conversation], questions: Sequence[str]) -> list[Visit]:
        """One at a time, each to a conversation of its own."""
        return self._pool.submit(_alone, self._target, conversations, questions).result()

    def branches(self, conversations: Sequence[Conversation], asked: Sequence[Asked]) -> list[Visit]:
        return self._pool.submit(_branches, self._target, conversations, asked).result()

    def sessions(self, sessions: Sequence[Session], until_s: float) -> list[Visit]:
        """No question is begun after `until_s`."""
        return self._pool.submit(_sessions, self._target, sessions, until_s).result()


@contextmanager
def loading(target: Target, cores: frozenset[int]) -> Generator[Loading]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=os.sched_setaffinity, initargs=(0, cores)) as pool:
        yield Loading(pool, target)


def _opened(target: Target, names: Sequence[str], openings: Sequence[Sequence[str]]) -> list[Conversation]:
    async def run(asking: Ask) -> list[Conversation]:
        places = asyncio.Semaphore(OPENED_AT_A_TIME)

        async def one(name: str, questions: Sequence[str]) -> Conversation:
            turns: list[Turn] = []
            async with places:
                for question in questions:
                    visit = await asking(name, turns, question, 0.0)
                    if not visit.is_whole:
                        raise RuntimeError(f"a conversation could not be opened: {visit}")
                    turns.append((question, visit.text))
            return Conversation(name, tuple(turns))

        return list(await asyncio.gather(*(one(name, asked) for name, asked in zip(names, openings, strict=True))))

    return _run(target, run)


def _alone(target: Target, conversations: Sequence[Conversation], questions: Sequence[str]) -> list[Visit]:
    async def run(asking: Ask) -> list[Visit]:
        pairs = zip(conversations, questions, strict=True)
        return [await asking(one.name, one.turns, question, 0.0) for one, question in pairs]

    return _run(target, run)


def _branches(target: Target, conversations: Sequence[Conversation], asked: Sequence[Asked]) -> list[Visit]:
    async def run(asking: Ask) -> list[Visit]:
        async def one(each: Asked) -> Visit:
            conversation = conversations[each.conversation]
            return await asking(conversation.name, conversation.turns, each.question, each.due_s)

        return list(await asyncio.gather(*(one(each) for each in asked)))

    return _run(target, run)


def _sessions(target: Target, sessions: Sequence[Session], until_s: float) -> list[Visit]:
    async def run(asking: Ask) -> list[Visit]:
        async def one(session: Session) -> list[Visit]:
            visits, turns, due_s = list[Visit](), list[Turn](), session.begins_s
            for question, think_s in zip(session.questions, (*session.thinks_s, 0.0), strict=True):
                if due_s >= until_s:
                    break
                visit = await asking(session.name, turns, question, due_s)
                visits.append(visit)
                if not visit.is_whole:
                    break
                turns.append((question, visit.text))
                due_s += visit.ended_s + think_s
            return visits

        return [visit for visits in await asyncio.gather(*(one(session) for session in sessions)) for visit in visits]

    return _run(target, run)


def _run(target: Target, run: Callable[[Ask], Awaitable[T]]) -> T:
    async def within() -> T:
        streams = Streams(target.host, target.port)
        await streams.prepare(CONNECTIONS_READY)
        began = time.perf_counter()

        async def asking(name: str, turns: Sequence[Turn], question: str, due_s: float) -> Visit:
            # Those without an instant of their own are due at once.
            due = began + due_s if due_s else time.perf_counter()
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            late_s = time.perf_counter() - due
            visit = await ask(streams, target, name, turns, question, due_s, due)
            visit.late_s = late_s
            return visit

        try:
            return await run(asking)
        finally:
            streams.close()

    return uvloop.run(within())
