"""A conversation may be forgotten at any moment in which its turn is not in progress."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from serve_app.adapters.memory_sessions import MemorySessions
from serve_app.adapters.stand_in_sessions import StandInSessions
from serve_app.domain.live import Talk
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord
from tests.contract.sessions.keeping import answer, ask


async def test_a_turn_ends_well_in_a_conversation_that_is_forgotten_meanwhile(monkeypatch: pytest.MonkeyPatch):
    stand_in = StandInSessions(turn_wait_s=1, turns_shown=60)
    talk = Talk("demo", uuid4().hex)
    await stand_in.admit(talk, "C1001", apart=False)
    begun = await stand_in.begin(ask(talk.session_id))
    finish, is_over, goes_on = MemorySessions.finish, asyncio.Event(), asyncio.Event()

    async def suspended(
        self: MemorySessions, tenant: str, session_id: str, number: int, given: AnswerRecord, focus: Focus
    ) -> bool:
        is_written = await finish(self, tenant, session_id, number, given, focus)
        is_over.set()
        await goes_on.wait()
        return is_written

    monkeypatch.setattr(MemorySessions, "finish", suspended)
    finishing = asyncio.create_task(stand_in.finish(talk, begun.number, answer("one"), Focus()))
    await is_over.wait()
    assert stand_in.is_idle(talk)
    stand_in.forget(talk)
    goes_on.set()
    await finishing
    assert talk not in stand_in
