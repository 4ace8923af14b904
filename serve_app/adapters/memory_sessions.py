"""Sessions in this process's memory, under the same contract tests as Redis: for tests, and while Redis is away. They are not
forgotten by themselves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from serve_app.adapters.session_records import (
    SESSION_TURNS_MAX,
    answer_line,
    asked_apart,
    focus_json,
    foreign_session,
    full_session,
    question_json,
    unknown_session,
)
from serve_app.domain.errors import Overloaded, StoreFailed
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, Begun, QuestionRecord, Session, Turn, first_shown
from serve_app.ports import SharedAnswers


@dataclass(slots=True)
class _Conversation:
    owner: str | None
    questions: list[QuestionRecord] = field(default_factory=list[QuestionRecord])
    answers: dict[int, AnswerRecord] = field(default_factory=dict[int, AnswerRecord])
    focus: Focus = field(default_factory=Focus)
    focus_number: int = 0
    queue: list[int] = field(default_factory=list[int])  # turns that are not over, first come first
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def number_of(self, message_id: str) -> int | None:
        for n, question in enumerate(self.questions, 1):
            if message_id == question.message_id or message_id in question.merged:
                return n
        return None

    def grow(self, number: int | None, question: QuestionRecord) -> bool:
        """Whether turn `number` (None: a new one) must take in more messages. Raises Conflict when it cannot."""
        of_each = {message_id: self.number_of(message_id) for message_id in question.merged}
        more = any(known is None for known in of_each.values())
        if any(known not in (None, number) for known in of_each.values()):
            raise asked_apart()
        if number is not None and more and (self.is_answered(number) or number != len(self.questions)):
            raise asked_apart()
        return number is not None and more

    def is_answered(self, number: int) -> bool:
        return number in self.answers and not self.answers[number].broke_off

    def turns(self, first: int, end: int) -> tuple[Turn, ...]:
        """From turn `first` until before turn `end`."""
        return tuple(
            Turn(n, question, self.answers.get(n)) for n, question in enumerate(self.questions[first - 1 : end - 1], first)
        )


class MemorySessions:
    """The port `Sessions`. `shared`: where the shared answers stand that `begin` reads along; the others are as in Redis."""

    def __init__(
        self,
        *,
        turn_wait_s: float = 20.0,
        turns_shown: int = 60,
        turns_max: int = SESSION_TURNS_MAX,
        shared: SharedAnswers | None = None,
    ) -> None:
        self._turn_wait_s = turn_wait_s
        self._turns_shown = turns_shown
        self._turns_max = turns_max
        self._shared = shared
        self._conversations: dict[tuple[str, str], _Conversation] = {}

    async def begin(self, question: QuestionRecord, answer_key: str | None = None) -> Begun:
        """See the port. Raises also MalformedRequest, TooLong, and Overloaded when its turn does not come in time."""
        question_json(question)
        talk = self._conversation(question)
        number = talk.number_of(question.message_id)
        grows = talk.grow(number, question)
        if number is None:
            if len(talk.questions) >= self._turns_max:
                raise full_session(self._turns_max)
            talk.questions.append(question)
            number = len(talk.questions)
            talk.queue.append(number)
            await self._turn(talk, number, mine=True)
        else:
            await self._turn(talk, number, mine=False)
            if grows and talk.grow(number, question):
                talk.questions[number - 1] = question
        shared = await self._shared.get(answer_key) if self._shared and answer_key else None
        before = talk.turns(first_shown(number, self._turns_shown), number)
        session = Session(question.tenant, question.session_id, talk.owner, before, talk.focus)
        repeated = talk.answers[number] if talk.is_answered(number) else None
        return Begun(session, number, repeated, shared, talk.questions[number - 1].text)

    async def begin_answered(self, question: QuestionRecord, answer: AnswerRecord, before: Focus, after: Focus) -> Begun:
        """See the port."""
        question_json(question)
        talk = self._conversation(question)
        known = [talk.number_of(message_id) for message_id in (question.message_id, *question.merged)]
        if talk.queue or talk.focus != before or any(known) or len(talk.questions) >= self._turns_max:
            return await self.begin(question)
        number = len(talk.questions) + 1
        answer_line(number, answer)
        talk.questions.append(question)
        talk.answers[number], talk.focus, talk.focus_number = answer, after, number
        session = Session(question.tenant, question.session_id, talk.owner, (), before)
        return Begun(session, number, answered=True)

    def _conversation(self, question: QuestionRecord) -> _Conversation:
        name = (question.tenant, question.session_id)
        if name not in self._conversations and not question.new_session:
            raise unknown_session()
        talk = self._conversations.setdefault(name, _Conversation(question.customer_id))
        if talk.owner is None:
            talk.owner = question.customer_id
        if talk.owner != question.customer_id:
            raise foreign_session(question.customer_id)
        return talk

    async def _turn(self, talk: _Conversation, number: int, *, mine: bool) -> None:
        """Waits until turn `number` is answered, or is first in the queue by this call (`mine`)."""
        try:
            async with asyncio.timeout(self._turn_wait_s), talk.changed:
                while not talk.is_answered(number):
                    if not mine and number not in talk.queue:
                        talk.queue.append(number)
                        mine = True
                    if mine and talk.queue[0] == number:
                        return
                    await talk.changed.wait()
        except BaseException as error:
            if mine:
                await self._leave(talk, number)
            if isinstance(error, TimeoutError):
                raise Overloaded("an earlier question of this session is still being answered", retry_after_s=1) from error
            raise

    async def _leave(self, talk: _Conversation, number: int) -> None:
        if number in talk.queue:
            talk.queue.remove(number)
        async with talk.changed:
            talk.changed.notify_all()

    async def finish(self, tenant: str, session_id: str, number: int, answer: AnswerRecord, focus: Focus) -> bool:
        """See the port."""
        talk = self._conversations.get((tenant, session_id))
        if talk is None or number > len(talk.questions):
            raise StoreFailed("the session is gone")
        try:
            answer_line(number, answer)
            focus_json(focus)
            if not talk.is_answered(number):
                talk.answers[number] = answer
                if number >= talk.focus_number:
                    talk.focus, talk.focus_number = focus, number
        finally:
            await self._leave(talk, number)
        return True

    async def abandon(self, tenant: str, session_id: str, number: int) -> None:
        """See the port."""
        if talk := self._conversations.get((tenant, session_id)):
            await self._leave(talk, number)

    async def read(self, tenant: str, session_id: str, customer_id: str | None) -> Session:
        """See the port."""
        talk = self._conversations.get((tenant, session_id))
        if talk is None:
            raise unknown_session()
        if talk.owner not in (None, customer_id):
            raise foreign_session(customer_id)
        return Session(tenant, session_id, talk.owner, talk.turns(1, len(talk.questions) + 1), talk.focus)

    async def enter(self, tenant: str, session_id: str, customer_id: str | None, *, new: bool = False) -> None:
        """See the port."""
        name = (tenant, session_id)
        if name not in self._conversations and not new:
            raise unknown_session()
        talk = self._conversations.setdefault(name, _Conversation(customer_id))
        if talk.owner not in (None, customer_id):
            raise foreign_session(customer_id)

    async def session_of(self, tenant: str, answer_id: str) -> str | None:
        """See the port."""
        for (owner, session_id), talk in self._conversations.items():
            if owner == tenant and any(answer.answer_id == answer_id for answer in talk.answers.values()):
                return session_id
        return None

    # As a stand-in for another store

    def is_idle(self, tenant: str, session_id: str) -> bool:
        """No turn is in progress, and none waits."""
        talk = self._conversations.get((tenant, session_id))
        return talk is not None and not talk.queue

    def as_it_is(self, tenant: str, session_id: str) -> Session:
        """Whoever asks. The conversation must be here."""
        talk = self._conversations[tenant, session_id]
        return Session(tenant, session_id, talk.owner, talk.turns(1, len(talk.questions) + 1), talk.focus)

    def take_over(self, session: Session, question: QuestionRecord, answer: AnswerRecord, focus: Focus) -> None:
        """Goes on with a conversation of another store, behind a turn that ended there. Its turns are numbered anew.

        Raises StoreFailed for an answer that cannot be kept.
        """
        answer_line(0, answer)
        turns = (*session.turns, Turn(0, question, answer))
        answers = {number: turn.answer for number, turn in enumerate(turns, 1) if turn.answer is not None}
        self._conversations[session.tenant, session.id] = _Conversation(
            session.customer_id, [turn.question for turn in turns], answers, focus, len(turns)
        )

    def forget(self, tenant: str, session_id: str) -> None:
        self._conversations.pop((tenant, session_id), None)

    async def aclose(self) -> None:
        """Nothing to close."""
