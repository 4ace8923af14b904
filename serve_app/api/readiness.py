"""Whether the process can answer: each part with its state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from serve_app.domain.errors import InternalError, ZeroWaitError

Check = Callable[[], Awaitable[None]]


class Readiness:
    """Asks every part at once; one that raises or stays silent for `within_s` is not ready."""

    def __init__(self, checks: Mapping[str, Check], within_s: float = 2.0) -> None:
        self._checks = checks
        self._within_s = within_s

    async def parts(self) -> dict[str, str]:
        """`ok`, `down` or `late`, by part."""
        states = await asyncio.gather(*(self._state(check) for check in self._checks.values()))
        return dict(zip(self._checks, states, strict=True))

    async def _state(self, check: Check) -> str:
        try:
            async with asyncio.timeout(self._within_s):
                await check()
        except TimeoutError:
            return "late"
        except (InternalError, ZeroWaitError):
            return "down"
        return "ok"
