"""Plays a day: asks, reads each answer when it has been generated, and publishes, in the order of the day's clock."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import count
from random import Random
from typing import Any, cast

from benchmarks.replay.day import Conversation
from benchmarks.replay.judging import Answer, Judge
from benchmarks.replay.processes import TENANT, Fleet, Process
from benchmarks.replay.publications import BEGINS, MIDNIGHT, NOON, afternoon
from benchmarks.replay.questions import Question
from serve_app.answering.reply import Reply
from serve_app.domain.errors import ZeroWaitError
from serve_app.domain.messages import Ask, Caller, Citation, Delta, Done, Event, Kind

Step = Callable[[float], Awaitable[None]]

# From a question to the end of the model's answer.
GENERATING_S = 2.0
# From here on, of those who get a model's answer that others could get too, the first so many find it wrong.
COMPLAINTS_FROM_S = 15 * 3600.0
COMPLAINTS = 20


@dataclass(slots=True)
class _Talk:
    """A conversation as far as it has come. One that a person was called to is over: its customer begins another."""

    plan: Conversation
    turn: int = 0
    session: str = ""
    sessions: int = 0


class Drive:
    def __init__(
        self,
        fleet: Fleet,
        judge: Judge,
        customer_id: Callable[[int], str],
        owners: dict[str, int | None],
        progress: Callable[[int], None],
    ) -> None:
        """`owners` is told whose each session is."""
        self._fleet = fleet
        self._judge = judge
        self._customer_id = customer_id
        self._progress = progress
        self._rng = Random(11)
        self._order = count()
        self._due: list[tuple[float, int, Step]] = []
        self._asked = 0
        self._complaints = 0
        self._owners = owners

    async def run(self, conversations: Iterable[Conversation]) -> None:
        """Until every question is answered."""
        for plan in conversations:
            self._later(plan.begins_s, self._ask(_Talk(plan)))
        self._later((NOON - BEGINS).total_seconds(), self._publish)
        for process in self._fleet.processes:
            for border in (MIDNIGHT, NOON):
                process.news((border - BEGINS).total_seconds())
        while self._due:
            seconds, _, step = heapq.heappop(self._due)
            await step(seconds)

    def _later(self, seconds: float, step: Step) -> None:
        heapq.heappush(self._due, (seconds, next(self._order), step))

    async def _publish(self, seconds: float) -> None:
        for process in self._fleet.processes:
            await process.reach(seconds)
        await self._fleet.publish(afternoon())

    def _ask(self, talk: _Talk) -> Step:
        async def ask(seconds: float) -> None:
            process = self._rng.choice(self._fleet.processes)
            await process.reach(seconds)
            question, customer = talk.plan.questions[talk.turn], talk.plan.customer
            is_new = not talk.session
            if is_new:
                talk.sessions += 1
                talk.session = f"ses_{talk.plan.number}_{talk.sessions}"
                self._owners[talk.session] = customer
            caller = Caller(TENANT, None if customer is None else self._customer_id(customer))
            put = Ask(caller, talk.session, f"m{talk.turn}", question.text)
            self._asked += 1
            self._progress(self._asked)
            try:
                reply = await process.course.open(put, new_session=is_new)
            except ZeroWaitError as error:
                await self._over(talk, seconds, _failed(question, self._fleet.clock.now(), customer, error))
                return
            asked_at = self._fleet.clock.now()

            async def read(at_s: float) -> None:
                await process.reach(at_s)
                events = [event async for event in reply.events()]
                if reply.meta.tier not in ("memory", "template"):
                    await self._fleet.settled()  # what may be shared is kept meanwhile
                answer = _answer(question, asked_at, customer, reply, events)
                await self._over(talk, at_s, answer)
                await self._rate(process, at_s, answer, put, reply)

            if reply.meta.source == "model":
                self._later(seconds + GENERATING_S, read)
            else:
                await read(seconds)

        return ask

    async def _rate(self, process: Process, seconds: float, answer: Answer, ask: Ask, reply: Reply) -> None:
        if seconds < COMPLAINTS_FROM_S or self._complaints >= COMPLAINTS or not self._judge.may_complain(answer):
            return
        self._complaints += 1
        await process.complain(ask, reply.meta.answer_id)
        self._judge.complain(answer, self._fleet.clock.now())
        for one in self._fleet.processes:
            one.news(seconds)

    async def _over(self, talk: _Talk, seconds: float, answer: Answer) -> None:
        self._judge.hear(answer)
        talk.turn += 1
        if answer.reason != "stop":
            talk.session = ""
        if talk.turn < len(talk.plan.questions):
            self._later(seconds + talk.plan.pauses_s[talk.turn - 1], self._ask(talk))


def _answer(question: Question, asked_at: datetime, customer: int | None, reply: Reply, events: Sequence[Event]) -> Answer:
    last = events[-1]
    return Answer(
        question=question,
        asked_at=asked_at,
        customer=customer,
        tier=reply.meta.tier,
        source=reply.meta.source,
        kind=reply.meta.kind,
        reason=last.finish_reason if isinstance(last, Done) else "failed",
        shown=shown_of(events),
        sources=tuple(event.id for event in events if isinstance(event, Citation)),
        degraded=last.degraded if isinstance(last, Done) else (),
    )


def shown_of(events: Iterable[Event]) -> str:
    """The words as they stand, and after them whatever else is shown: cards, options, suggestions."""
    said = "".join(event.text for event in events if isinstance(event, Delta))
    beside = (text for event in events if not isinstance(event, Delta | Done) for text in _texts(asdict(event)))
    return "\n".join((said, *beside))


def _texts(value: object) -> Iterable[str]:
    match value:
        case dict():
            return [text for item in cast("Mapping[str, Any]", value).values() for text in _texts(item)]
        case list() | tuple():
            return [text for item in cast("Sequence[Any]", value) for text in _texts(item)]
        case _:
            return [str(value)]


def _failed(question: Question, asked_at: datetime, customer: int | None, error: ZeroWaitError) -> Answer:
    return Answer(question, asked_at, customer, "none", "error", Kind.PERSONAL, type(error).__name__, "", ())
