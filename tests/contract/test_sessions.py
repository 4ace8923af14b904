"""What every keeper of sessions does: in memory, in Valkey and in Redis 7, in one server and in a cluster; and with a
stand-in for when Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serve_app.adapters.gathered_calls import GatheredCalls
from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.memory_sessions import MemorySessions
from serve_app.adapters.redis_answers import RedisAnswers
from serve_app.adapters.redis_client import connect
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.adapters.resilient_link import ResilientLink
from serve_app.adapters.resilient_sessions import ResilientSessions
from serve_app.adapters.stand_in_sessions import StandInSessions
from serve_app.config import RedisSettings
from serve_app.domain.errors import Conflict, Forbidden, MalformedRequest, NotFound, Overloaded, StoreFailed, TooLong
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind, Option, Suggestion
from serve_app.domain.question import Entities, Focus
from serve_app.domain.session import AnswerRecord, QuestionRecord
from serve_app.ports import LiveSessions, SharedAnswers

NOW = datetime(2026, 11, 24, 4, 0, 0, 123456, tzinfo=UTC)
_numbers = count(1)


def ask(session_id: str, text: str = "运费多少?", **changes: object) -> QuestionRecord:
    number = next(_numbers)
    question = QuestionRecord(
        tenant="demo",
        session_id=session_id,
        message_id=f"m{number}",
        answer_id=f"a{number}",
        customer_id="C1001",
        text=text,
        asked_at=NOW,
        new_session=False,
    )
    return replace(question, **changes)


def start(text: str = "运费多少?", **changes: object) -> QuestionRecord:
    return ask(uuid4().hex, text, new_session=True, **changes)


def answer(text: str = "满99元包邮。") -> AnswerRecord:
    return AnswerRecord(
        answer_id="a", text=text, language="zh", kind=Kind.PUBLIC, source="faq", finish_reason="stop", finished_at=NOW
    )


FOCUS = Focus(
    language="zh",
    intent=Intent.PARCEL,
    entities=Entities(order_ids=("ZW202611220001",), amounts_minor=(9900,), dates=(date(2026, 11, 24),), ordinal=-1),
    order_id="ZW202611220001",
    offered=(Option("ZW202611220001", "11月22日 保温杯"),),
    suggested=(Suggestion("shipping-fee", "运费多少?"),),
    misses=1,
)


class Kept:
    """A keeper of sessions, made by `make` from the settings that all keepers have; the shared answers that it reads along."""

    def __init__(self, make: Callable[..., LiveSessions], shared: SharedAnswers, **options: float) -> None:
        self._make = make
        self.sessions = make(**{"turn_wait_s": 5, **options})
        self.shared = shared

    def another(self, **options: float) -> Kept:
        return Kept(self._make, self.shared, **options)

    async def begin(self, question: QuestionRecord, answer_key: str | None = None):
        return await self.sessions.begin(question, answer_key)

    async def finish(self, question: QuestionRecord, number: int, given: AnswerRecord | None = None, focus: Focus = FOCUS):
        await self.sessions.finish(question.tenant, question.session_id, number, given or answer(), focus)

    async def begin_answered(self, question: QuestionRecord, before: Focus | None = None, given: AnswerRecord | None = None):
        return await self.sessions.begin_answered(question, given or answer(), before or Focus(), FOCUS)

    async def abandon(self, question: QuestionRecord, number: int) -> None:
        await self.sessions.abandon(question.tenant, question.session_id, number)

    async def read(self, question: QuestionRecord, customer_id: str | None = "C1001"):
        return await self.sessions.read(question.tenant, question.session_id, customer_id)

    async def enter(self, session_id: str, customer_id: str | None, *, new: bool = False) -> None:
        await self.sessions.enter("demo", session_id, customer_id, new=new)

    async def asked(self, question: QuestionRecord, turns: int) -> None:
        """Returns when the question's session has so many turns."""
        async with asyncio.timeout(10):
            while len((await self.read(question)).turns) < turns:
                await asyncio.sleep(0.001)


