"""What one replica carries, and for whom: what routers in other processes cannot count themselves."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from serve_app.domain.generation import Finished, Generate, LoadReport, Tokens
from serve_app.fleet import REPORT_TTL_S
from serve_app.ports import Stream

# What was told so long ago is told again: whoever heard it is about to forget it.
_TELL_AGAIN_S = REPORT_TTL_S / 2
# Of more processes that asked the one told longest ago is forgotten, and told once more.
_ORIGINS_MAX = 256


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

    def __init__(self, replica_id: str, generate: Stream, monotonic: Callable[[], float]) -> None:
        """`monotonic` gives seconds."""
        self._replica_id = replica_id
        self._generate = generate
        self._monotonic = monotonic
        self._by_origin: dict[str, _Carried] = {}
        self._total = _Carried()
        self._told: OrderedDict[str, tuple[tuple[int, int], float]] = OrderedDict()  # what, and when
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
        streams, waiting_tokens = load = self._for_others(origin)
        self._told[origin] = load, self._monotonic()
        self._told.move_to_end(origin)
        if len(self._told) > _ORIGINS_MAX:
            self._told.popitem(last=False)
        return LoadReport(self._replica_id, self._seq, streams, waiting_tokens)

    def news(self, origin: str) -> LoadReport | None:
        """A report, if it would say something else than the last one that `origin` was given, or that was long ago."""
        load, told_at = self._told.get(origin, (None, 0.0))
        is_told = load == self._for_others(origin) and self._monotonic() - told_at < _TELL_AGAIN_S
        return None if is_told else self.report(origin)

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
