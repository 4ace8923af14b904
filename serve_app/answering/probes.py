"""Asks replicas that were left whether they answer again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context
from itertools import count

from serve_app.domain.errors import InternalError, ZeroWaitError
from serve_app.domain.generation import Generate, Sampling, Started
from serve_app.ports import Replicas
from serve_app.reading import Reading

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 10.0


class Probes:
    """Keeps a replica out of the fleet until it has generated a token, or shown that its engine moves.

    Through the engine, because a health check does not notice one whose process is frozen. A replica that Serve has removed
    leaves the fleet by itself.
    """

    def __init__(self, replicas: Replicas, timeout_s: float, probed: Callable[[bool], None]) -> None:
        """`probed` is told of every probe whether it was answered."""
        self._replicas = replicas
        self._timeout_s = timeout_s
        self._probed = probed
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._numbers = count(1)

    def eject(self, replica_id: str) -> None:
        """From now on it gets nothing but probes."""
        self._replicas.fleet.eject(replica_id)
        if replica_id not in self._tasks:
            # In a context of its own: Ray Serve cancels what was called in a request's context when its client goes away.
            task = asyncio.get_running_loop().create_task(self._until_answered(replica_id), context=Context())
            self._tasks[replica_id] = task

    async def aclose(self) -> None:
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _until_answered(self, replica_id: str) -> None:
        pause_s = FIRST_PAUSE_S
        try:
            while True:
                await asyncio.sleep(pause_s)
                if replica_id not in self._replicas.fleet.ejected():
                    return
                answered = await self._answers(replica_id)
                self._probed(answered)
                if answered:
                    logger.info("replica %s answers again", replica_id)
                    self._replicas.fleet.readmit(replica_id)
                    return
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        finally:
            # Not when the task is done, which is a moment later: ejected in between, it would never be asked again.
            del self._tasks[replica_id]

    async def _answers(self, replica_id: str) -> bool:
        sampling = Sampling(max_tokens=1, ignore_eos=True)
        probe = Generate(f"probe-{next(self._numbers)}", [1, 2, 3, 4], sampling, None, "probe", timeout_s=self._timeout_s)
        reading = Reading(self._replicas.generate(probe, only=replica_id))
        try:
            async with asyncio.timeout(self._timeout_s):
                while isinstance(heard := await reading.next(self._timeout_s), Started):
                    pass
        except (InternalError, ZeroWaitError, TimeoutError):
            return False
        finally:
            reading.leave()
        return not isinstance(heard, str)
