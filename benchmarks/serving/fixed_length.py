"""A real engine whose answers all have the same length, and the application around it."""

# No postponed annotations: Serve reads those of the builder.

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import cycle, islice

from ray.serve.deployment import Application

from deployments.inference.room import vllm_engine
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.config import Config
from serve_app.domain.generation import Finished, Generate, Tokens
from serve_app.graph import inference, ingress
from serve_app.packaged_model import model_path
from serve_app.ports import Engine, EngineSignals

# No figure stands in it: the guard would end an answer at one that is in no source.
WORDS = (
    "Let me think about that for a moment. A small animal went for a walk in the garden, met an old friend there, and both "
    "of them sat down under a tree and talked about the weather until it was time to go home again. "
)


class FixedLength:
    """Computes whatever the engine says, to the last token that is allowed; shown are the same words each time.

    A small model, or one with random weights, says figures that the guard stops, and ends where it likes: two servers could not
    be compared then.
    """

    def __init__(self, engine: Engine, words: Sequence[int]) -> None:
        self._engine = engine
        self._words = words

    @property
    def in_flight(self) -> int:
        return self._engine.in_flight

    async def start(self) -> None:
        await self._engine.start()

    def signals(self) -> EngineSignals:
        return self._engine.signals()

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        whole = replace(request, sampling=replace(request.sampling, ignore_eos=True))
        words = islice(cycle(self._words), len(request.sent_token_ids) % len(self._words), None)
        async with aclosing(self._engine.generate(whole)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Tokens):
                    piece = replace(piece, token_ids=tuple(islice(words, len(piece.token_ids))))
                yield piece

    async def check_health(self) -> None:
        await self._engine.check_health()

    async def close(self) -> None:
        await self._engine.close()


def fixed_length(config: Config) -> Engine:
    tokenizer = HfTokenizer.load(config.model.path or model_path(config.home))
    return FixedLength(vllm_engine(config), tokenizer.encode_plain(WORDS))


def zerowait(config: Config) -> Application:
    """As `serve_app.graph.build` makes it."""
    config = config.resolved(os.environ)
    return ingress(config, inference(config, fixed_length))
