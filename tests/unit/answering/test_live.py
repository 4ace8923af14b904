"""What sockets show, here and in other processes, and what becomes of answers when processes or the store fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from serve_app.adapters.memory_live import MemoryLive
from serve_app.answering.chat import Chat
from serve_app.domain.errors import NotFound, StoreFailed
from serve_app.domain.live import Note, Talk, Told, Watch
from serve_app.domain.messages import Agent, Caller
from tests.unit.answering.conversing import TALK, Course, Process, Screen, message, processes, until


def leave(process: Process, chat: Chat, screen: Screen) -> None:
    process.live.leave(chat.talk, screen)
    chat.leave()


async def test_two_sockets_of_a_conversation_show_the_same() -> None:
    async with processes(2) as (here, there):
        asking, beside, away, course = await here.joined(), await here.joined(), await there.joined(), Course()
        here.chat(asking, course).ask(message("m1", "在吗"), 0)
        for screen in (asking, beside, away):
            await screen.has("done")
        assert asking.events == ["meta", "delta", "delta", "delta", "done"]
        for screen in (beside, away):
            assert screen.frames[1:] == asking.frames
            question = screen.frames[0]
            assert (question["event"], question["answer_id"]) == ("question", "ans_1")
            assert (question["data"]["message_ids"], question["data"]["text"]) == (["m1"], "在吗")


async def test_a_customers_answer_is_not_shown_to_others() -> None:
    """An anonymous conversation may become a customer's while another socket of it is open."""
    async with processes(2) as (here, there):
        asking, stranger, course = await here.joined("C1"), await there.joined(), Course()
        other, own = await there.joined("C2"), await there.joined("C1")
        here.chat(asking, course).ask(message("m1", caller=Caller("demo", "C1")), 0)
        await own.has("done")
        assert stranger.frames == other.frames == []
        for process in (here, there):
            with pytest.raises(NotFound):
                await process.live.resume(TALK, await process.joined(), "ans_1", 0)
        assert stranger.frames == other.frames == []


@pytest.mark.parametrize("seq", range(9))
async def test_an_answer_is_resumed_in_another_process_after_any_event(seq: int) -> None:
    async with processes(2) as (here, there):
        asking, course = await here.joined(), Course(deltas=6)
        course.allowed = asyncio.Semaphore(max(0, seq - 1))
        chat = here.chat(asking, course)
        chat.ask(message("m1"), 0)
        await until(lambda: len(asking.frames) >= seq)
        seen = asking.frames[:seq]
        leave(here, chat, asking)
        again = Screen()
        active = await there.live.join(TALK, again)
        if seq > 0:
            while not active and not course.recorded:
                active = await there.live.join(TALK, again)
            await there.live.resume(TALK, again, "ans_1", seq)
        for _ in range(10):
            course.allowed.release()
        await until(lambda: [frame["event"] for frame in [*seen, *again.frames]][-1:] == ["done"])
        whole = [frame for frame in [*seen, *again.frames] if frame["event"] != "question"]
        assert [frame["seq"] for frame in whole] == list(range(1, 9))
        assert [frame["event"] for frame in whole] == ["meta", *["delta"] * 6, "done"]
        assert course.recorded == [("stop", "012345")]


async def test_an_unknown_answer_is_not_resumed() -> None:
    async with processes() as (process,):
        screen = await process.joined()
        for seq in (0, 5):
            with pytest.raises(NotFound):
                await process.live.resume(TALK, screen, "nothing", seq)


async def test_an_answer_that_ended_with_nobody_there_is_resumed_whole() -> None:
    async with processes(2, grace_s=0.02) as (here, there):
        asking, course = await here.joined(), Course()
        course.allowed = asyncio.Semaphore(2)
        chat = here.chat(asking, course)
        chat.ask(message("m1"), 0)
        await asking.has("delta", 2)
        leave(here, chat, asking)
        await until(lambda: course.recorded)
        again = await there.joined()
        await until(lambda: not here.live._audiences)  # pyright: ignore[reportPrivateUsage]
        await there.live.resume(TALK, again, "ans_1", 0)
        assert again.events == ["meta", "delta", "delta", "done"]
        assert again.frames[-1]["data"]["finish_reason"] == "cancelled"


class Counting(MemoryLive):
    """Counts how often it is told that somebody watches."""

    watches = 0

    async def say(self, talk: Talk, note: Note) -> None:
        if isinstance(note, Watch):
            self.watches += 1
        await super().say(talk, note)


