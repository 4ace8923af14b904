"""An engine whose answers are told in other words, and that still finds what it computed for them.

`FixedLength` tells plain words in place of an engine's own. In the next prompt of the conversation stand the words; what the
engine holds keys and values of are its own tokens. Here the prompt gets them back, so that prefixes are reused as they are in
production.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import cycle, islice

from serve_app.domain.generation import Finished, Generate, Tokens
from serve_app.ports import Engine, EngineSignals

CONVERSATIONS_MAX = 20_000
# Answers to one conversation that may be gone on from: the first of them, and the latest.
BRANCHES_MAX = 8


@dataclass(frozen=True, slots=True)
class _Past:
    """A prompt and its answer, as told and as computed: of the same length."""

    told: list[int]
    computed: list[int]


class Recalling:
    """Around the real engine, inside `FixedLength`; both have the same `words`."""

    def __init__(self, engine: Engine, words: Sequence[int]) -> None:
        self._engine = engine
        self._words = words
        self._pasts: OrderedDict[str, list[_Past]] = OrderedDict()

    @property
    def in_flight(self) -> int:
        return self._engine.in_flight

    async def start(self) -> None:
        await self._engine.start()

    def signals(self) -> EngineSignals:
        return self._engine.signals()

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        key, told = request.session_key, request.prompt_token_ids
        computed = self._computed(key, told) if key is not None else told
        answer: list[int] = []
        async with aclosing(self._engine.generate(replace(request, prompt_token_ids=computed))) as pieces:
            async for piece in pieces:
                if isinstance(piece, Tokens):
                    answer += piece.token_ids
                elif key is not None:
                    words = list(islice(cycle(self._words), len(answer)))
                    self._remember(key, _Past(told + words, computed + answer))
                yield piece

    async def check_health(self) -> None:
        await self._engine.check_health()

    async def close(self) -> None:
        await self._engine.close()

    def _computed(self, key: str, told: list[int]) -> list[int]:
        pasts = [past for past in self._pasts.get(key, ()) if told[: len(past.told)] == past.told]
        if not pasts:
            return told
        longest = max(pasts, key=lambda past: len(past.told))
        return longest.computed + told[len(longest.told) :]

    def _remember(self, key: str, past: _Past) -> None:
        pasts = self._pasts.setdefault(key, [])
        self._pasts.move_to_end(key)
        pasts.append(past)
        if len(pasts) > BRANCHES_MAX:
            del pasts[1]
        if len(self._pasts) > CONVERSATIONS_MAX:
            self._pasts.popitem(last=False)
