"""A turn that is recorded with its answer, in one round trip, with every keeper of sessions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from serve_app.domain.errors import Forbidden, NotFound, TooLong
from serve_app.domain.question import Focus
from tests.contract.sessions.keeping import FOCUS, Kept, answer, ask, start


async def test_a_turn_may_be_recorded_with_its_answer(kept: Kept):
    question = start()
    begun = await kept.begin_answered(question)
    assert (begun.answered, begun.number, begun.repeated) == (True, 1, None)
    session = await kept.read(question)
    assert [(turn.number, turn.question, turn.answer) for turn in session.turns] == [(1, question, answer())]
    assert session.focus == FOCUS


async def test_turns_go_on_after_one_that_came_with_its_answer(kept: Kept):
    first = start()
    await kept.begin_answered(first)
    second = ask(first.session_id)
    assert (await kept.begin_answered(second, FOCUS, answer("又一个"))).answered
    third = ask(first.session_id)
    begun = await kept.begin(third)
    assert (begun.number, [turn.question for turn in begun.session.turns]) == (3, [first, second])
    assert [turn.answer and turn.answer.text for turn in begun.session.turns] == [answer().text, "又一个"]
    await kept.finish(third, 3)
    assert len((await kept.read(first)).turns) == 3


async def test_an_answer_holds_only_in_the_conversation_that_it_was_made_for(kept: Kept):
    first = start()
    await kept.begin_answered(first)
    second = ask(first.session_id)
    begun = await kept.begin_answered(second, Focus(language="en"))
    assert (begun.answered, begun.number, begun.session.focus) == (False, 2, FOCUS)
    assert (await kept.read(first)).turns[1].answer is None
    await kept.finish(second, 2, answer("anders"))
    assert (await kept.read(first)).turns[1].answer == answer("anders")


async def test_an_answer_does_not_overtake_the_turn_before_it(kept: Kept):
    first = start()
    await kept.begin(first)
    second = ask(first.session_id)
    waiting = asyncio.create_task(kept.begin_answered(second, Focus()))
    await kept.asked(first, 2)
    assert not waiting.done()
    await kept.finish(first, 1)
    begun = await waiting
    assert (begun.answered, begun.number, begun.session.focus) == (False, 2, FOCUS)
    await kept.abandon(second, 2)


async def test_the_same_message_gets_the_answer_that_was_recorded_with_it(kept: Kept):
    question = start()
    await kept.begin_answered(question)
    begun = await kept.begin_answered(question, Focus(), answer("anders"))
    assert (begun.answered, begun.repeated) == (False, answer())
    assert (await kept.begin(question)).repeated == answer()
    assert len((await kept.read(question)).turns) == 1


async def test_a_message_whose_answer_is_still_to_come_is_not_answered_from_elsewhere(kept: Kept):
    question = start()
    await kept.begin(question)
    await kept.abandon(question, 1)
    begun = await kept.begin_answered(question)
    assert (begun.answered, begun.number) == (False, 1)
    await kept.finish(question, 1)


async def test_an_answered_turn_is_refused_where_any_turn_is(kept: Kept):
    question = start()
    with pytest.raises(NotFound):
        await kept.begin_answered(ask("nowhere"))
    await kept.begin_answered(question)
    with pytest.raises(Forbidden):
        await kept.begin_answered(ask(question.session_id, customer_id="C1002"), FOCUS)
    short, only = kept.another(turns_max=1), start()
    await short.begin_answered(only)
    with pytest.raises(TooLong):
        await short.begin_answered(ask(only.session_id), FOCUS)


async def test_an_answer_recorded_with_its_question_is_found_by_its_id(kept: Kept):
    question = start()
    given = replace(answer(), answer_id=uuid4().hex)
    await kept.begin_answered(question, Focus(), given)
    assert await kept.sessions.session_of("demo", given.answer_id) == question.session_id
