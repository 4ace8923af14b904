"""What one replica carries, and for whom: what routers in other processes cannot count themselves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from serve_app.domain.generation import Finished, Generate, LoadReport, Tokens

# What an engine gives for a request.
Stream = Callable[[Generate], AsyncGenerator[Tokens | Finished, None]]


@dataclass(slots=True)
class _Carried:
    """For one process that asks."""

    streams: int = 0
    waiting_tokens: int = 0


class ReplicaLoad:
    """Counts an engine's generations by the process that asks for them; `report` tells a process what is there for all others.

    It lies around the engine, inside joining: what several share is counted once, for the process that asked first. The others
    that share it count one stream of their own for it, and hear of it once more.
    """

    def __init__(self, replica_id: str, generate: Stream) -> None:
        self._replica_id = replica_id
        self._generate = generate
        self._by_origin: dict[str, _Carried] = {}
        self._total = _Carried()
        self._told: dict[str, tuple[int, int]] = {}
        self._seq = 0

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        """As `Engine.generate`. Its prompt waits until the first token, its stream runs until it is closed."""
        waiting = request.waiting_tokens
        self._add(request.origin, 1, waiting)
        try:
            async with aclosing(self._generate(request)) as pieces:
                async for piece in pieces:
                    if waiting:
                        self._add(request.origin, 0, -waiting)
                        waiting = 0
                    yield piece
        finally:
            self._add(request.origin, -1, -waiting)

    def report(self, origin: str) -> LoadReport:
        """What is carried for all processes but `origin`, which counts its own requests itself."""
        self._seq += 1
        streams, waiting_tokens = self._told[origin] = self._for_others(origin)
        return LoadReport(self._replica_id, self._seq, streams, waiting_tokens)

    def news(self, origin: str) -> LoadReport | None:
        """A report, if it would say something else than the last one that `origin` was given."""
        return None if self._told.get(origin) == self._for_others(origin) else self.report(origin)

    def _for_others(self, origin: str) -> tuple[int, int]:
        own = self._by_origin.get(origin, _Carried())
        return self._total.streams - own.streams, self._total.waiting_tokens - own.waiting_tokens

    def _add(self, origin: str, streams: int, tokens: int) -> None:
        carried = self._by_origin.setdefault(origin, _Carried())
        for count in (self._total, carried):
            count.streams += streams
            count.waiting_tokens += tokens
        if not carried.streams:
            del self._by_origin[origin]
            self._told.pop(origin, None)
