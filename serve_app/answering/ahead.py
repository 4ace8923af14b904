"""An answer that is begun before it is known to be wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

from serve_app.answering.work import Draft


class Ahead:
    """A draft in the making. One that is not taken is ended, and its generation with it."""

    def __init__(self, making: Coroutine[Any, Any, Draft]) -> None:
        self._making = asyncio.ensure_future(making)
        self._taken = False

    async def __aenter__(self) -> Ahead:
        return self

    async def draft(self) -> Draft:
        """Takes it. Raises what the making raises."""
        draft = await self._making
        self._taken = True
        return draft

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._taken:
            return
        self._making.cancel()
        await asyncio.wait({self._making})
        if not self._making.cancelled() and self._making.exception() is None:
            await self._making.result().body.aclose()
