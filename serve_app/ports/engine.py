"""The model's replicas and their engines."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Protocol

from serve_app.domain.generation import Beat, Finished, Generate, Piece, Tokens
from serve_app.fleet import Fleet


class Replicas(Protocol):
    """The model's replicas, one attempt at a time; `serve_app.answering.failover` makes an `InferenceRoom` of them."""

    @property
    def fleet(self) -> Fleet:
        """What this process knows of them."""
        ...

    def generate(
        self, request: Generate, avoid: frozenset[str] = frozenset(), only: str | None = None
    ) -> AsyncGenerator[Piece | Beat, None]:
        """As `InferenceRoom.generate`, with the beats between. `avoid`: those that were left; `only`: for a probe."""
        ...


# `Engine.generate`, and what lies around it.
Stream = Callable[[Generate], AsyncGenerator[Tokens | Finished, None]]


@dataclass(frozen=True, slots=True)
class EngineSignals:
    """How an engine is doing, as it said after its last step. `moved_at` is monotonic seconds: its last step, or the last time
    that it had nothing to do. An engine whose process is frozen does not move."""

    running: int
    waiting: int
    kv_use: float  # of its keys and values, 0 to 1
    moved_at: float


class Engine(Protocol):
    """A model's engine, inside an Inference replica."""

    @property
    def in_flight(self) -> int:
        """Generations that run or wait."""
        ...

    async def start(self) -> None:
        """Returns when the engine is loaded and warm. Raises ConfigError, ModelFailed."""
        ...

    def signals(self) -> EngineSignals: ...

    def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        """Tokens as they come, then Finished. Closing the generator, or cancelling its task, aborts.

        Goes on after `request.sent_token_ids`, which count as part of the answer. Stop strings are the caller's affair.

        Raises TooLong, MalformedRequest, Overloaded, ModelFailed, and DeadlineExceeded when no token came in time.
        """
        ...

    async def check_health(self) -> None:
        """Raises ModelFailed."""
        ...

    async def close(self) -> None: ...
