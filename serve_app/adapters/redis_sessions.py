"""Sessions in Redis. The turn-taking is Lua (`session_scripts`); here are waiting, leases and the records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from serve_app.adapters import session_scripts as scripts
from serve_app.adapters.redis_client import answer_key_in_redis, session_keys
from serve_app.adapters.redis_link import Calls
from serve_app.adapters.session_records import (
    SESSION_TURNS_MAX,
    answer_json,
    answer_line,
    asked_apart,
    focus_json,
    focus_of,
    foreign_session,
    full_session,
    question_json,
    turns_of,
    unknown_session,
)
from serve_app.domain.errors import Conflict, Overloaded, StoreFailed
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, Begun, QuestionRecord, Session, first_shown

logger = logging.getLogger(__name__)

# A session that was made and in which nothing was asked yet.
EMPTY_TTL_S = 24 * 3600

# A call that was given up has ended by then.
LATE_S = 1.0
FIRST_PAUSE_S = 0.005
LONGEST_PAUSE_S = 0.1

Keys = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Held:
    """A turn that this process has: its holder's name, its message, and the task that renews its lease."""

    holder: str
    message_id: str
    keeper: asyncio.Task[None]


class RedisSessions:
    """The port `Sessions`.

    `ttl_s`: a session's time to live after its last turn. `turn_wait_s`: how long a question waits for its session's earlier
    ones. `turns_shown`: at most so many turns are given to the next one. `turns_max`: a session takes no more than these.
    `lease_s`: how long a turn outlives a process that died with it. `hold_max_s`: a turn that nobody ended is given up after
    that. `off_path`: for what no answer waits for, which may take longer than `calls` allow. Every method raises StoreFailed
    when Redis does not answer in time.
    """

    def __init__(
        self,
        calls: Calls,
        *,
        ttl_s: int,
        turn_wait_s: float,
        turns_shown: int = 60,
        turns_max: int = SESSION_TURNS_MAX,
        lease_s: float = 5.0,
        hold_max_s: float = 120.0,
        off_path: Calls | None = None,
    ) -> None:
        self._calls = calls
        self._off_path = off_path or calls
        self._turns_shown = turns_shown
        self._turns_max = turns_max
        self._ttl_s = ttl_s
        self._turn_wait_s = turn_wait_s
        self._lease_s = lease_s
        self._hold_max_s = hold_max_s
        self._held: dict[tuple[str, str, int], _Held] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def begin(self, question: QuestionRecord, answer_key: str | None = None) -> Begun:
        """See the port. Raises also MalformedRequest, TooLong, and Overloaded when its turn does not come in time."""
        beside = ("GET", answer_key_in_redis(answer_key)) if answer_key else None
        begun, shared = await self._begin(question, ("", "", ""), beside)
        # The shared answer is a help, not a need: one that cannot be read (another type) is a miss.
        return replace(begun, shared=shared) if isinstance(shared, bytes) else begun

    async def begin_answered(self, question: QuestionRecord, answer: AnswerRecord, before: Focus, after: Focus) -> Begun:
        """See the port. Raises as `begin` does, and StoreFailed for an answer that cannot be kept."""
        # Where nothing was asked yet, no focus is stored.
        needed = "" if before == Focus() else focus_json(before)
        known = (answer_json(answer), needed, focus_json(after))
        index = self._index(question.tenant, answer.answer_id, question.session_id)
        begun, indexed = await self._begin(question, known, index)
        if isinstance(indexed, Exception):
            _not_indexed(indexed)
        return begun

    async def _begin(
        self, question: QuestionRecord, known: tuple[str | bytes, ...], beside: tuple[str | int, ...] | None
    ) -> tuple[Begun, Any]:
        holder = uuid4().hex
        keys = session_keys(question.tenant, question.session_id)
        arguments = (
            question.customer_id or "",
            question.message_id,
            "1" if question.new_session else "0",
            question_json(question),
            holder,
            int(self._lease_s * 1000),
            self._ttl_s,
            self._turns_shown,
            self._turns_max,
            *known,
            *question.merged,
        )
        reply, beside_it = await self._turn(keys, arguments, beside, question.message_id, holder)
        return self._begun(question, holder, reply), beside_it

    async def _turn(
        self,
        keys: Keys,
        arguments: tuple[str | bytes | int, ...],
        beside: tuple[str | int, ...] | None,
        message_id: str,
        holder: str,
    ) -> tuple[list[Any], Any]:
        """Asks until the turn has come, or the reply is another than to wait."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._turn_wait_s
        pause_s = FIRST_PAUSE_S
        while True:
            call = asyncio.ensure_future(scripts.BEGIN.run_beside(self._calls, keys, arguments, beside))
            try:
                reply, shared = await asyncio.shield(call)
                if reply[0] != b"wait":
                    return reply, shared
                if loop.time() + pause_s > give_up_at:
                    raise Overloaded("an earlier question of this session is still being answered", retry_after_s=1)
                await asyncio.sleep(pause_s)
            except BaseException:
                # Also when the client goes away: nobody shall wait for a turn that nobody takes.
                self._in_background(self._leave_after(call, keys, message_id, holder))
                raise
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)

    def _begun(self, question: QuestionRecord, holder: str, reply: list[Any]) -> Begun:
        if reply[0] == b"unknown":
            raise unknown_session()
        if reply[0] == b"foreign":
            raise foreign_session(question.customer_id)
        if reply[0] == b"full":
            raise full_session(self._turns_max)
        if reply[0] == b"apart":
            raise asked_apart()
        if reply[0] == b"answered":
            session = Session(question.tenant, question.session_id, reply[2].decode() or None)
            return Begun(session, int(reply[1]), answered=True)
        status, number, owner, focus, lines = reply[0], int(reply[1]), *reply[2:]
        turns = turns_of(lines)
        turn = next(turn for turn in turns if turn.number == number)
        repeated = turn.answer if status == b"repeated" else None
        first = first_shown(number, self._turns_shown)
        before = tuple(turn for turn in turns if first <= turn.number < number)
        session = Session(question.tenant, question.session_id, owner.decode() or None, before, focus_of(focus))
        if status == b"turn":
            self._hold(question, number, holder)
        return Begun(session, number, repeated, text=turn.question.text)

    async def finish(self, tenant: str, session_id: str, number: int, answer: AnswerRecord, focus: Focus) -> bool:
        """See the port.

        Once begun it is carried out, also when its caller is cancelled. Whatever it raises, the turn is let go. Raises
        StoreFailed (also for an answer that cannot be kept), and Conflict when this process had lost the turn and a repeat of
        the message took it up.
        """
        await asyncio.shield(self._in_background(self._finish(tenant, session_id, number, answer, focus)))
        return True

    async def _finish(self, tenant: str, session_id: str, number: int, answer: AnswerRecord, focus: Focus) -> None:
        held = self._held.get((tenant, session_id, number))
        keys = session_keys(tenant, session_id)
        try:
            holder, message_id = (held.holder, held.message_id) if held else ("", "")
            whole = "0" if answer.broke_off else "1"
            arguments = (number, holder, answer_line(number, answer), whole, focus_json(focus), self._ttl_s, message_id)
            index = self._index(tenant, answer.answer_id, session_id)
            status, indexed = await scripts.FINISH.run_beside(self._calls, keys, arguments, index)
        except BaseException:
            if held is not None:
                self._in_background(self._leave(keys, held.message_id, held.holder))
            raise
        finally:
            self._let_go(tenant, session_id, number)
        if isinstance(indexed, Exception):
            _not_indexed(indexed)
        if status == b"gone":
            raise StoreFailed("the turn is gone: its session's time to live is over, or Redis lost it")
        if status == b"taken":
            raise Conflict("the same message was sent again and is being answered there", param="message_id")

    def _index(self, tenant: str, answer_id: str, session_id: str) -> tuple[str | int, ...]:
        return "SET", _answer_key(tenant, answer_id), session_id, "EX", self._ttl_s

    async def session_of(self, tenant: str, answer_id: str) -> str | None:
        """See the port."""
        found = await self._calls.call("GET", _answer_key(tenant, answer_id))
        return found.decode("utf-8", "surrogatepass") if isinstance(found, bytes) else None

    async def abandon(self, tenant: str, session_id: str, number: int) -> None:
        """See the port."""
        held = self._let_go(tenant, session_id, number)
        if held is not None:
            await scripts.LEAVE.run(self._off_path, session_keys(tenant, session_id), (held.message_id, held.holder))

    async def read(self, tenant: str, session_id: str, customer_id: str | None) -> Session:
        """See the port."""
        owner, focus, lines = await scripts.READ.run(self._calls, session_keys(tenant, session_id), ())
        if owner is None:
            raise unknown_session()
        if owner and owner.decode() != customer_id:
            raise foreign_session(customer_id)
        return Session(tenant, session_id, owner.decode() or None, turns_of(lines), focus_of(focus))

    async def enter(self, tenant: str, session_id: str, customer_id: str | None, *, new: bool = False) -> None:
        """See the port."""
        arguments = (customer_id or "", min(self._ttl_s, EMPTY_TTL_S) if new else 0)
        status = await scripts.ENTER.run(self._calls, session_keys(tenant, session_id), arguments)
        if status == b"unknown":
            raise unknown_session()
        if status == b"foreign":
            raise foreign_session(customer_id)

    async def aclose(self) -> None:
        """Gives the turns up that this process still has, so that nobody waits for their leases to end."""
        await asyncio.gather(*(self.abandon(*turn) for turn in list(self._held)), *self._running, return_exceptions=True)

    def _hold(self, question: QuestionRecord, number: int, holder: str) -> None:
        turn = (question.tenant, question.session_id, number)
        keeper = asyncio.create_task(self._keep(session_keys(question.tenant, question.session_id), number, holder))
        self._held[turn] = _Held(holder, question.message_id, keeper)
        keeper.add_done_callback(lambda _: self._forget(turn, holder))

    async def _keep(self, keys: Keys, number: int, holder: str) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._hold_max_s
        while loop.time() < end:
            await asyncio.sleep(self._lease_s / 3)
            try:
                if not await scripts.RENEW.run(self._off_path, keys, (number, holder, int(self._lease_s * 1000))):
                    return
            except StoreFailed as error:
                logger.warning("a turn's lease was not renewed: %s", error)

    def _forget(self, turn: tuple[str, str, int], holder: str) -> None:
        held = self._held.get(turn)
        if held is not None and held.holder == holder:
            del self._held[turn]

    def _let_go(self, tenant: str, session_id: str, number: int) -> _Held | None:
        held = self._held.pop((tenant, session_id, number), None)
        if held is not None:
            held.keeper.cancel()
        return held

    def _in_background(self, call: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(call)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _leave_after(self, call: asyncio.Future[Any], keys: Keys, message_id: str, holder: str) -> None:
        # Not before the last call has ended: it would line the turn up again.
        await asyncio.wait([call])
        await self._leave(keys, message_id, holder)
        if not call.cancelled() and isinstance(call.exception(), StoreFailed):
            # One that was given up may still be carried out.
            await asyncio.sleep(LATE_S)
            await self._leave(keys, message_id, holder)

    async def _leave(self, keys: Keys, message_id: str, holder: str) -> None:
        try:
            await scripts.LEAVE.run(self._off_path, keys, (message_id, holder))
        except StoreFailed as error:
            logger.warning("a turn was not given up, it ends with its lease: %s", error)


def _not_indexed(error: Exception) -> None:
    """The answer cannot be rated by its id, and nothing else is lost."""
    logger.warning("an answer cannot be found by its id: %s", error)


def _answer_key(tenant: str, answer_id: str) -> str:
    """Where an answer's session stands. It lies in another slot of a cluster than the session."""
    return f"zw:o:{quote(tenant, safe='')}/{quote(answer_id, safe='')}"
