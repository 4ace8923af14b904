"""An answer that outlives the replica that began it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from serve_app.domain.generation import Beat, Generate, Piece
from serve_app.ports import Replicas


class Failover:
    """The port `InferenceRoom` over the port `Replicas`."""

    def __init__(self, replicas: Replicas) -> None:
        self._replicas = replicas

    async def generate(self, request: Generate) -> AsyncGenerator[Piece, None]:
        async with aclosing(self._replicas.generate(request)) as pieces:
            async for piece in pieces:
                if not isinstance(piece, Beat):
                    yield piece
