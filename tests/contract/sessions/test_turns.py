"""The turns of a session, with every keeper: their order, what each sees of those before it, and how many and how long."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from serve_app.domain.errors import MalformedRequest, Overloaded, StoreFailed, TooLong
from serve_app.domain.question import Focus
from serve_app.domain.session import QuestionRecord
from tests.contract.sessions.keeping import FOCUS, Kept, answer, ask, start


async def test_a_new_session_begins_with_its_first_turn(kept: Kept):
    question = start()
    begun = await kept.begin(question)
    assert (begun.number, begun.repeated, begun.shared) == (1, None, None)
    assert (begun.session.id, begun.session.customer_id, begun.session.turns) == (question.session_id, "C1001", ())
    assert begun.session.focus == Focus()


async def test_the_question_is_recorded_before_its_answer(kept: Kept):
    question = start()
    await kept.begin(question)
    (turn,) = (await kept.read(question)).turns
    assert (turn.number, turn.question, turn.answer) == (1, question, None)


async def test_the_next_turn_sees_the_ones_before_it(kept: Kept):
    first = start()
    await kept.begin(first)
    given_first = answer("第一个")
    await kept.finish(first, 1, given_first)
    second = ask(first.session_id, "那退货呢")
    begun = await kept.begin(second)
    assert begun.number == 2
    assert [(turn.number, turn.question, turn.answer) for turn in begun.session.turns] == [(1, first, given_first)]
    assert begun.session.focus == FOCUS
    await kept.finish(second, 2)
    assert [turn.question for turn in (await kept.read(first)).turns] == [first, second]


async def test_turns_of_one_session_keep_their_order(kept: Kept):
    first = start()
    await kept.begin(first)
    given_order: list[str] = []

    async def turn(question: QuestionRecord) -> None:
        begun = await kept.begin(question)
        given_order.append(question.text)
        assert [t.answer is not None for t in begun.session.turns] == [True] * (begun.number - 1)
        await kept.finish(question, begun.number)

    waiting: list[asyncio.Task[None]] = []
    for n in range(5):
        question = ask(first.session_id, f"第{n}个")
        waiting.append(asyncio.create_task(turn(question)))
        await kept.asked(first, n + 2)
    assert given_order == []
    await kept.finish(first, 1)
    await asyncio.gather(*waiting)
    assert given_order == [f"第{n}个" for n in range(5)]
    assert [t.question.text for t in (await kept.read(first)).turns][1:] == given_order


async def test_sessions_do_not_wait_for_each_other(kept: Kept):
    questions = [start() for _ in range(20)]
    begun = await asyncio.gather(*(kept.begin(question) for question in questions))
    assert [one.number for one in begun] == [1] * 20


async def test_the_first_answer_stays(kept: Kept):
    question = start()
    await kept.begin(question)
    await kept.finish(question, 1, answer("erste"))
    await kept.finish(question, 1, answer("zweite"), Focus(misses=9))
    session = await kept.read(question)
    assert [turn.answer and turn.answer.text for turn in session.turns] == ["erste"]
    assert session.focus == FOCUS


async def test_an_older_turns_focus_does_not_replace_a_newer_ones(kept: Kept):
    first = start()
    await kept.begin(first)
    await kept.abandon(first, 1)
    second = ask(first.session_id)
    await kept.begin(second)
    await kept.finish(second, 2, focus=Focus(misses=2))
    await kept.begin(replace(first, new_session=False))
    await kept.finish(first, 1, focus=Focus(misses=1))
    session = await kept.read(first)
    assert session.focus == Focus(misses=2)
    assert [(turn.number, turn.answer is not None) for turn in session.turns] == [(1, True), (2, True)]


async def test_the_shared_answer_comes_along(kept: Kept):
    await kept.shared.put("some-key", b"answer", 60)
    question = start()
    assert (await kept.begin(question, "some-key")).shared == b"answer"
    await kept.finish(question, 1)
    assert (await kept.begin(ask(question.session_id), "no-such-key")).shared is None


async def test_a_long_session_is_given_with_its_last_turns(kept: Kept):
    short = kept.another(turns_shown=4)
    questions = [start()]
    shown: list[list[int]] = []
    for number in range(1, 10):
        begun = await short.begin(questions[-1])
        assert begun.number == number
        assert [turn.question for turn in begun.session.turns] == [
            questions[n - 1] for n in (t.number for t in begun.session.turns)
        ]
        assert all(turn.answer for turn in begun.session.turns)
        shown.append([turn.number for turn in begun.session.turns])
        await short.finish(questions[-1], number)
        questions.append(ask(questions[0].session_id))
    assert shown == [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [3, 4, 5], [3, 4, 5, 6], [5, 6, 7], [5, 6, 7, 8]]
    assert len((await short.read(questions[0])).turns) == 9
    again = await short.begin(questions[1])
    assert (again.number, again.repeated, [turn.number for turn in again.session.turns]) == (2, answer(), [1])


async def test_a_session_takes_so_many_turns_and_no_more(kept: Kept):
    short = kept.another(turns_max=2)
    question = start()
    for asked in (question, ask(question.session_id)):
        await short.finish(asked, (await short.begin(asked)).number)
    with pytest.raises(TooLong, match="begin a new conversation"):
        await short.begin(ask(question.session_id))
    assert (await short.begin(question)).repeated == answer(), "a repeated message is no further turn"
    assert len((await short.read(question)).turns) == 2


async def test_too_long_a_question_is_refused_and_adds_nothing(kept: Kept):
    question = start()
    await kept.begin(question)
    await kept.finish(question, 1)
    with pytest.raises(TooLong):
        await kept.begin(ask(question.session_id, "长" * 100_000))
    with pytest.raises(MalformedRequest):
        await kept.begin(ask(question.session_id, "\ud800"))
    assert len((await kept.read(question)).turns) == 1


async def test_too_long_an_answer_is_refused(kept: Kept):
    question = start()
    await kept.begin(question)
    with pytest.raises(StoreFailed):
        await kept.finish(question, 1, answer("长" * 100_000))
    await kept.finish(question, 1)
    assert (await kept.read(question)).turns[0].answer == answer()


async def test_a_turn_that_does_not_come_is_refused(kept: Kept):
    impatient = kept.another(turn_wait_s=0.05)
    question = start()
    await impatient.begin(question)
    with pytest.raises(Overloaded) as refused:
        await impatient.begin(ask(question.session_id))
    assert refused.value.retry_after_s == 1
    await impatient.finish(question, 1)
    begun = await impatient.begin(ask(question.session_id))
    assert [turn.answer is not None for turn in begun.session.turns] == [True, False]
