"""What stands in for Redis keeps so much, and ends what waits in a conversation that it drops."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from serve_app.adapters.stand_in_sessions import StandInSessions
from serve_app.domain.live import Talk
from serve_app.domain.question import Focus
from tests.contract.sessions.keeping import answer, ask, start


async def test_a_question_that_waits_in_a_conversation_that_is_dropped_ends():
    stand_in, first = StandInSessions(turn_wait_s=10, turns_shown=60), start()
    talk = Talk("demo", first.session_id)
    await stand_in.admit(talk, "C1001", apart=False)
    begun = await stand_in.begin(first)
    waiting = asyncio.create_task(stand_in.begin(ask(first.session_id)))
    await asyncio.sleep(0.01)  # so that it waits; if it came later, there would be no conversation to wait in
    await stand_in.abandon(talk, begun.number)
    stand_in.forget(talk)
    assert (await waiting).session.apart


async def test_so_many_conversations_are_kept_and_the_oldest_goes_first():
    lost: list[None] = []
    stand_in = StandInSessions(turn_wait_s=1, turns_shown=60, conversations_max=3, lost=lambda: lost.append(None))
    talks = [Talk("demo", uuid4().hex) for _ in range(5)]
    for number, talk in enumerate(talks):
        await stand_in.admit(talk, "C1001", apart=False)
        if number == 0:
            await stand_in.begin(ask(talk.session_id))
    assert [talk in stand_in for talk in talks] == [True, False, False, True, True], "one with a turn in progress stays"
    assert (len(stand_in), len(lost)) == (3, 2)


async def test_so_much_is_kept_and_the_oldest_conversation_goes_first():
    stand_in = StandInSessions(turn_wait_s=1, turns_shown=60, bytes_max=4000)
    talks = [Talk("demo", uuid4().hex) for _ in range(3)]

    async def said(talk: Talk, text: str) -> None:
        begun = await stand_in.begin(ask(talk.session_id))
        await stand_in.finish(talk, begun.number, answer(text), Focus())

    for talk in talks:
        await stand_in.admit(talk, "C1001", apart=False)
        await said(talk, "short")
    assert len(stand_in) == 3
    await said(talks[1], "x" * 4000)
    await said(talks[1], "short")
    assert [talk in stand_in for talk in talks] == [False, True, False], "the one that goes on stays"
    stand_in.forget(talks[1])
    for talk in talks:
        await stand_in.admit(talk, "C1001", apart=False)
        await said(talk, "short")
    assert len(stand_in) == 3, "what is forgotten leaves room"
