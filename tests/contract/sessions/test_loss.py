"""Turns that are abandoned, break off or cannot be recorded, with every keeper of sessions."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from serve_app.domain.errors import StoreFailed
from serve_app.domain.question import Focus
from tests.contract.sessions.keeping import Kept, answer, ask, start


async def test_an_abandoned_message_is_answered_anew(kept: Kept):
    question = start()
    await kept.begin(question)
    repeats = [asyncio.create_task(kept.begin(replace(question, answer_id=f"again{n}"))) for n in range(2)]
    await asyncio.sleep(0.05)  # so that they wait; if they came later, the outcome would be the same
    await kept.abandon(question, 1)
    done, waiting = await asyncio.wait(repeats, return_when=asyncio.FIRST_COMPLETED)
    assert (len(done), len(waiting)) == (1, 1), "one of them takes the turn up, the other waits for its answer"
    begun = done.pop().result()
    assert (begun.number, begun.repeated) == (1, None)
    await kept.finish(question, 1, answer("zweite"))
    repeated = (await waiting.pop()).repeated
    assert repeated is not None
    assert repeated.text == "zweite"


async def test_an_abandoned_turn_stays_in_the_transcript_unanswered(kept: Kept):
    question = start()
    await kept.begin(question)
    await kept.abandon(question, 1)
    begun = await kept.begin(ask(question.session_id))
    assert [(turn.number, turn.answer) for turn in begun.session.turns] == [(1, None)]


@pytest.mark.parametrize("reason", ["error", "cancelled"])
async def test_a_message_whose_answer_broke_off_is_answered_anew(kept: Kept, reason: str):
    question = start()
    await kept.begin(question)
    broken = replace(answer("half"), finish_reason=reason)
    await kept.finish(question, 1, broken)
    later = ask(question.session_id)
    assert [turn.answer for turn in (await kept.begin(later)).session.turns] == [broken], "until then it is the turn's answer"
    await kept.finish(later, 2)
    again = await kept.begin(replace(question, answer_id="another", new_session=False))
    assert (again.number, again.repeated, again.session.turns) == (1, None, ())
    whole = answer("whole")
    await kept.finish(question, 1, whole)
    await kept.finish(question, 1, broken)
    assert [turn.answer for turn in (await kept.read(question)).turns] == [whole, answer()]
    assert (await kept.begin(question)).repeated == whole


async def test_an_answer_that_breaks_off_twice_is_answered_a_third_time(kept: Kept):
    question = start()
    for text in ("one", "two"):
        assert (await kept.begin(question)).repeated is None
        await kept.finish(question, 1, replace(answer(text), finish_reason="error"), Focus(order_id=text))
    session = await kept.read(question)
    assert [turn.answer and turn.answer.text for turn in session.turns] == ["two"]
    assert session.focus == Focus(order_id="two"), "what it is about goes with the answer"
    assert (await kept.begin(question)).repeated is None


async def test_who_waits_for_an_answer_that_breaks_off_takes_its_turn(kept: Kept):
    question = start()
    await kept.begin(question)
    repeat = asyncio.create_task(kept.begin(replace(question, answer_id="another")))
    await asyncio.sleep(0.05)  # so that it waits; if it came later, the outcome would be the same
    await kept.finish(question, 1, replace(answer("half"), finish_reason="cancelled"))
    async with asyncio.timeout(2):
        begun = await repeat
    assert (begun.number, begun.repeated) == (1, None)
    await kept.finish(question, 1)
    assert [turn.answer for turn in (await kept.read(question)).turns] == [answer()]


async def test_a_client_that_goes_away_while_it_waits_blocks_nobody(kept: Kept):
    first = start()
    await kept.begin(first)
    gone = asyncio.create_task(kept.begin(ask(first.session_id, "走了")))
    await kept.asked(first, 2)
    third = asyncio.create_task(kept.begin(ask(first.session_id, "还在")))
    await kept.asked(first, 3)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await kept.finish(first, 1)
    async with asyncio.timeout(2):
        begun = await third
    assert [turn.answer is not None for turn in begun.session.turns] == [True, False]


async def test_a_turn_whose_answer_could_not_be_recorded_blocks_nobody(kept: Kept):
    question = start()
    await kept.begin(question)
    with pytest.raises(StoreFailed):
        await kept.finish(question, 1, answer("长" * 100_000))
    async with asyncio.timeout(2):
        begun = await kept.begin(ask(question.session_id))
    assert [(turn.number, turn.answer) for turn in begun.session.turns] == [(1, None)]
