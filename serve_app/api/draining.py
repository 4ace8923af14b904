"""A process that is being replaced asks its sockets' clients to connect anew."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

# Long enough that the one in front has turned to other processes, and that not all clients come back at once.
SPREAD_S = (2.0, 10.0)


class Draining:
    """Whether this process is being replaced, and which of its sockets goes when.

    `spread_s`: a socket goes so many seconds after the beginning, at least and at most.
    """

    def __init__(
        self, spread_s: tuple[float, float] = SPREAD_S, between: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._spread_s = spread_s
        self._between = between
        self._begun = asyncio.Event()

    def begin(self) -> None:
        """The process takes no more clients, and lets those go that it has. Once begun, it stays so."""
        self._begun.set()

    async def turn(self) -> None:
        """Returns when it is the caller's turn to go, at a moment of its own."""
        await self._begun.wait()
        await asyncio.sleep(self._between(*self._spread_s))
