"""A replica's signs of life: beats while a stream has no tokens to give, and a check that an engine which owes some moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from contextvars import Context

from serve_app.domain.errors import InternalError, ModelFailed, ZeroWaitError
from serve_app.domain.generation import Beat, Finished, Generate, Sampling, Tokens
from serve_app.ports import Engine
from serve_app.reading import Reading

BEAT_S = 0.5
_LONGEST_S = 24 * 3600.0


class Beats:
    """Around one engine. `monotonic` gives seconds, as the engine's `moved_at` does.

    A caller cannot tell a queue from a hang. So a stream without tokens beats as long as the engine moves; where the engine's
    process is frozen there are no beats, and where the replica's is, nothing at all.
    """

    def __init__(self, engine: Engine, stall_s: float, monotonic: Callable[[], float]) -> None:
        self._engine = engine
        self._stall_s = stall_s
        self._monotonic = monotonic
        self._in_doubt = False
        self._question: asyncio.Task[None] | None = None

    async def beating(self, pieces: AsyncGenerator[Tokens | Finished, None]) -> AsyncGenerator[Tokens | Finished | Beat, None]:
        """A stream with beats. Closing it closes `pieces`, and does not wait until the engine has ended them."""
        reading, told_at, ended = Reading(pieces), self._monotonic(), False
        try:
            while True:
                heard = await reading.next(BEAT_S)
                if heard == "ended":
                    ended = True
                    return
                if heard != "silent":
                    told_at = self._monotonic()
                    yield heard
                elif self._engine.signals().moved_at > told_at:
                    told_at = self._monotonic()
                    yield Beat()
        finally:
            reading.leave()
            # Whoever has left may have done so because nothing came.
            self._in_doubt = self._in_doubt or not ended

    async def check(self) -> None:
        """Raises ModelFailed when the engine has died, or owes tokens and has not moved for `stall_s`.

        Callers leave a frozen engine before long, and then it owes nobody. So after one has left, the check asks for a token
        itself, and does not leave.
        """
        await self._engine.check_health()
        if self._in_doubt and self._question is None:
            self._in_doubt = False
            self._question = asyncio.get_running_loop().create_task(self._ask(), context=Context())
        silent_s = self._monotonic() - self._engine.signals().moved_at
        if self._engine.in_flight and silent_s > self._stall_s:
            raise ModelFailed(f"the engine owes tokens and has not moved for {silent_s:.0f} s")

    async def aclose(self) -> None:
        if (question := self._question) is not None:
            question.cancel()
            await asyncio.wait([question])

    async def _ask(self) -> None:
        request = Generate("health", [1, 2, 3, 4], Sampling(max_tokens=1, ignore_eos=True), None, "health", _LONGEST_S)
        try:
            async with aclosing(self._engine.generate(request)) as pieces:
                async for _ in pieces:
                    pass
        except (InternalError, ZeroWaitError):
            # The engine said something, so it moves; if it is dead, its own check says so.
            pass
        finally:
            self._question = None
