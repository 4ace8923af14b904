"""A `Replicas` whose replicas fail where they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from serve_app.domain.errors import ModelFailed
from serve_app.domain.generation import Beat, Finished, Generate, Piece, Sampling, Started, Tokens
from serve_app.domain.ring import Ring
from serve_app.fleet import Fleet

ANSWER = list(range(100, 120))
NAMES = ("one", "two", "three")
SESSION = "session"
# In the order in which SESSION's requests are sent to them.
FIRST, SECOND, THIRD = Ring(NAMES).walk(SESSION)


def asked(name: str = "ask", *, prompt: int = 8, timeout_s: float = 30.0, session: str | None = SESSION) -> Generate:
    return Generate(name, [prompt] * 8, Sampling(max_tokens=len(ANSWER)), session, "demo", timeout_s)


class Replica:
    """Gives ANSWER, a token each `token_s`, after as many beats as it is told.

    `dies_at` and `freezes_at` say before which of the answer's tokens; at -1 it takes no request. What has died or is frozen
    is so for every request.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.token_s = 0.05
        self.beats = 0
        self.dies_at: int | None = None
        self.freezes_at: int | None = None
        self.raises: Exception | None = None
        self.full = False
        self.thawed = asyncio.Event()
        self.requests: list[Generate] = []
        self.closed: list[str] = []

    async def generate(self, request: Generate) -> AsyncGenerator[Piece | Beat, None]:
        self.requests.append(request)
        ended = False
        try:
            await self._at(-1)
            yield Started(self.name, "home")
            for _ in range(self.beats):
                await asyncio.sleep(0.5)
                yield Beat()
            for place, token_id in enumerate(ANSWER[: request.sampling.max_tokens]):
                if place >= len(request.sent_token_ids):
                    await asyncio.sleep(self.token_s)
                    await self._at(place)
                    yield Tokens((token_id,))
            await self._at(len(ANSWER))
            ended = True
            yield Finished("stop", len(request.prompt_token_ids), 0, len(ANSWER))
        finally:
            if not ended:
                self.closed.append(request.request_id)

    async def _at(self, place: int) -> None:
        if self.raises is not None:
            raise self.raises
        if self.dies_at is not None and self.dies_at <= place:
            self.dies_at = -1
            failed = ModelFailed(f"{self.name} is dead")
            failed.replica_id = self.name
            raise failed
        if self.freezes_at is not None and self.freezes_at <= place:
            self.freezes_at = min(place, 0)
            await self.thawed.wait()


class FailingReplicas:
    """The port `Replicas`."""

    def __init__(self, monotonic: Callable[[], float], names: tuple[str, ...] = NAMES) -> None:
        self.fleet = Fleet(monotonic)
        self.fleet.renew(names)
        self.of = {name: Replica(name) for name in names}

    async def generate(
        self, request: Generate, avoid: frozenset[str] = frozenset(), only: str | None = None
    ) -> AsyncGenerator[Piece | Beat, None]:
        self.fleet.expect(request.request_id)
        try:
            replica_id = only
            while replica_id is None or self.of[replica_id].full:
                decision = self.fleet.route(request, avoid) if only is None else None
                replica_id = decision.replica_id if decision is not None else only
                if decision is None or self.of[decision.replica_id].full:
                    await asyncio.sleep(0.5)
            async with aclosing(self.of[replica_id].generate(request)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self.fleet.ended(request.request_id)
