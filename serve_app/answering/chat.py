"""The questions of one socket, answered in order."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import Protocol

from opentelemetry import trace
from opentelemetry.context import Context

from serve_app import tracing
from serve_app.answering.frames import error_frame, event_frame, question_frame
from serve_app.answering.in_flight import InFlight
from serve_app.answering.live import Live
from serve_app.answering.reply import Reply
from serve_app.answering.telling import Telling, Viewer
from serve_app.domain.errors import Conflict, InternalError, NotFound, NotReady, Overloaded, ZeroWaitError
from serve_app.domain.live import Talk, left_s
from serve_app.domain.merging import Question, gathered, together
from serve_app.domain.messages import Ask, Done, Failed
from serve_app.ports import Clock

logger = logging.getLogger(__name__)


class Opener(Protocol):
    """`Course.open`."""

    async def __call__(self, ask: Ask, *, new_session: bool) -> Reply: ...


class Chat:
    """Takes one socket's messages to their answers, one question after the other, and tells them.

    Messages that come before the answer to the previous one begins are asked again together with it. When the socket has gone,
    the chat goes on while anybody watches the conversation, and `live.grace_s` longer.

    `chars_max`: of a question. `waiting_max`: messages that may wait for an earlier answer. `parent`: of each question's span.
    """

    def __init__(
        self,
        talk: Talk,
        viewer: Viewer,
        *,
        opener: Opener,
        live: Live,
        in_flight: InFlight,
        clock: Clock,
        chars_max: int,
        waiting_max: int,
        parent: Context | None = None,
    ) -> None:
        self.talk = talk
        self._viewer = viewer
        self._opener = opener
        self._live = live
        self._in_flight = in_flight
        self._clock = clock
        self._chars_max = chars_max
        self._waiting_max = waiting_max
        self._parent = parent
        self._waiting: list[Question] = []
        self._current: Question | None = None
        self._opening: asyncio.Task[Reply] | None = None
        self._worker: asyncio.Task[None] | None = None
        self._audience = live.hold(talk)
        self._left = False
        # What the socket had shown when each message came.
        self._shown: dict[str, dict[str, int]] = {}
        self._auth_ms = 0.0

    def ask(self, ask: Ask, auth_ms: float) -> None:
        """Takes a message. One that is being answered, or waits, is not taken twice. Raises Overloaded."""
        asked = [question.message_ids for question in (self._current, *self._waiting) if question is not None]
        if any(ask.message_id in message_ids for message_ids in asked):
            return
        message = Question((ask,))
        self._auth_ms = auth_ms
        self._shown[ask.message_id] = self._live.shown(self.talk, self._viewer)
        if self._join_current(message):
            return
        if len(self._waiting) >= self._waiting_max:
            raise Overloaded(f"{self._waiting_max} messages wait for their answers: wait for one of them.", retry_after_s=1)
        self._waiting.append(message)
        if not self.busy:
            self._worker = self._live.start(self._work())

    @property
    def busy(self) -> bool:
        """Whether something is being answered, or waits."""
        return self._worker is not None and not self._worker.done()

    def leave(self) -> None:
        """The socket has gone."""
        self._left = True
        if self._worker is None or self._worker.done():
            self._live.release(self._audience)
        else:
            self._live.start(self._end_unwatched(self._worker))

    async def _end_unwatched(self, worker: asyncio.Task[None]) -> None:
        while not worker.done():
            left = left_s(self._live.watched_until(self._audience), asyncio.get_running_loop().time(), self._live.grace_s)
            if left <= 0:
                worker.cancel()
                return
            await asyncio.wait({worker}, timeout=left)

    def _join_current(self, message: Question) -> bool:
        """Asks the current question again, with the message, unless its answer has begun."""
        if self._current is None or self._opening is None or self._opening.done() or self._waiting:
            return False
        joined = together(self._current, message, self._chars_max)
        if joined is None:
            return False
        self._current = joined
        self._opening.cancel()
        return True

    async def _work(self) -> None:
        try:
            while self._waiting:
                self._current, self._waiting = gathered(self._waiting, self._chars_max)
                try:
                    with (
                        self._in_flight.one(),
                        tracing.tracer().start_as_current_span("question", context=self._parent, kind=trace.SpanKind.SERVER),
                    ):
                        await self._answer()
                except ZeroWaitError as error:
                    self._refuse(self._now(), error)
                except InternalError:
                    logger.exception("a question of a socket failed")
                    self._refuse(self._now(), NotReady("The question cannot be answered right now.", retry_after_s=5))
                except Exception:
                    # The edge of the socket: its client is told, and its next question is still answered.
                    logger.exception("a question of a socket failed")
                    self._refuse(self._now(), ZeroWaitError("Something went wrong on our side."))
                waiting = {message_id for question in self._waiting for message_id in question.message_ids}
                self._shown = {message_id: shown for message_id, shown in self._shown.items() if message_id in waiting}
        finally:
            self._current = None
            if self._left:
                self._live.release(self._audience)

    async def _answer(self) -> None:
        question, reply = await self._open()
        if reply is None:
            return
        trace.get_current_span().set_attributes({"zerowait.source": reply.meta.source, "zerowait.kind": reply.meta.kind})
        reply.timings_ms["auth"] = self._auth_ms
        try:
            if reply.repeated:
                await self._repeat(question, reply)
            else:
                await self._give(question, reply)
        finally:
            await reply.aclose()

    # Until it begins

    async def _open(self) -> tuple[Question, Reply | None]:
        """Opens the answer to the current question, again whenever a message has joined it. None: its messages are asked
        one by one instead, because some of them were asked before."""
        while True:
            question = self._now()
            self._opening = opening = asyncio.ensure_future(self._opener(question.ask, new_session=True))
            try:
                reply = await opening
                if self._current is question:
                    return question, reply
                await reply.aclose()
            except asyncio.CancelledError:
                # Either a message has joined, and its question is asked anew, or the chat ends.
                if _is_ending() or self._current is question:
                    await _close(opening)
                    raise
            except Conflict:
                if len(self._now().parts) == 1:
                    raise
                self._waiting = [*self._now().apart(), *self._waiting]
                return question, None
            finally:
                self._opening = None

    def _now(self) -> Question:
        assert self._current is not None
        return self._current

    def _refuse(self, question: Question, error: ZeroWaitError) -> None:
        self._viewer.show([error_frame(error, message_id=message_id) for message_id in question.message_ids])

    # From then on

    async def _give(self, question: Question, reply: Reply) -> None:
        answer_id, message_ids = reply.meta.answer_id, question.message_ids
        asked = question_frame(answer_id, message_ids, reply.question, self._clock.now())
        telling = self._live.begin(self._audience, answer_id, question.ask.caller.customer_id, message_ids, self._viewer, asked)
        saying = asyncio.ensure_future(_say(reply, telling))
        telling.stop = saying.cancel
        try:
            await saying
        except asyncio.CancelledError:
            if _is_ending():
                raise
        finally:
            await reply.aclose()
            if telling.ended_at is None:
                telling.tell(Done("cancelled", timings_ms=dict(reply.timings_ms)))

    async def _repeat(self, question: Question, reply: Reply) -> None:
        """The same answer again, to this socket only: event for event where it is still known so, else as it was recorded."""
        answer_id = reply.meta.answer_id
        try:
            await self._live.repeat(self.talk, self._viewer, answer_id, self._shown.get(question.message_ids[0], {}))
        except NotFound:
            async with aclosing(reply.events()) as events:
                said = [event async for event in events]
            ids = question.message_ids
            self._viewer.show([event_frame(answer_id, seq, event, ids) for seq, event in enumerate(said, 1)])


async def _say(reply: Reply, telling: Telling) -> None:
    try:
        async with aclosing(reply.events()) as events:
            async for event in events:
                telling.tell(event)
    except Exception:
        # As above: the stream ends with an error event, never in the middle.
        logger.exception("answer %s failed", reply.meta.answer_id)
        telling.tell(Failed(ZeroWaitError("Something went wrong on our side.").body()["error"]))


async def _close(opening: asyncio.Task[Reply]) -> None:
    """A reply that came in the moment in which nobody wanted it any more."""
    if opening.done() and not opening.cancelled() and opening.exception() is None:
        await opening.result().aclose()


def _is_ending() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