@pytest.fixture(scope="module", params=["memory", "valkey", "valkey_cluster", "redis7", "redis7_cluster", "resilient"])
async def kept(request: pytest.FixtureRequest) -> AsyncGenerator[Kept]:
    if request.param == "memory":
        shared = MemoryAnswers()
        yield Kept(partial(MemorySessions, shared=shared), shared)
        return
    if request.param == "resilient":
        async for one in _resilient(request.getfixturevalue("valkey_url")):
            yield one
        return
    link = connect(RedisSettings(url=request.getfixturevalue(f"{request.param}_url"), timeout_ms=5000))
    made: list[RedisSessions] = []

    def make(**options: Any) -> RedisSessions:
        made.append(RedisSessions(link, ttl_s=3600, **options))
        return made[-1]

    yield Kept(make, RedisAnswers(link))
    for sessions in made:
        await sessions.aclose()
    await link.aclose()


async def _resilient(url: str) -> AsyncGenerator[Kept]:
    link = connect(RedisSettings(url=url, timeout_ms=5000))
    made: list[ResilientSessions] = []

    def make(turn_wait_s: float, turns_shown: int = 60, turns_max: int = 1000) -> ResilientSessions:
        guarded = ResilientLink(link, budget_s=5, failures=5, reset_s=1)
        options: dict[str, Any] = {"turn_wait_s": turn_wait_s, "turns_shown": turns_shown, "turns_max": turns_max}
        one, other = (RedisSessions(calls, ttl_s=3600, off_path=link, **options) for calls in (GatheredCalls(guarded), link))
        made.append(ResilientSessions(one, other, guarded, StandInSessions(**options), turn_wait_s=turn_wait_s))
        return made[-1]

    yield Kept(make, RedisAnswers(link))
    for sessions in made:
        await sessions.aclose()
    await link.aclose()


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


async def test_records_return_exactly_as_they_were(kept: Kept):
    question = start(text='"}\n{运费\u2028"\\', customer_id="C\n1001 {x}")
    given_answer = replace(
        answer(),
        model="m",
        events=({"event": "card", "data": {"type": "order", "lines": [1, 2.5, None, {"a": "b"}]}},),
        rendered={"model": tuple(range(4096))},
        facts_digest="d",
        degraded=("parcels",),
    )
    await kept.begin(question)
    await kept.finish(question, 1, given_answer)
    session = await kept.read(question, question.customer_id)
    assert session.focus == FOCUS
    assert (session.turns[0].question, session.turns[0].answer) == (question, given_answer)
    again = session.turns[0].answer
    assert again is not None
    assert isinstance(again.kind, Kind)
    assert isinstance(again.rendered["model"], tuple)
    assert again.finished_at.tzinfo is not None


async def test_an_unknown_session_is_not_found(kept: Kept):
    question = ask("no-such-session")
    with pytest.raises(NotFound):
        await kept.begin(question)
    with pytest.raises(NotFound):
        await kept.read(question)


async def test_another_tenant_has_no_such_session(kept: Kept):
    question = start()
    await kept.begin(question)
    with pytest.raises(NotFound):
        await kept.begin(ask(question.session_id, tenant="other"))
    with pytest.raises(NotFound):
        await kept.sessions.read("other", question.session_id, "C1001")


async def test_tenant_and_session_do_not_run_into_each_other(kept: Kept):
    name = uuid4().hex
    await kept.begin(ask(f"b/{name}", tenant="a", new_session=True))
    with pytest.raises(NotFound):
        await kept.begin(ask(name, tenant="a/b"))


async def test_another_customers_session_is_forbidden(kept: Kept):
    question = start()
    await kept.begin(question)
    for customer_id in ("C1002", None):
        with pytest.raises(Forbidden):
            await kept.begin(ask(question.session_id, customer_id=customer_id))
        with pytest.raises(Forbidden):
            await kept.read(question, customer_id)
    assert len((await kept.read(question)).turns) == 1, "a refused question adds nothing"


async def test_an_anonymous_session_is_claimed_by_the_first_customer_who_uses_it(kept: Kept):
    question = start(customer_id=None)
    begun = await kept.begin(question)
    assert begun.session.customer_id is None
    await kept.finish(question, 1)
    assert (await kept.read(question, None)).customer_id is None
    claimed = await kept.begin(ask(question.session_id, customer_id="C1002"))
    assert claimed.session.customer_id == "C1002"
    assert len(claimed.session.turns) == 1
    for customer_id in ("C1001", None):
        with pytest.raises(Forbidden):
            await kept.begin(ask(question.session_id, customer_id=customer_id))


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


