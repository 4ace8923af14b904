"""The fake engine: says what a script says, one token at a time. Needs no model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence

from serve_app.domain.errors import DeadlineExceeded, MalformedRequest, ModelFailed, TooLong
from serve_app.domain.generation import Finished, Generate, Tokens
from serve_app.ports import EngineSignals, Tokenizer

# The whole answer to a prompt, as token ids.
Script = Callable[[Generate], Sequence[int]]


def says(text: str, tokenizer: Tokenizer) -> Script:
    """The same answer to everything, in the tokenizer's smallest tokens: no more than one character each."""
    token_ids = [token_id for character in text for token_id in tokenizer.encode_plain(character)]
    return lambda _: token_ids


class ScriptedEngine:
    """Behaves as the real one does: bounds, deadline, abort, death. `requests` are those it was given.

    `fail()` kills it; `freeze()` lets it neither move nor end until `thaw()`.
    """

    def __init__(self, script: Script, *, max_model_len: int = 4096, token_s: float = 0.0) -> None:
        self._script = script
        self._max_model_len = max_model_len
        self._token_s = token_s
        self._running = False
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._in_flight = 0
        self._moved_at = 0.0
        self._seen: set[tuple[str, int]] = set()
        self.requests: list[Generate] = []

    @property
    def in_flight(self) -> int:
        return self._in_flight

    def signals(self) -> EngineSignals:
        moved_at = self._moved_at if self._in_flight else time.monotonic()
        return EngineSignals(running=self._in_flight, waiting=0, kv_use=0.0, moved_at=moved_at)

    async def start(self) -> None:
        self._running = True

    def fail(self) -> None:
        self._running = False

    def freeze(self) -> None:
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        await self.check_health()
        prompt_tokens, completed = len(request.prompt_token_ids), len(request.sent_token_ids)
        if not prompt_tokens:
            raise MalformedRequest("The prompt is empty.")
        if prompt_tokens >= self._max_model_len:
            raise TooLong("The conversation and the question are longer than the model can read. Please ask more briefly.")
        self.requests.append(request)
        cached = self._cached(request)
        script = self._script(request)
        most = min(request.sampling.max_tokens, self._max_model_len - prompt_tokens)
        deadline = asyncio.get_running_loop().time() + request.timeout_s
        self._begin_one()
        try:
            for token_id in script[completed:most]:
                try:
                    await self._step(deadline)
                except TimeoutError:
                    if not completed:
                        raise DeadlineExceeded("The model did not begin to answer in time.", retry_after_s=5) from None
                    yield Finished("abort", prompt_tokens, cached, completed)
                    return
                completed += 1
                yield Tokens((token_id,))
        finally:
            self._in_flight -= 1
        yield Finished("stop" if completed == len(script) else "length", prompt_tokens, cached, completed)

    async def check_health(self) -> None:
        if not self._running:
            raise ModelFailed("the engine is not running")

    async def close(self) -> None:
        self._running = False

    def _begin_one(self) -> None:
        if not self._in_flight:
            self._moved_at = time.monotonic()
        self._in_flight += 1

    async def _step(self, deadline: float) -> None:
        async with asyncio.timeout_at(deadline):
            await asyncio.sleep(self._token_s)
            await self._thawed.wait()
        await self.check_health()
        self._moved_at = time.monotonic()

    def _cached(self, request: Generate) -> int:
        """How much of the prompt was seen before under the same salt, in whole blocks of 16."""
        blocks = [
            (request.cache_salt, hash(tuple(request.prompt_token_ids[:end])))
            for end in range(16, len(request.prompt_token_ids), 16)
        ]
        known = next((index for index, block in enumerate(blocks) if block not in self._seen), len(blocks))
        self._seen.update(blocks)
        return known * 16
