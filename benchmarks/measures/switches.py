"""The measures that lie around an engine, each of which can be left out."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from serve_app.domain.generation import Finished, Generate, Piece, Started, Tokens
from serve_app.fleet import Fleet
from serve_app.ports import Engine
from serve_app.ports.engine import Stream


@dataclass(frozen=True)
class Measures:
    """What is in force. None of them: the claim's "before"."""

    parallel: bool = False  # the shop's systems are asked at the same time
    at_hand: bool = False  # the facts are here before the question is: what prefetching could be worth at most
    batching: bool = False  # an engine computes several answers at a time
    reuse: bool = False  # what an engine has computed of a prompt's beginning is not computed again
    affinity: bool = False  # a conversation goes where its beginning was computed
    tiers: bool = False  # what is published is said without the model

    @property
    def count(self) -> int:
        return sum((self.parallel, self.at_hand, self.batching, self.reuse, self.affinity, self.tiers))


def one_at_a_time(generate: Stream) -> Stream:
    """As an engine with `max_num_seqs` 1: others wait in the order in which they came."""
    turn = asyncio.Semaphore(1)

    async def waiting(request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        async with turn, aclosing(generate(request)) as pieces:
            async for piece in pieces:
                yield piece

    return waiting


def without_reuse(generate: Stream) -> Stream:
    """No two requests share a salt, so that none finds what another has computed."""
    numbers = itertools.count()

    async def salted(request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        alone = replace(request, cache_salt=f"{request.cache_salt}-{next(numbers)}-{request.request_id}")
        async with aclosing(generate(alone)) as pieces:
            async for piece in pieces:
                yield piece

    return salted


class SwitchedReplicas:
    """The port `InferenceRoom` over engines of this process; they are started and closed elsewhere.

    With `affinity` ZeroWait's own `Fleet` decides, else each request goes to the next one.
    """

    def __init__(self, engines: Mapping[str, Engine], measures: Measures, fleet: Fleet) -> None:
        self._engines = engines
        self._streams = {name: _stream(engine, measures) for name, engine in engines.items()}
        self._fleet = fleet if measures.affinity else None
        self._next = itertools.cycle(engines)
        fleet.renew(engines)

    async def generate(self, request: Generate) -> AsyncGenerator[Piece, None]:
        fleet, request_id = self._fleet, request.request_id
        if fleet is None:
            replica_id, route = next(self._next), "least-loaded"
        else:
            fleet.expect(request_id)
            decision = fleet.route(request)
            assert decision is not None  # there are engines, and the request is expected
            replica_id, route = decision.replica_id, decision.route
            fleet.routed(request_id, replica_id)
        try:
            yield Started(replica_id, route)
            async with aclosing(self._streams[replica_id](request)) as pieces:
                async for piece in pieces:
                    if fleet is not None and isinstance(piece, Tokens):
                        fleet.has_begun(request_id)
                    yield piece
        finally:
            if fleet is not None:
                fleet.ended(request_id)

    async def check(self) -> None:
        await asyncio.gather(*(engine.check_health() for engine in self._engines.values()))


def _stream(engine: Engine, measures: Measures) -> Stream:
    stream: Stream = engine.generate
    if not measures.reuse:
        stream = without_reuse(stream)
    return stream if measures.batching else one_at_a_time(stream)
