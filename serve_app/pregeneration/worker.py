"""Takes jobs of pre-generation while the model has room, a few at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from serve_app.domain.errors import (
    DeadlineExceeded,
    InternalError,
    ModelFailed,
    NotReady,
    Overloaded,
    RoomFailed,
    StoreFailed,
    ZeroWaitError,
)
from serve_app.domain.pregeneration import ATTEMPTS_MAX, CannotMake, Job, Made
from serve_app.ports import Clock, Jobs

logger = logging.getLogger(__name__)

# Longer than a job takes where the model is not overrun; one that takes longer is ended, and tried again later.
LEASE_S = 180.0
AGAIN_S = 5.0
# What may go well another time.
_PASSING = (NotReady, Overloaded, DeadlineExceeded, StoreFailed, ModelFailed, RoomFailed, TimeoutError)


@dataclass(frozen=True, slots=True)
class Done:
    """`note`: what a person should know of it."""

    made: Made
    note: str = ""


class Maker(Protocol):
    async def make(self, job: Job) -> Done:
        """Raises CannotMake; and NotReady, Overloaded, DeadlineExceeded, StoreFailed, ModelFailed, RoomFailed: another time it
        may go well."""
        ...


class Worker:
    """At most `at_once` jobs of this process run at a time; new ones are taken only while `has_room()`."""

    def __init__(
        self,
        jobs: Jobs,
        maker: Maker,
        model: str,
        tenants: Collection[str],
        clock: Clock,
        *,
        at_once: int,
        has_room: Callable[[], bool],
        pause_s: float = 1.0,
    ) -> None:
        self._jobs = jobs
        self._maker = maker
        self._model = model
        self._tenants = tuple(tenants)
        self._clock = clock
        self._at_once = at_once
        self._has_room = has_room
        self._pause_s = pause_s
        self._running: dict[asyncio.Task[None], Job] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            taken = 0
            try:
                taken = await self.take()
            except StoreFailed as error:
                logger.warning("no jobs of pre-generation can be taken: %s", error)
            if not taken:
                await asyncio.sleep(self._pause_s)
            elif len(self._running) >= self._at_once:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def take(self) -> int:
        """Begins as many jobs as there is room for; returns how many. Raises StoreFailed."""
        free = self._at_once - len(self._running)
        if free <= 0 or not self._has_room():
            return 0
        taken = await self._jobs.take(self._tenants, self._clock.now(), LEASE_S, free)
        for job in taken:
            task = asyncio.create_task(self._work(job))
            self._running[task] = job
            task.add_done_callback(lambda ended: self._running.pop(ended, None))
        return len(taken)

    async def aclose(self) -> None:
        """What runs is given back: another process begins it anew."""
        running = dict(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
            await _logged(self._jobs.give_back(list(running.values()), self._clock.now()))

    async def _work(self, job: Job) -> None:
        if job.attempts > ATTEMPTS_MAX:
            await _logged(self._jobs.fail(job, f"given up after {ATTEMPTS_MAX} attempts", None))
            return
        try:
            async with asyncio.timeout(LEASE_S * 0.9):
                done = await self._maker.make(job)
        except CannotMake as error:
            await _logged(self._jobs.fail(job, str(error), None))
        except _PASSING as error:
            await self._again(job, _told(error))
        except (InternalError, ZeroWaitError) as error:
            await _logged(self._jobs.fail(job, _told(error), None))
        except Exception as error:
            # A job that nobody foresaw must not be the last.
            logger.exception("the job %s of pre-generation failed", job.id)
            await self._again(job, type(error).__name__)
        else:
            await _logged(self._jobs.make(job, done.made, self._model, done.note, self._clock.now()))

    async def _again(self, job: Job, reason: str) -> None:
        at = self._clock.now() + timedelta(seconds=AGAIN_S * job.attempts)
        await _logged(self._jobs.fail(job, reason, at if job.attempts < ATTEMPTS_MAX else None))


def _told(error: BaseException) -> str:
    return error.message if isinstance(error, ZeroWaitError) else str(error) or type(error).__name__


async def _logged(step: Coroutine[Any, Any, None]) -> None:
    try:
        await step
    except StoreFailed as error:
        logger.warning("what came of a job of pre-generation was not kept: %s", error)