async def test_sockets_in_another_process_keep_an_answer_going_until_they_leave() -> None:
    async with processes(2, grace_s=0.8, store=Counting) as (here, there):
        asking, away, course = await here.joined(), await there.joined(), Course()
        course.allowed = asyncio.Semaphore(1)
        chat = here.chat(asking, course)
        chat.ask(message("m1"), 0)
        await away.has("delta")
        leave(here, chat, asking)
        store = there.live._store  # pyright: ignore[reportPrivateUsage]
        assert isinstance(store, Counting)
        await until(lambda: store.watches > 6)  # four within each grace
        assert course.recorded == []
        there.live.leave(TALK, away)
        await until(lambda: course.recorded)
        assert course.recorded == [("cancelled", "0")]


async def test_sockets_of_a_dead_process_keep_nothing_going() -> None:
    async with processes(2, grace_s=0.08) as (here, there):
        asking, away, course = await here.joined(), await there.joined(), Course()
        course.allowed = asyncio.Semaphore(1)
        chat = here.chat(asking, course)
        chat.ask(message("m1"), 0)
        await away.has("delta")
        leave(here, chat, asking)
        there.stores_in(DeadStore())
        await until(lambda: course.recorded)
        assert course.recorded == [("cancelled", "0")]


async def test_who_comes_back_to_another_process_keeps_an_opening_going() -> None:
    async with processes(2) as (here, there):
        asking, course = await here.joined(), Course()
        course.opens.clear()
        chat = here.chat(asking, course)
        chat.ask(message("m1"), 0)
        await until(lambda: course.opening)
        leave(here, chat, asking)
        audience = here.live._audiences[TALK]  # pyright: ignore[reportPrivateUsage]
        left = here.live.watched_until(audience)
        again = await there.joined()
        await until(lambda: here.live.watched_until(audience) > left)
        course.opens.set()
        await again.has("done")
        assert again.events == ["question", "meta", "delta", "delta", "delta", "done"]


async def test_an_answer_is_cancelled_from_another_process() -> None:
    async with processes(2) as (here, there):
        asking, away, course = await here.joined(), await there.joined(), Course()
        course.allowed = asyncio.Semaphore(1)
        here.chat(asking, course).ask(message("m1"), 0)
        await away.has("delta")
        there.live.cancel(TALK, away, "ans_1")
        await away.has("done")
        assert away.frames[-1]["data"]["finish_reason"] == "cancelled"
        assert course.recorded == [("cancelled", "0")]


async def test_an_answer_whose_process_died_breaks_off_for_those_who_show_it() -> None:
    async with processes(2, grace_s=0.08) as (here, there):
        asking, away, course = await here.joined(), await there.joined(), Course()
        course.allowed = asyncio.Semaphore(1)
        here.chat(asking, course).ask(message("m1"), 0)
        await away.has("delta")
        here.stores_in(DeadStore())
        await away.has("error")
        assert (away.frames[-1]["answer_id"], away.frames[-1]["data"]["error"]["code"]) == ("ans_1", "not_ready")
        assert away.events.count("error") == 1
        assert "error" not in asking.events


async def test_an_answer_that_ended_unheard_is_shown_to_its_end() -> None:
    async with processes(2, grace_s=0.08) as (here, there):
        asking, away, course = await here.joined(), await there.joined(), Course()
        course.allowed = asyncio.Semaphore(1)
        here.chat(asking, course).ask(message("m1"), 0)
        await away.has("delta")
        store = there.live._store  # pyright: ignore[reportPrivateUsage]
        await store.ignore(TALK)
        for _ in range(2):
            course.allowed.release()
        await away.has("done")
        assert away.frames[1:] == asking.frames
        assert "error" not in away.events


class DeadStore(MemoryLive):
    """Nothing of it works."""

    async def tell(self, talk: Talk, answer_id: str, events: Sequence[Told]) -> int:
        raise StoreFailed("away")

    async def told(self, talk: Talk, answer_id: str, after_seq: int) -> Sequence[Told] | None:
        raise StoreFailed("away")

    async def under_way(self, talk: Talk) -> dict[str, int]:
        raise StoreFailed("away")

    async def say(self, talk: Talk, note: Note) -> None:
        raise StoreFailed("away")

    async def listen(self, talk: Talk) -> None:
        raise StoreFailed("away")


