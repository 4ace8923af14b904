"""Messages that come again, and messages that are one question, with every keeper of sessions."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from serve_app.domain.errors import Conflict
from tests.contract.sessions.keeping import Kept, answer, ask, start


async def test_a_repeated_message_adds_no_turn_and_gives_the_same_answer(kept: Kept):
    question = start()
    await kept.begin(question)
    given_answer = answer("就这一个")
    await kept.finish(question, 1, given_answer)
    later = ask(question.session_id)
    await kept.begin(later)
    await kept.finish(later, 2)
    again = await kept.begin(replace(question, answer_id="another", new_session=False))
    assert (again.number, again.repeated, again.session.turns) == (1, given_answer, ())
    assert len((await kept.read(question)).turns) == 2


async def test_a_message_repeated_while_it_is_answered_waits_for_that_answer(kept: Kept):
    question = start()
    await kept.begin(question)
    repeats = [asyncio.create_task(kept.begin(replace(question, answer_id=f"again{n}"))) for n in range(2)]
    await asyncio.sleep(0.05)  # so that they wait; if they came later, the outcome would be the same
    given_answer = answer("就这一个")
    await kept.finish(question, 1, given_answer)
    assert [(await repeat).repeated for repeat in repeats] == [given_answer, given_answer]
    assert len((await kept.read(question)).turns) == 1


async def test_messages_that_are_one_question_share_a_turn(kept: Kept):
    first = start("在吗")
    begun = await kept.begin(first)
    assert begun.text == "在吗"
    await kept.abandon(first, 1)
    both = replace(first, text="在吗\n我那个订单", merged=("m-2",), answer_id="b")
    assert ((await kept.begin(both)).number, len((await kept.read(first)).turns)) == (1, 1)
    await kept.abandon(both, 1)
    all_three = replace(both, text="在吗\n我那个订单\n怎么还没到", merged=("m-2", "m-3"), answer_id="c")
    begun = await kept.begin(all_three)
    assert (begun.number, begun.text, begun.session.turns) == (1, all_three.text, ())
    given_answer = answer("在路上")
    await kept.finish(all_three, 1, given_answer)
    (turn,) = (await kept.read(first)).turns
    assert (turn.question, turn.answer) == (all_three, given_answer)
    for message_id in (first.message_id, "m-2", "m-3"):
        again = await kept.begin(ask(first.session_id, "something else", message_id=message_id))
        assert (again.number, again.repeated, again.text) == (1, given_answer, all_three.text)
    assert (await kept.begin(all_three)).repeated == given_answer


async def test_a_message_of_a_broken_answer_is_answered_with_its_whole_question(kept: Kept):
    question = start("在吗\n我那个订单", merged=("m-2",))
    await kept.begin(question)
    await kept.finish(question, 1, replace(answer("half"), finish_reason="cancelled"))
    begun = await kept.begin(ask(question.session_id, "我那个订单", message_id="m-2"))
    assert (begun.number, begun.repeated, begun.text) == (1, None, question.text)
    await kept.finish(question, 1)
    assert [turn.question for turn in (await kept.read(question)).turns] == [question]


async def test_messages_that_were_asked_apart_are_not_one_question(kept: Kept):
    first = start("运费多少?")
    await kept.begin(first)
    await kept.finish(first, 1)
    for message_id, merged in ((first.message_id, ("m-new",)), ("m-new", (first.message_id,))):
        with pytest.raises(Conflict):
            await kept.begin(ask(first.session_id, "运费多少?\n在吗", message_id=message_id, merged=merged))
    second = ask(first.session_id)
    await kept.begin(second)
    await kept.abandon(second, 2)
    third = ask(first.session_id)
    await kept.begin(third)
    with pytest.raises(Conflict):
        await kept.begin(replace(second, merged=("m-new",)))
    assert [turn.question for turn in (await kept.read(first)).turns] == [first, second, third]
    await kept.abandon(third, 3)
    assert (await kept.begin(ask(first.session_id, message_id="m-new"))).number == 4, "a refused message is a new one"


async def test_a_question_that_is_held_takes_in_no_more_messages_until_it_is_let_go(kept: Kept):
    first = start("在吗")
    await kept.begin(first)
    both = replace(first, text="在吗\n我那个订单", merged=("m-2",))
    joined = asyncio.create_task(kept.begin(both))
    await asyncio.sleep(0.05)  # so that it waits; if it came later, the outcome would be the same
    assert [turn.question for turn in (await kept.read(first)).turns] == [first]
    await kept.abandon(first, 1)
    assert (await joined).text == both.text
    await kept.abandon(both, 1)
