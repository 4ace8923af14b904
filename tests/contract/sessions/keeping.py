"""What the tests of the keepers of sessions ask and answer, and a keeper in their hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from uuid import uuid4

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
