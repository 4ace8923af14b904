"""One process's sessions, over a Redis that may go away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from serve_app.adapters.redis_client import connect
from serve_app.adapters.redis_link import RedisLink
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.adapters.resilient_link import ResilientLink
from serve_app.adapters.resilient_sessions import ResilientSessions
from serve_app.adapters.stand_in_sessions import StandInSessions
from serve_app.config import RedisSettings
from serve_app.domain.errors import NotFound, StoreFailed
from serve_app.domain.session import Begun, QuestionRecord
from tests.contract.sessions.keeping import FOCUS, answer

# An answer's budget in these tests. A busy machine's Redis replies within it.
BUDGET_S = 0.5


@dataclass
class Process:
    """One process's sessions."""

    sessions: ResilientSessions
    calls: ResilientLink
    link: RedisLink

    async def say(self, question: QuestionRecord, text: str) -> Begun:
        """One turn."""
        begun = await self.sessions.begin(question)
        if begun.repeated is None:
            await self.end(question, begun.number, text)
        return begun

    async def end(self, question: QuestionRecord, number: int, text: str) -> bool:
        given = replace(answer(text), answer_id=f"for-{question.message_id}")
        return await self.sessions.finish(question.tenant, question.session_id, number, given, FOCUS)

    async def told(self, question: QuestionRecord) -> list[tuple[str, str | None]]:
        """What stands in the conversation, as its owner reads it."""
        session = await self.sessions.read(question.tenant, question.session_id, question.customer_id)
        assert [turn.number for turn in session.turns] == list(range(1, len(session.turns) + 1))
        return [(turn.question.message_id, turn.answer and turn.answer.text) for turn in session.turns]


@asynccontextmanager
async def process(url: str, budget_s: float = BUDGET_S, failures: int = 3) -> AsyncGenerator[Process]:
    link = connect(RedisSettings(url=url, timeout_ms=1000))
    calls = ResilientLink(link, budget_s=budget_s, failures=failures, reset_s=0.05)
    one, other = (RedisSessions(by, ttl_s=3600, turn_wait_s=10, lease_s=0.5, off_path=link) for by in (calls, link))
    stand_in = StandInSessions(turn_wait_s=10, turns_shown=60)
    sessions = ResilientSessions(one, other, calls, stand_in, turn_wait_s=10, pause_s=0.02)
    giving_back = asyncio.create_task(sessions.run())
    try:
        yield Process(sessions, calls, link)
    finally:
        giving_back.cancel()
        await asyncio.wait([giving_back])
        await sessions.aclose()
        await link.aclose()


async def until(condition: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.01)


def is_told(
    process: Process, question: QuestionRecord, expected: Sequence[tuple[str, str | None]]
) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        try:
            return await process.told(question) == list(expected)
        except (NotFound, StoreFailed):
            return False

    return check
