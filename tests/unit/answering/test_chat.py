"""The questions of one socket: in order, joined where they belong together, and ended where nobody wants them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from serve_app.answering.reply import Reply
from serve_app.domain.errors import Conflict, ModelFailed, Overloaded, TooLong
from serve_app.domain.merging import MESSAGES_MAX
from serve_app.domain.messages import Ask, Caller
from tests.unit.answering.conversing import Course, Process, message, processes, until


@pytest.fixture
async def process() -> AsyncGenerator[Process]:
    async with processes() as (one,):
        yield one


async def test_messages_before_the_answer_begins_are_one_question(process: Process) -> None:
    screen, course = await process.joined(), Course()
    chat = process.chat(screen, course)
    course.opens.clear()
    for n, text in enumerate(("在吗", "我那个订单", "怎么还没到"), 1):
        chat.ask(message(f"m{n}", text), 0)
        await until(lambda n=n: len(course.asked) == n)
    await until(lambda: course.opening == 1)
    course.opens.set()
    await screen.has("done")
    last = course.asked[-1]
    assert (last.message_id, last.merged, last.question) == ("m1", ("m2", "m3"), "在吗\n我那个订单\n怎么还没到")
    assert screen.events == ["meta", "delta", "delta", "delta", "done"]
    assert screen.frames[0]["data"]["message_ids"] == ["m1", "m2", "m3"]
    assert course.recorded == [("stop", "012")]


async def test_messages_during_an_answer_are_the_next_question(process: Process) -> None:
    screen, course = await process.joined(), Course()
    course.allowed = asyncio.Semaphore(1)
    chat = process.chat(screen, course)
    chat.ask(message("m1"), 0)
    await screen.has("delta")
    chat.ask(message("m2", "b"), 0)
    chat.ask(message("m3", "c"), 0)
    assert len(course.asked) == 1
    for _ in range(5):
        course.allowed.release()
    await screen.has("done", 2)
    assert [ask.question for ask in course.asked] == ["hello", "b\nc"]
    assert [frame["answer_id"] for frame in screen.frames] == ["ans_1"] * 5 + ["ans_2"] * 5


async def test_a_tap_is_a_question_of_its_own(process: Process) -> None:
    screen, course = await process.joined(), Course()
    course.opens.clear()
    chat = process.chat(screen, course)
    chat.ask(message("m1", None, choice="c1"), 0)
    await until(lambda: course.opening)
    chat.ask(message("m2", "b"), 0)
    chat.ask(message("m3", None, choice="c2"), 0)
    chat.ask(message("m4", "d"), 0)
    course.opens.set()
    await screen.has("done", 4)
    assert [(ask.question, ask.choice) for ask in course.asked] == [(None, "c1"), ("b", None), (None, "c2"), ("d", None)]


async def test_whoever_goes_on_typing_is_answered_in_between(process: Process) -> None:
    screen, course = await process.joined(), Course()
    course.opens.clear()
    chat = process.chat(screen, course, waiting_max=20)
    for n in range(MESSAGES_MAX + 2):
        chat.ask(message(f"m{n}", str(n)), 0)
    await until(lambda: course.opening)
    course.opens.set()
    await screen.has("done", 2)
    answered = [frame["data"]["message_ids"] for frame in screen.frames if frame["event"] == "meta"]
    assert answered == [[f"m{n}" for n in range(MESSAGES_MAX)], [f"m{MESSAGES_MAX}", f"m{MESSAGES_MAX + 1}"]]


async def test_only_so_many_messages_wait(process: Process) -> None:
    screen, course = await process.joined(), Course()
    course.opens.clear()
    chat = process.chat(screen, course, waiting_max=2)
    chat.ask(message("m0", None, choice="c"), 0)
    await until(lambda: course.opening)
    for n in (1, 2):
        chat.ask(message(f"m{n}", None, choice="c"), 0)
    with pytest.raises(Overloaded, match="2 messages wait"):
        chat.ask(message("m3"), 0)
    course.opens.set()
    await screen.has("done", 3)
    chat.ask(message("m3"), 0)
    await screen.has("done", 4)


async def test_a_message_that_is_sent_again_is_taken_once(process: Process) -> None:
    screen, course = await process.joined(), Course()
    course.opens.clear()
    chat = process.chat(screen, course)
    for message_id in ("m1", "m1", "m2", "m2", "m1"):
        chat.ask(message(message_id, message_id), 0)
    await until(lambda: course.opening)
    course.opens.set()
    await screen.has("done")
    assert course.asked[-1].question == "m1\nm2"


async def test_messages_that_were_asked_apart_are_asked_apart(process: Process) -> None:
    class Recorded(Course):
        async def open(self, ask: Ask, *, new_session: bool) -> Reply:
            self.error = Conflict("apart") if ask.merged else None
            return await super().open(ask, new_session=new_session)

    screen, course = await process.joined(), Recorded()
    course.opens.clear()
    chat = process.chat(screen, course)
    for message_id in ("m1", "m2"):
        chat.ask(message(message_id, message_id), 0)
    course.opens.set()
    await screen.has("done", 2)
    assert [ask.message_ids for ask in course.asked][-2:] == [("m1",), ("m2",)]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TooLong("no", param="session_id"), "too_long"),
        (ModelFailed("secret"), "not_ready"),
        (ValueError("secret"), "internal_error"),
    ],
)
async def test_a_question_that_cannot_be_answered_is_refused_by_its_messages(
    process: Process, error: Exception, code: str
) -> None:
    screen, course = await process.joined(), Course()
    course.error = error
    course.opens.clear()
    chat = process.chat(screen, course)
    chat.ask(message("m1"), 0)
    chat.ask(message("m2"), 0)
    course.opens.set()
    await screen.has("error", 2)
    assert [(frame["message_id"], frame["data"]["error"]["code"]) for frame in screen.frames] == [("m1", code), ("m2", code)]
    assert "secret" not in str(screen.frames)
    course.error = None
    chat.ask(message("m3"), 0)
    await screen.has("done")


async def test_more_than_one_process_answers_are_refused(process: Process) -> None:
    screen, course = await process.joined(), Course()
    process.chat(screen, course, in_flight=0).ask(message("m1"), 0)
    await screen.has("error")
    assert screen.frames[0]["data"]["error"]["code"] == "overloaded"


async def test_an_answer_that_fails_ends_with_its_error(process: Process) -> None:
    screen, course = await process.joined(), Course()
    course.error_within = RuntimeError("secret")
    chat = process.chat(screen, course)
    chat.ask(message("m1"), 0)
    await screen.has("error")
    assert screen.events == ["meta", "delta", "delta", "delta", "error"]
    assert [frame["seq"] for frame in screen.frames] == [1, 2, 3, 4, 5]
    assert "secret" not in str(screen.frames)
    course.error_within = None
    chat.ask(message("m2"), 0)
    await screen.has("done")


async def test_a_cancelled_answer_is_kept_as_far_as_it_was_given(process: Process) -> None:
    screen, course = await process.joined(), Course()
    course.allowed = asyncio.Semaphore(2)
    chat = process.chat(screen, course)
    chat.ask(message("m1"), 0)
    await screen.has("delta", 2)
    chat.ask(message("m2"), 0)
    process.live.cancel(chat.talk, screen, "ans_1")
    process.live.cancel(chat.talk, screen, "ans_1")
    await screen.has("done")
    assert screen.of("ans_1")[-1]["data"]["finish_reason"] == "cancelled"
    assert course.recorded == [("cancelled", "01")]
    for _ in range(3):
        course.allowed.release()
    await screen.has("done", 2)
    assert course.recorded[1:] == [("stop", "012")]
    process.live.cancel(chat.talk, screen, "ans_1")
    process.live.cancel(chat.talk, screen, "nothing")


async def test_only_its_customer_cancels_an_answer(process: Process) -> None:
    screen, stranger, course = await process.joined("C1"), await process.joined(), Course()
    course.allowed = asyncio.Semaphore(2)
    chat = process.chat(screen, course)
    chat.ask(message("m1", caller=Caller("demo", "C1")), 0)
    await screen.has("delta", 2)
    process.live.cancel(chat.talk, stranger, "ans_1")
    course.allowed.release()
    await screen.has("done")
    assert course.recorded == [("stop", "012")]


async def test_an_answer_that_was_given_before_is_given_again_to_who_asked(process: Process) -> None:
    screen, course = await process.joined(), Course()
    chat = process.chat(screen, course)
    chat.ask(message("m1"), 0)
    await screen.has("done")
    first = list(screen.frames)
    course.repeats, course.deltas = "ans_1", 1
    other = await process.joined()
    again = await process.joined()
    process.chat(again, course).ask(message("m1"), 0)
    await again.has("done")
    assert again.frames == first, "event for event as it was"
    assert other.frames == []
    course.repeats = "ans_of_long_ago"
    process.chat(again, course).ask(message("m0"), 0)
    await again.has("done", 2)
    assert [frame["seq"] for frame in again.of("ans_of_long_ago")] == [1, 2, 3], "as it was recorded"
    assert other.frames == []


class TestNobodyWatches:
    async def test_an_answer_ends_after_the_grace(self) -> None:
        async with processes(grace_s=0.02) as (process,):
            screen, course = await process.joined(), Course()
            course.allowed = asyncio.Semaphore(2)
            chat = process.chat(screen, course)
            chat.ask(message("m1"), 0)
            await screen.has("delta", 2)
            process.live.leave(chat.talk, screen)
            chat.leave()
            await until(lambda: course.recorded)
            assert course.recorded == [("cancelled", "01")]

    async def test_an_opening_ends_too(self) -> None:
        async with processes(grace_s=0.02) as (process,):
            screen, course = await process.joined(), Course()
            course.opens.clear()
            chat = process.chat(screen, course)
            chat.ask(message("m1"), 0)
            await until(lambda: course.opening == 1)
            process.live.leave(chat.talk, screen)
            chat.leave()
            await until(lambda: course.opening == 0)
            assert course.recorded == []

    async def test_whoever_comes_back_in_time_gets_the_rest(self) -> None:
        async with processes(grace_s=5) as (process,):
            screen, course = await process.joined(), Course()
            course.allowed = asyncio.Semaphore(2)
            chat = process.chat(screen, course)
            chat.ask(message("m1"), 0)
            await screen.has("delta", 2)
            process.live.leave(chat.talk, screen)
            chat.leave()
            again = await process.joined()
            await process.live.resume(chat.talk, again, "ans_1", 1)
            course.allowed.release()
            await again.has("done")
            assert screen.frames + again.frames[2:] == [*screen.frames[:1], *again.frames]
            assert [frame["seq"] for frame in again.frames] == [2, 3, 4, 5]
            assert course.recorded == [("stop", "012")]

    async def test_what_waited_is_answered_while_somebody_watches(self) -> None:
        async with processes() as (process,):
            screen, other, course = await process.joined(), await process.joined(), Course()
            course.allowed = asyncio.Semaphore(2)
            chat = process.chat(screen, course)
            chat.ask(message("m1"), 0)
            await screen.has("delta", 2)
            chat.ask(message("m2"), 0)
            process.live.leave(chat.talk, screen)
            chat.leave()
            for _ in range(4):
                course.allowed.release()
            await other.has("done", 2)
            assert screen.events.count("done") == 0

    async def test_the_end_of_the_process_records_what_was_given(self) -> None:
        async with processes() as (process,):
            screen, course = await process.joined(), Course()
            course.allowed = asyncio.Semaphore(2)
            chat = process.chat(screen, course)
            chat.ask(message("m1"), 0)
            await screen.has("delta", 2)
        assert course.recorded == [("cancelled", "01")]
        assert screen.frames[-1]["data"]["finish_reason"] == "cancelled"
