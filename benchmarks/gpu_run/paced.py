"""An engine without a model that gives tokens at a large model's pace: what the graph around it costs can be measured anywhere.

Its answers reach the graph as `VllmEngine`'s do: the first token at once, later ones gathered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from itertools import cycle, islice

from serve_app.domain.generation import Finished, Generate, Tokens
from serve_app.ports import EngineSignals


class PacedEngine:
    """`first_ms` to the first token, one every `token_ms` after it, gathered for `flush_ms`; an answer is as long as may be."""

    def __init__(self, words: Sequence[int], first_ms: float, token_ms: float, flush_ms: float) -> None:
        self._words = words
        self._first_s, self._token_s, self._flush_s = first_ms / 1000, token_ms / 1000, flush_ms / 1000
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        return self._in_flight

    async def start(self) -> None: ...

    def signals(self) -> EngineSignals:
        return EngineSignals(self._in_flight, 0, 0.0, time.monotonic())

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        words = islice(cycle(self._words), len(request.sent_token_ids) % len(self._words), None)
        given, wanted = len(request.sent_token_ids), request.sampling.max_tokens
        self._in_flight += 1
        try:
            await asyncio.sleep(self._first_s)
            first_at, before = time.monotonic(), given
            while True:
                made = min(wanted, before + 1 + int((time.monotonic() - first_at) / self._token_s))
                if made > given:
                    yield Tokens(tuple(islice(words, made - given)))
                    given = made
                if given == wanted:
                    break
                await asyncio.sleep(max(self._flush_s, self._token_s))
        finally:
            self._in_flight -= 1
        yield Finished("length", len(request.prompt_token_ids), 0, given)

    async def check_health(self) -> None: ...

    async def close(self) -> None: ...