async def test_a_session_may_stand_before_its_first_question(kept: Kept):
    name = uuid4().hex
    with pytest.raises(NotFound):
        await kept.enter(name, "C1001")
    await kept.enter(name, "C1001", new=True)
    await kept.enter(name, "C1001")
    for customer_id in ("C1002", None):
        with pytest.raises(Forbidden):
            await kept.enter(name, customer_id)
    question = ask(name)
    assert (await kept.read(question)).turns == ()
    assert (await kept.begin(question)).number == 1
    await kept.enter(name, "C1001", new=True)
    assert len((await kept.read(question)).turns) == 1


async def test_an_anonymous_session_may_be_entered_by_anybody_until_it_is_a_customers(kept: Kept):
    name = uuid4().hex
    await kept.enter(name, None, new=True)
    await kept.enter(name, "C1001")
    await kept.enter(name, "C1002")
    await kept.begin(ask(name, customer_id="C1001"))
    await kept.enter(name, "C1001")
    for customer_id in ("C1002", None):
        with pytest.raises(Forbidden):
            await kept.enter(name, customer_id)


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


async def test_an_answer_to_no_session_is_refused(kept: Kept):
    with pytest.raises(StoreFailed):
        await kept.finish(ask("no-such-session"), 1)
    question = start()
    await kept.begin(question)
    with pytest.raises(StoreFailed):
        await kept.finish(question, 2)


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


async def test_a_turn_whose_answer_could_not_be_recorded_blocks_nobody(kept: Kept):
    question = start()
    await kept.begin(question)
    with pytest.raises(StoreFailed):
        await kept.finish(question, 1, answer("长" * 100_000))
    async with asyncio.timeout(2):
        begun = await kept.begin(ask(question.session_id))
    assert [(turn.number, turn.answer) for turn in begun.session.turns] == [(1, None)]


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


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
instants = st.datetimes(timezones=st.just(UTC))
answers = st.builds(
    AnswerRecord,
    answer_id=texts,
    text=texts,
    language=st.sampled_from(["zh", "en"]),
    kind=st.sampled_from(Kind),
    source=st.sampled_from(["cache", "template", "faq", "model", "agent"]),
    finish_reason=texts,
    finished_at=instants,
    model=st.none() | texts,
    events=st.lists(st.dictionaries(texts, values, max_size=3), max_size=2).map(tuple),
    rendered=st.dictionaries(texts, st.lists(st.integers(0, 200_000)).map(tuple), max_size=2),
    facts_digest=st.none() | texts,
    degraded=st.lists(texts, max_size=2).map(tuple),
)
entities = st.builds(
    Entities,
    order_ids=st.lists(texts, max_size=2).map(tuple),
    dates=st.lists(st.dates(), max_size=2).map(tuple),
    ordinal=st.none() | st.integers(-1, 9),
)
focuses = st.builds(
    Focus,
    language=st.sampled_from([None, "zh", "en"]),
    intent=st.none() | st.sampled_from(Intent),
    entities=entities,
    order_id=st.none() | texts,
    offered=st.lists(st.builds(Option, texts, texts), max_size=2).map(tuple),
    suggested=st.lists(st.builds(Suggestion, texts, texts), max_size=2).map(tuple),
    misses=st.integers(0, 9),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts, message_id=texts, customer_id=texts.filter(bool), asked_at=instants, given_answer=answers, focus=focuses)
async def test_whatever_is_recorded_is_read_back(
    kept: Kept,
    text: str,
    message_id: str,
    customer_id: str,
    asked_at: datetime,
    given_answer: AnswerRecord,
    focus: Focus,
):
    question = start(text=text, message_id=message_id, customer_id=customer_id, asked_at=asked_at)
    await kept.begin(question)
    await kept.finish(question, 1, given_answer, focus)
    session = await kept.read(question, customer_id)
    assert (session.turns[0].question, session.turns[0].answer, session.focus) == (question, given_answer, focus)


async def test_an_answer_is_found_by_its_id_within_its_tenant(kept: Kept):
    question = start()
    given = replace(answer(), answer_id=uuid4().hex)
    begun = await kept.begin(question)
    assert await kept.sessions.session_of("demo", given.answer_id) is None
    await kept.finish(question, begun.number, given)
    assert await kept.sessions.session_of("demo", given.answer_id) == question.session_id
    assert await kept.sessions.session_of("other", given.answer_id) is None


# In one round trip


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
