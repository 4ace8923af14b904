"""The fake engine: says what a script says, one token at a time. Needs no model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from serve_app.domain.errors import DeadlineExceeded, MalformedRequest, ModelFailed, TooLong
from serve_app.domain.generation import Finished, Generate, Tokens

# A prompt's answer as (token id, its text) pairs.
Script = Callable[[Generate], list[tuple[int, str]]]


def says(text: str) -> Script:
    """The same answer to everything, one character a token."""
    return lambda _: [(ord(character) % 256, character) for character in text]


class ScriptedEngine:
    """Behaves as the real one does: bounds, deadline, abort, death. `fail()` kills it; `requests` are those it was given."""

    def __init__(self, script: Script | None = None, *, max_model_len: int = 4096, token_s: float = 0.0) -> None:
        self._script = script or says("Hello, how can I help you?")
        self._max_model_len = max_model_len
        self._token_s = token_s
        self._running = False
        self._in_flight = 0
        self._seen: set[tuple[str, int]] = set()
        self.requests: list[Generate] = []

    @property
    def in_flight(self) -> int:
        return self._in_flight

    async def start(self) -> None:
        self._running = True

    def fail(self) -> None:
        self._running = False

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        await self.check_health()
        prompt_tokens = len(request.prompt_token_ids)
        if not prompt_tokens:
            raise MalformedRequest("The prompt is empty.")
        if prompt_tokens >= self._max_model_len:
            raise TooLong("The conversation and the question are longer than the model can read. Please ask more briefly.")
        self.requests.append(request)
        cached = self._cached(request)
        script = self._script(request)
        most = min(request.sampling.max_tokens, self._max_model_len - prompt_tokens)
        deadline = asyncio.get_running_loop().time() + request.timeout_s
        given = 0
        self._in_flight += 1
        try:
            for token_id, text in script[:most]:
                await asyncio.sleep(self._token_s)
                await self.check_health()
                if asyncio.get_running_loop().time() > deadline:
                    if not given:
                        raise DeadlineExceeded("The model did not begin to answer in time.", retry_after_s=5)
                    yield Finished("abort", prompt_tokens, cached, given)
                    return
                given += 1
                yield Tokens([token_id], text)
        finally:
            self._in_flight -= 1
        yield Finished("stop" if given == len(script) else "length", prompt_tokens, cached, given)

    async def check_health(self) -> None:
        if not self._running:
            raise ModelFailed("the engine is not running")

    async def close(self) -> None:
        self._running = False

    def _cached(self, request: Generate) -> int:
        """How much of the prompt was seen before under the same salt, in whole blocks of 16."""
        blocks = [
            (request.cache_salt, hash(tuple(request.prompt_token_ids[:end])))
            for end in range(16, len(request.prompt_token_ids), 16)
        ]
        known = next((index for index, block in enumerate(blocks) if block not in self._seen), len(blocks))
        self._seen.update(blocks)
        return known * 16
