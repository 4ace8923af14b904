"""Reads a stream without being bound to it: waits for the next item no longer than one wants, and leaves without waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Generic, Literal, TypeVar

from serve_app.domain.errors import ModelFailed

T = TypeVar("T")

# Waiting is counted in steps of this length, so that what this process sleeps through itself is not taken for silence.
STEP_S = 0.25


class Reading(Generic[T]):
    """One stream, read in a task of its own from now on. Whoever makes it calls `leave`.

    What comes is kept until it is asked for: take streams whose length is bounded.
    """

    def __init__(self, items: AsyncGenerator[T, None]) -> None:
        self.arrived_at = 0.0  # the last item that `next` gave, in the loop's time
        self._items = items
        self._arrived: deque[tuple[float, T]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._read())
        self._task.add_done_callback(self._ended)

    async def next(self, within_s: float) -> T | Literal["silent", "ended"]:
        """The next item; `silent` when none came within the time; `ended` after the last.

        Raises what the stream raised, and ModelFailed when the stream was cancelled where it comes from.
        """
        waited_s = 0.0
        while not self._arrived and not self._task.done():
            if waited_s >= within_s:
                return "silent"
            step_s = min(STEP_S, within_s - waited_s)
            await self._news(step_s)
            waited_s += step_s
        if self._arrived:
            self.arrived_at, item = self._arrived.popleft()
            return item
        if self._task.cancelled():
            raise ModelFailed("the stream was cancelled")
        self._task.result()
        return "ended"

    def leave(self) -> None:
        """Closes the stream, and does not wait until it is closed. Idempotent."""
        self._task.cancel()

    async def _read(self) -> None:
        async with aclosing(self._items) as items:
            async for item in items:
                self._arrived.append((self._loop.time(), item))
                self._tell()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            # Who has left does not ask for it, and asyncio would complain.
            task.exception()
        self._tell()

    def _tell(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _news(self, within_s: float) -> None:
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(within_s, self._tell)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None
