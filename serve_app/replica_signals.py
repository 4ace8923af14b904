"""What a replica tells Serve of itself every second: what the number of replicas is decided by."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from serve_app.domain.generation import Finished, Generate, Tokens
from serve_app.ports import EngineSignals, Stream

# The time to the first token is told over the answers that began this lately.
TTFT_WINDOW_S = 10.0
TTFT_SAMPLES_MAX = 10_000


class ReplicaSignals:
    """Lies around an engine's `generate`, inside joining: what several share is one generation, and the rest of them were hits.

    `monotonic` gives seconds.
    """

    def __init__(self, signals: Callable[[], EngineSignals], generate: Stream, monotonic: Callable[[], float]) -> None:
        self._engine = signals
        self._generate = generate
        self._monotonic = monotonic
        self._streams = 0
        self._waiting = 0
        self._waiting_tokens = 0
        self._asked = 0
        self._generations = 0
        self._first_tokens: deque[tuple[float, float]] = deque(maxlen=TTFT_SAMPLES_MAX)  # when, after how many ms

    def took(self, request: Generate) -> None:
        """Once for every request that reaches the replica, those that join another's generation among them."""
        self._asked += request.asked

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        """As `Engine.generate`."""
        began, tokens, waits = self._monotonic(), request.waiting_tokens, True
        self._generations += 1
        self._streams += 1
        self._wait(1, tokens)
        try:
            async with aclosing(self._generate(request)) as pieces:
                async for piece in pieces:
                    if waits:
                        waits = False
                        self._wait(-1, -tokens)
                        now = self._monotonic()
                        self._first_tokens.append((now, (now - began) * 1000))
                    yield piece
        finally:
            self._streams -= 1
            if waits:
                self._wait(-1, -tokens)

    def told(self) -> dict[str, float]:
        """For `record_autoscaling_stats`; read by `serve_app.fleet_signals`.

        `running` and `waiting` are streams with and without a first token, `waiting_tokens` what their prompts still need,
        uncached; `kv_use` is from 0 to 1; `ttft_p99_ms`, of `first_tokens` answers, is missing where none began lately; `asked`
        and `generations` only grow.
        """
        told: dict[str, float] = {
            "running": self._streams - self._waiting,
            "waiting": self._waiting,
            "waiting_tokens": self._waiting_tokens,
            "kv_use": self._engine().kv_use,
            "asked": self._asked,
            "generations": self._generations,
        }
        oldest = self._monotonic() - TTFT_WINDOW_S
        while self._first_tokens and self._first_tokens[0][0] < oldest:
            self._first_tokens.popleft()
        took_ms = sorted(ms for _, ms in self._first_tokens)
        told["first_tokens"] = len(took_ms)
        if took_ms:
            told["ttft_p99_ms"] = took_ms[min(len(took_ms) - 1, int(len(took_ms) * 0.99))]
        return told

    def _wait(self, streams: int, tokens: int) -> None:
        self._waiting += streams
        self._waiting_tokens += tokens
