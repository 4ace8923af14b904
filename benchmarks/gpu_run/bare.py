"""The bare engine: vLLM's AsyncLLM, asked in its own process. No HTTP, no text, no graph."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import random
import time
from collections.abc import Sequence
from typing import Any

import uvloop

from benchmarks.gpu_run.plans import Asked
from benchmarks.gpu_run.setup import Setup
from benchmarks.gpu_run.visits import Visit
from serve_app.adapters.vllm_settings import WARM_TOKENS, cpu_flags, engine_arguments, set_environment, warm_shapes

# Ids that every model's vocabulary has, and that mark nothing.
IDS = range(1000, 40_000)


@dataclasses.dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of a prompt: what all share, what its conversation has had, what is new."""

    shared: int
    session: int
    new: int


class Bare:
    """Start it once; close it. Has a loop of its own."""

    def __init__(self, setup: Setup, lengths: Lengths) -> None:
        self._setup = setup
        self._lengths = lengths
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._engine: Any = None
        self.start_s = 0.0

    def start(self) -> None:
        self._runner.run(self._start())

    def opened(self, conversations: int) -> None:
        """Computes each conversation once."""
        self._runner.run(self._opened(conversations))

    def branches(self, asked: Sequence[Asked]) -> list[Visit]:
        return self._runner.run(self._branches(asked))

    def alone(self, count: int) -> list[Visit]:
        """One at a time."""
        return self._runner.run(self._alone(count))

    def close(self) -> None:
        if self._engine is not None:
            self._engine.shutdown()
        self._runner.close()

    async def _start(self) -> None:
        began, settings = time.monotonic(), self._setup.settings()
        set_environment(settings, os.environ)
        # It reads the environment, and takes seconds.
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.platforms import current_platform
        from vllm.v1.engine.async_llm import AsyncLLM

        known = [field.name for field in dataclasses.fields(AsyncEngineArgs)]
        on_cpu = current_platform.is_cpu()
        arguments = engine_arguments(settings, self._setup.model, known, cpu_flags() if on_cpu else None)
        self._engine = AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))
        for batch, length in warm_shapes(settings, on_cpu=on_cpu):
            prompts = [_ids(number, length) for number in range(batch)]
            await asyncio.gather(*(self._ask(prompt, WARM_TOKENS, 0.0) for prompt in prompts))
        self.start_s = round(time.monotonic() - began, 1)

    async def _opened(self, conversations: int) -> None:
        for first in range(0, conversations, 16):
            numbers = range(first, min(conversations, first + 16))
            await asyncio.gather(*(self._ask(self._prompt(number, f"opening {number}"), 1, 0.0) for number in numbers))

    async def _branches(self, asked: Sequence[Asked]) -> list[Visit]:
        prompts = [self._prompt(each.conversation, each.question) for each in asked]
        began = time.perf_counter()

        async def one(each: Asked, prompt: list[int]) -> Visit:
            due = began + each.due_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            visit = await self._ask(prompt, self._setup.answer_tokens, due)
            visit.due_s, visit.turn = each.due_s, 2
            return visit

        return list(await asyncio.gather(*map(one, asked, prompts)))

    async def _alone(self, count: int) -> list[Visit]:
        found: list[Visit] = []
        for number in range(count):
            prompt = self._prompt(number, f"alone {number} {random.random()}")
            found.append(await self._ask(prompt, self._setup.answer_tokens, 0.0))
        return found

    async def _ask(self, prompt: list[int], tokens: int, due: float) -> Visit:
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        sampling = SamplingParams(
            temperature=0.0, max_tokens=tokens, ignore_eos=True, detokenize=False, output_kind=RequestOutputKind.DELTA
        )
        sent = time.perf_counter()
        due = due or sent
        visit = Visit(0.0, 1, late_s=sent - due, status=200, source="model", finish="length", prompt_tokens=len(prompt))
        request = {"type": "token", "prompt_token_ids": prompt}
        async for output in self._engine.generate(request, sampling, f"bare-{id(visit)}-{sent}"):
            if output.outputs[0].token_ids:
                visit.first_s = time.perf_counter() - due if visit.first_s is None else visit.first_s
                visit.tokens += len(output.outputs[0].token_ids)
                visit.pieces += 1
            visit.cached_tokens = max(visit.cached_tokens, output.num_cached_tokens or 0)
        visit.ended_s = time.perf_counter() - due
        return visit

    def _prompt(self, conversation: int, question: str) -> list[int]:
        lengths = self._lengths
        return [*_ids("shared", lengths.shared), *_ids(conversation, lengths.session), *_ids(question, lengths.new)]


def _ids(seed: int | str, count: int) -> list[int]:
    return random.Random(seed).choices(IDS, k=count)
