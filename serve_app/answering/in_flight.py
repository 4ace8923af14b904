"""The bound on what one process answers at a time, over HTTP and over sockets together."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from serve_app.domain.errors import Overloaded


class InFlight:
    """Counts what is being answered. Not for several threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0

    @contextmanager
    def one(self, *, always: bool = False) -> Generator[None]:
        """One more for the length of the block; `always`: also when there are too many. Raises Overloaded."""
        if self._count >= self._limit and not always:
            raise Overloaded("Too many questions at once.", retry_after_s=1)
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