async def test_without_a_store_the_sockets_here_still_get_everything() -> None:
    async with processes(store=DeadStore) as (process,):
        asking, beside, course = await process.joined(), await process.joined(), Course()
        chat = process.chat(asking, course)
        chat.ask(message("m1"), 0)
        await asking.has("done")
        assert beside.frames[1:] == asking.frames
        chat.ask(message("m2"), 0)
        await asking.has("done", 2)
        with pytest.raises(NotFound):
            await process.live.resume(TALK, asking, "ans_0", 0)


async def test_a_store_that_comes_back_has_everything() -> None:
    async with processes(2) as (here, there):
        asking, course = await here.joined(), Course()
        store = here.stores_in(DeadStore())
        here.chat(asking, course).ask(message("m1"), 0)
        await asking.has("done")
        here.stores_in(store)
        again = await there.joined()
        await again.has("done")
        assert again.frames[1:] == asking.frames


async def test_what_was_missed_while_nothing_was_heard_is_read() -> None:
    """As when the connection on which a process listens was away for a while."""
    async with processes(2) as (here, there):
        asking, away, course = await here.joined(), await there.joined(), Course()
        store = there.live._store  # pyright: ignore[reportPrivateUsage]
        assert isinstance(store, MemoryLive)
        course.allowed = asyncio.Semaphore(1)
        here.chat(asking, course).ask(message("m1"), 0)
        await away.has("delta")
        await store.ignore(TALK)
        course.allowed.release()
        await asking.has("delta", 2)
        await store.listen(TALK)
        course.allowed.release()
        await away.has("done")
        assert away.frames[1:] == asking.frames, "a gap is filled when the next event shows it"
        await store.ignore(TALK)
        for _ in range(3):
            course.allowed.release()
        here.chat(asking, course).ask(message("m2"), 0)
        await asking.has("done", 2)
        await store.listen(TALK)
        await until(lambda: not here.live._keeper._unstored)  # pyright: ignore[reportPrivateUsage]
        await there.live.resume(TALK, away, "ans_2", 0)
        assert away.of("ans_2") == asking.of("ans_2")


async def test_after_the_connection_was_away_answers_go_on_by_themselves() -> None:
    async with processes(2) as (here, there):
        asking, away, course = await here.joined(), await there.joined(), Course()
        store = there.live._store  # pyright: ignore[reportPrivateUsage]
        assert isinstance(store, MemoryLive)
        await store.ignore(TALK)
        course.allowed = asyncio.Semaphore(2)
        here.chat(asking, course).ask(message("m1"), 0)
        await asking.has("delta", 2)
        await store.listen(TALK)
        store.interrupt()
        await away.has("delta", 2)
        course.allowed.release()
        await away.has("done")
        assert away.frames == asking.frames


async def test_what_a_person_says_reaches_every_socket() -> None:
    async with processes(2) as (here, there):
        screens = [await here.joined(), await here.joined("C1"), await there.joined()]
        desk = here.desk
        await until(lambda: desk.followers == 2)
        desk.says(Agent("msg_1", "您好", "小王", datetime(2026, 11, 24, tzinfo=UTC)))
        for screen in screens:
            await screen.has("agent")
            assert screen.frames[0]["data"]["text"] == "您好"
            assert "seq" not in screen.frames[0]


async def test_what_a_person_says_reaches_the_conversations_customer_only() -> None:
    async with processes() as (process,):
        stranger, other, own = await process.joined(), await process.joined("C2"), await process.joined("C1")
        await until(lambda: process.desk.followers)
        process.sessions._conversations[TALK].owner = "C1"  # pyright: ignore[reportPrivateUsage]
        process.desk.says(Agent("msg_1", "您好", "小王", datetime(2026, 11, 24, tzinfo=UTC)))
        await own.has("agent")
        assert stranger.frames == other.frames == []


async def test_nothing_is_left_of_conversations_without_sockets_and_answers() -> None:
    async with processes(2) as both:
        screens: list[Screen] = []
        for process in both:
            screen, course = await process.joined(), Course()
            chat = process.chat(screen, course)
            chat.ask(message("m1"), 0)
            await screen.has("done")
            leave(process, chat, screen)
            screens.append(screen)
        for process in both:
            await until(lambda process=process: not process.live._audiences and not process.live._tasks)  # pyright: ignore[reportPrivateUsage]
        assert both[0].desk.followers == 0
