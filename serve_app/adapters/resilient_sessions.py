"""Sessions that go on while Redis is slow or away: kept in this process meanwhile, and given back afterwards.

What is right at any time:
- A turn that was begun in Redis ends there, or, when Redis is away then, here: the conversation goes on with what it showed.
- Of a conversation that Redis alone knows, a question is answered without its earlier turns (`Session.apart`). Whose it is
  cannot be checked, so nothing that others said in it is shown. When Redis is back and says that it is another's, the turns
  that were kept here are dropped.
- A conversation is given back turn by turn, each under its message's id, so that a turn of which Redis got a part before is
  completed, and none stands there twice. Redis numbers them; the first answer to a message stays.
- A conversation with a turn in progress is not given back until that has ended.
- What is lost: with this process, the turns it could not give back; while Redis is away, what other processes answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from cachetools import LRUCache

from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.adapters.resilient_link import ResilientLink
from serve_app.adapters.session_records import foreign_session
from serve_app.adapters.stand_in_sessions import FIRST_HERE, StandInSessions
from serve_app.domain.errors import InternalError, Overloaded, StoreFailed, ZeroWaitError
from serve_app.domain.live import Talk
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, Begun, QuestionRecord, Session

logger = logging.getLogger(__name__)

# Customers' conversations whose owner is remembered.
OWNERS_MAX = 50_000
# A conversation that Redis does not take although it answers is dropped after so many attempts.
ATTEMPTS_MAX = 5
# So many are given back at a time, and the next ones after this time at the latest.
AT_A_TIME, GIVING_S = 16, 1.0
# How long the end of the process waits for what has to be given back.
END_S = 5.0

T = TypeVar("T")


@dataclass(slots=True)
class _UnderWay:
    """A turn that was begun in Redis by this process."""

    question: QuestionRecord
    session: Session
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class ResilientSessions:
    """The port `LiveSessions`. `run` must run beside it.

    `prompt` and `patient` keep sessions in the same Redis: the first within `link`'s budget, for answers; the second within
    Redis's own time, for the rest. `turn_wait_s`: how long a question waits for its session's earlier ones. `pause_s`: between
    two attempts to give conversations back.
    """

    def __init__(
        self,
        prompt: RedisSessions,
        patient: RedisSessions,
        link: ResilientLink,
        stand_in: StandInSessions,
        *,
        turn_wait_s: float,
        pause_s: float = 0.5,
    ) -> None:
        self._prompt = prompt
        self._patient = patient
        self._link = link
        self._here = stand_in
        self._turn_wait_s = turn_wait_s
        self._pause_s = pause_s
        self._under_way: dict[Talk, dict[int, _UnderWay]] = {}
        self._owners: LRUCache[Talk, str] = LRUCache(OWNERS_MAX)
        self._returning: dict[Talk, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._something_here = asyncio.Event()

    # A turn

    async def begin(self, question: QuestionRecord, answer_key: str | None = None) -> Begun:
        """See the port. Does not raise StoreFailed."""
        there = partial(self._prompt.begin, question, answer_key)
        return await self._begin(question, there, partial(self._here.begin, question))

    async def begin_answered(self, question: QuestionRecord, answer: AnswerRecord, before: Focus, after: Focus) -> Begun:
        """See the port. Does not raise StoreFailed."""
        there = partial(self._prompt.begin_answered, question, answer, before, after)
        return await self._begin(question, there, partial(self._here.begin_answered, question, answer, before, after))

    async def _begin(
        self, question: QuestionRecord, there: Callable[[], Awaitable[Begun]], here: Callable[[], Awaitable[Begun]]
    ) -> Begun:
        talk = Talk(question.tenant, question.session_id)
        while await self._is_there(talk):
            try:
                begun = await there()
            except StoreFailed as error:
                logger.debug("a question is recorded here, not in Redis: %s", error)
                if await self._waited_for_those_under_way(talk):
                    continue
                if talk not in self._here:
                    await self._admit(talk, question)
                break
            self._begun(talk, question, begun)
            return begun
        self._something_here.set()
        return await here()

    async def _admit(self, talk: Talk, question: QuestionRecord) -> None:
        self._check_owner(talk, question.customer_id)
        is_known = question.new_session or talk in self._owners
        await self._here.admit(talk, question.customer_id, apart=not is_known)

    def _check_owner(self, talk: Talk, customer_id: str | None) -> None:
        """Raises Forbidden. A conversation that is a customer's stays his."""
        if self._owners.get(talk, customer_id) != customer_id:
            raise foreign_session(customer_id)

    def _begun(self, talk: Talk, question: QuestionRecord, begun: Begun) -> None:
        if begun.session.customer_id is not None:
            self._owners[talk] = begun.session.customer_id
        if begun.repeated is None and not begun.answered:
            self._under_way.setdefault(talk, {})[begun.number] = _UnderWay(question, begun.session)

    async def _waited_for_those_under_way(self, talk: Talk) -> bool:
        """Whether there were turns of the conversation that this process had begun in Redis; they have ended then."""
        turns = list(self._under_way.get(talk, {}).values())
        try:
            async with asyncio.timeout(self._turn_wait_s):
                for turn in turns:
                    await turn.ended.wait()
        except TimeoutError:
            raise Overloaded("an earlier question of this session is still being answered", retry_after_s=1) from None
        return bool(turns)

    async def finish(self, tenant: str, session_id: str, number: int, answer: AnswerRecord, focus: Focus) -> bool:
        """See the port. Once begun it is carried out, also when its caller is cancelled.

        Raises StoreFailed for an answer that cannot be kept, and Conflict as Redis's sessions do.
        """
        return await asyncio.shield(self._in_background(self._finish(Talk(tenant, session_id), number, answer, focus)))

    async def _finish(self, talk: Talk, number: int, answer: AnswerRecord, focus: Focus) -> bool:
        if number >= FIRST_HERE:
            await self._here.finish(talk, number, answer, focus)
            self._something_here.set()
            return False
        turn = self._under_way.get(talk, {}).get(number)
        try:
            return await self._prompt.finish(*talk, number, answer, focus)
        except StoreFailed as error:
            if turn is None:
                raise
            logger.info("an answer is recorded here, not in Redis: %s", error)
            if talk not in self._here:
                self._here.take_over(turn.session, turn.question, answer, focus)
            self._something_here.set()
            return False
        finally:
            self._ended(talk, number)

    async def abandon(self, tenant: str, session_id: str, number: int) -> None:
        """See the port."""
        talk = Talk(tenant, session_id)
        if number >= FIRST_HERE:
            await self._here.abandon(talk, number)
            return
        try:
            await self._prompt.abandon(tenant, session_id, number)
        except StoreFailed as error:
            logger.info("a turn was not given up in Redis, it ends with its lease: %s", error)
        finally:
            self._ended(talk, number)

    def _ended(self, talk: Talk, number: int) -> None:
        turns = self._under_way.get(talk, {})
        if (turn := turns.pop(number, None)) is not None:
            turn.ended.set()
        if not turns:
            self._under_way.pop(talk, None)

    # The conversation

    async def read(self, tenant: str, session_id: str, customer_id: str | None) -> Session:
        """See the port. With `Session.apart` when only what was said here is known."""
        talk = Talk(tenant, session_id)
        if not await self._is_there(talk):
            return await self._here.read(talk, customer_id)
        return await self._reach(partial(self._patient.read, tenant, session_id, customer_id))

    async def enter(self, tenant: str, session_id: str, customer_id: str | None, *, new: bool = False) -> None:
        """See the port. While Redis is away, a conversation that only Redis knows can be entered by the customer of whom this
        process knows that it is his."""
        talk = Talk(tenant, session_id)
        self._check_owner(talk, customer_id)
        if not await self._is_there(talk) and not self._here.is_apart(talk):
            await self._here.enter(talk, customer_id)
            return
        try:
            await self._reach(partial(self._patient.enter, tenant, session_id, customer_id, new=new))
        except StoreFailed:
            if new:
                await self._here.admit(talk, customer_id, apart=False)
                self._something_here.set()
            elif customer_id is None or self._owners.get(talk) != customer_id:
                raise
        else:
            if new and customer_id is not None:
                self._owners[talk] = customer_id

    async def session_of(self, tenant: str, answer_id: str) -> str | None:
        """See the port."""
        found = await self._here.session_of(tenant, answer_id) if len(self._here) else None
        return found or await self._reach(partial(self._patient.session_of, tenant, answer_id))

    async def _reach(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self._link.is_left_alone:
            raise StoreFailed("Redis is left alone for a while, after repeated failures")
        return await call()

    # Conversations go back

    async def _is_there(self, talk: Talk) -> bool:
        """Whether Redis is to be asked: the conversation is not kept here, or could be given back at once."""
        if talk not in self._here:
            return True
        if self._link.is_left_alone or not self._here.is_idle(talk):
            return False
        await asyncio.wait((self._give_back(talk),), timeout=self._link.budget_s)
        return talk not in self._here

    def _give_back(self, talk: Talk) -> asyncio.Task[None]:
        if (task := self._returning.get(talk)) is None:
            task = self._returning[talk] = self._in_background(self._give(talk))
            task.add_done_callback(lambda _: self._returning.pop(talk, None))
        return task

    async def _give(self, talk: Talk) -> None:
        """Ends with the conversation in Redis, or lost; or still here, with all that Redis did not get."""
        here = self._here
        if talk not in here:
            return
        is_taken = False  # else its server is away, also when the breaker has not seen it, or others of a cluster are not
        try:
            await self._patient.enter(*talk, here.owner_of(talk), new=not here.is_apart(talk))
            is_taken = True
            for turn, focus in here.not_stored(talk):
                if not here.is_idle(talk):
                    return
                begun = await self._patient.begin(turn.question)
                if begun.repeated is None and turn.answer is None:
                    await self._patient.abandon(*talk, begun.number)
                elif begun.repeated is None and turn.answer is not None:
                    await self._patient.finish(*talk, begun.number, turn.answer, focus)
                here.stored(talk)
        except (InternalError, Overloaded) as error:
            if is_taken and not self._link.is_left_alone and here.failed(talk) >= ATTEMPTS_MAX:
                self._lost(talk, error)
        except ZeroWaitError as error:
            self._lost(talk, error)
        else:
            if here.is_idle(talk):
                here.forget(talk)

    def _lost(self, talk: Talk, error: Exception) -> None:
        logger.warning("what was said in a conversation while Redis was away is lost: %s", error)
        self._here.forget(talk)

    async def run(self) -> None:
        """Gives conversations back when Redis answers. Runs until it is cancelled."""
        while True:
            await self._something_here.wait()
            await asyncio.sleep(self._pause_s)
            await self._return_all()
            if not len(self._here):
                self._something_here.clear()

    async def _return_all(self) -> None:
        idle = self._here.idle()
        for first in range(0, len(idle), AT_A_TIME):
            try:
                # Also what tells the breaker that Redis is back, where nobody asks anything.
                await self._link.ping()
            except StoreFailed:
                if self._link.is_left_alone:
                    return
                # Of a cluster only some servers are away.
            giving = [self._give_back(talk) for talk in idle[first : first + AT_A_TIME] if talk in self._here]
            if giving:
                # One that waits for its turn, behind a process that has died, keeps only its place.
                await asyncio.wait(giving, timeout=GIVING_S)

    async def aclose(self) -> None:
        """Gives back what it can, within a bound."""
        try:
            async with asyncio.timeout(END_S):
                await self._return_all()
        except TimeoutError:
            pass
        if len(self._here):
            logger.warning("%d conversations are lost in part: Redis did not take them back", len(self._here))
        for task in (running := list(self._running)):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(self._prompt.aclose(), self._patient.aclose())

    def _in_background(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
