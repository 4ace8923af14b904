"""Whether the process can answer: each part with its state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from serve_app.domain.errors import InternalError, ZeroWaitError

Check = Callable[[], Awaitable[None]]


class Readiness:
    """Asks every part at once; one that raises or stays silent for `within_s` is not ready. Without those that can be `spared`
    answers go on.

    Whoever asks while the parts are being asked gets the same result, and so does whoever asks within `keep_s` of it: anybody
    may ask, and the parts have better to do. `monotonic` gives seconds.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        monotonic: Callable[[], float],
        within_s: float = 2.0,
        keep_s: float = 0.5,
        spared: frozenset[str] = frozenset(),
    ) -> None:
        self._checks = checks
        self._monotonic = monotonic
        self._within_s = within_s
        self._keep_s = keep_s
        self._spared = spared
        self._asking: asyncio.Task[dict[str, str]] | None = None
        self._kept_until = 0.0

    async def parts(self) -> dict[str, str]:
        """`ok`, `degraded` (it fails, and can be spared), `down` or `late`, by part."""
        asking = self._asking
        if asking is None or self._is_old(asking):
            asking = self._asking = asyncio.create_task(self._ask())
        # A caller that goes away does not end it for the others.
        return dict(await asyncio.shield(asking))

    def _is_old(self, asking: asyncio.Task[dict[str, str]]) -> bool:
        if not asking.done():
            return False
        return asking.cancelled() or asking.exception() is not None or self._monotonic() >= self._kept_until

    async def _ask(self) -> dict[str, str]:
        states = await asyncio.gather(*(self._state(name, check) for name, check in self._checks.items()))
        self._kept_until = self._monotonic() + self._keep_s
        return dict(zip(self._checks, states, strict=True))

    async def _state(self, name: str, check: Check) -> str:
        try:
            async with asyncio.timeout(self._within_s):
                await check()
        except TimeoutError:
            return "degraded" if name in self._spared else "late"
        except (InternalError, ZeroWaitError):
            return "degraded" if name in self._spared else "down"
        return "ok"
