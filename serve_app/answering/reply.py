"""An answer that has begun: what its head says, and the events that follow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any

from serve_app.answering.work import Draft, Route, Work
from serve_app.domain.errors import InternalError, NotReady, ZeroWaitError
from serve_app.domain.messages import Delta, Done, Event, Failed, Meta, Middle

logger = logging.getLogger(__name__)

# Closing must go on when its caller is being cancelled; the loop alone would let such a task be collected.
_closing: set[asyncio.Task[None]] = set()

# Records how an answer ended: the reason, the events that were said, in order.
Recorder = Callable[[str, tuple[Middle, ...]], Coroutine[Any, Any, None]]


class Reply:
    """The head of an answer, and its events.

    It must be closed. One that was not read to its end is cut there: the generation ends, and what was given is recorded.
    """

    def __init__(self, meta: Meta, draft: Draft, work: Work, record: Recorder | None) -> None:
        """`record` None: it is recorded already."""
        self.meta = meta
        self.route: Route | None = draft.route
        self.timings_ms = work.timings_ms
        # An earlier answer, to the same message: it has been given before.
        self.repeated = meta.answer_id != work.answer_id
        self._draft = draft
        self._work = work
        self._record = record
        self._said: list[Middle] = []
        self._recorded = record is None

    @property
    def question(self) -> str:
        """What was asked, with all the messages that are one question."""
        return self._work.text

    @property
    def at_once(self) -> tuple[Event, ...] | None:
        """All its events, where they are known and recorded: nothing is waited for then."""
        draft = self._draft
        if self._record is not None or draft.events is None:
            return None
        return (self.meta, *draft.events, self._done())

    async def events(self) -> AsyncGenerator[Event]:
        """`Meta`, what is said, then `Done`; or `Failed`, after which nothing follows."""
        yield self.meta
        outcome = self._draft.outcome
        try:
            async for event in self._draft.body:
                self._said.append(event)
                yield event
            await self._finish(outcome.finish_reason)
        except ZeroWaitError as error:
            yield await self._fail(error)
        except InternalError as error:
            logger.warning("answer %s broke off: %s", self.meta.answer_id, error)
            yield await self._fail(NotReady("The answer broke off. Please ask again.", retry_after_s=5))
        else:
            yield self._done()

    def _done(self) -> Done:
        outcome = self._draft.outcome
        return Done(outcome.finish_reason, outcome.usage, dict(self.timings_ms), tuple(self._work.degraded))

    async def aclose(self) -> None:
        """Idempotent. Returns when the cut is recorded, or at once when the caller is being cancelled."""
        if not self._recorded:
            await asyncio.shield(_background(self._cut()))

    async def _finish(self, reason: str) -> None:
        """A recording that has begun goes on, also when the client leaves in the middle of it."""
        if self._record is not None and not self._recorded:
            self._recorded = True
            await asyncio.shield(_background(self._record(reason, tuple(self._said))))

    async def _fail(self, error: ZeroWaitError) -> Failed:
        if not self._recorded:
            await quietly(self._finish("error"))
        return Failed(error.body()["error"], error.status, error.retry_after_s)

    async def _cut(self) -> None:
        self._recorded = True
        await quietly(self._draft.body.aclose())
        if self._record is not None:
            await quietly(self._record("cancelled", tuple(self._said)))


def _background(step: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.ensure_future(step)
    _closing.add(task)
    task.add_done_callback(_closing.discard)
    return task


async def quietly(step: Coroutine[Any, Any, None] | Awaitable[None]) -> None:
    """For what is done on the way out: a failure there is logged, and does not hide the one that led there."""
    try:
        await step
    except (InternalError, ZeroWaitError, RuntimeError) as error:
        logger.warning("while closing an answer: %s", error)


def text_of(said: tuple[Middle, ...]) -> str:
    return "".join(event.text for event in said if isinstance(event, Delta))
