"""Equal public questions share one generation at their home replica; each gets the stream as it grows.

The first request with a key starts a generation, which runs in a task of its own: it belongs to nobody who asks. It ends when
the last of those who follow it has gone. Whoever comes later reads its tokens from the start; whoever comes from a replica that
was left, and has had some of the answer already, reads from there if the generation says the same so far.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from contextvars import Context
from copy import copy
from dataclasses import replace

from serve_app.domain.errors import DeadlineExceeded, InternalError, ModelFailed, ZeroWaitError
from serve_app.domain.generation import Finished, Generate, Tokens
from serve_app.ports import Stream

logger = logging.getLogger(__name__)

# A generation ends with its followers, each of whom has a deadline; this only keeps the engine from having none.
_LONGEST_S = 24 * 3600.0


class Joining:
    """An engine's `generate`, in which requests with the same `join_key` share a generation.

    A generation holds no more than one answer's tokens. How many follow it is bounded by what its replica takes at a time.
    """

    def __init__(self, generate: Stream) -> None:
        self._generate = generate
        self._generations: dict[str, _Generation] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        """As `Engine.generate`, for one request: its own deadline, what it was not given yet, its own instance of an error.

        Closing it ends the generation if nobody else follows it.
        """
        return self._generate(request) if request.join_key is None else self._share(request, request.join_key)

    async def _share(self, request: Generate, key: str) -> AsyncGenerator[Tokens | Finished, None]:
        generation = self._generations.get(key)
        if generation is None or not generation.continues(request.sent_token_ids):
            # The latest holds the place: of those who come from a lost replica it has the longest beginning so far.
            generation = self._generations[key] = self._start(request)
        generation.followers += 1
        try:
            async with aclosing(_follow(generation, request)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            generation.followers -= 1
            if not generation.followers:
                generation.give_up()
                if self._generations.get(key) is generation:
                    del self._generations[key]

    def _start(self, request: Generate) -> _Generation:
        generation = _Generation(request.sent_token_ids)
        pieces = self._generate(replace(request, timeout_s=_LONGEST_S))
        # In a context of its own: Ray Serve cancels what was called in a request's context when its client goes away.
        generation.task = asyncio.get_running_loop().create_task(generation.run(pieces), context=Context())
        self._tasks.add(generation.task)
        generation.task.add_done_callback(self._tasks.discard)
        return generation


class _Generation:
    """An answer as far as it is known. `token_ids` begin with those that were sent from elsewhere."""

    def __init__(self, sent_token_ids: Sequence[int]) -> None:
        self.token_ids = list(sent_token_ids)
        self.end: Finished | InternalError | ZeroWaitError | None = None
        self.followers = 0
        self.task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def continues(self, sent_token_ids: Sequence[int]) -> bool:
        """Whether it goes on with an answer that began so."""
        failed = self.end is not None and not isinstance(self.end, Finished)
        return not failed and self.token_ids[: len(sent_token_ids)] == list(sent_token_ids)

    async def run(self, pieces: AsyncGenerator[Tokens | Finished, None]) -> None:
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, Finished):
                        self.end = piece
                    else:
                        self.token_ids += piece.token_ids
                    self._tell()
        except (InternalError, ZeroWaitError) as error:
            self.end = error
        except Exception as error:
            # Those who follow must hear of it; nobody awaits the task.
            logger.exception("a shared generation failed")
            self.end = ModelFailed(f"a shared generation failed: {type(error).__name__}: {error}")
        finally:
            if self.end is None:
                self.end = ModelFailed("a shared generation ended without a last piece")
            self._tell()

    def give_up(self) -> None:
        if self.task is not None:
            self.task.cancel()

    async def news(self) -> None:
        """Returns when there is more than there was when this was called."""
        await self._news.wait()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


async def _follow(generation: _Generation, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
    """What one request lacks of it. Raises as `Engine.generate` does."""
    deadline = asyncio.get_running_loop().time() + request.timeout_s
    given = len(request.sent_token_ids)
    while True:
        if fresh := generation.token_ids[given:]:
            given += len(fresh)
            yield Tokens(tuple(fresh))
        elif generation.end is None:
            try:
                async with asyncio.timeout_at(deadline):
                    await generation.news()
            except TimeoutError:
                if not given:
                    raise DeadlineExceeded("The model did not begin to answer in time.", retry_after_s=5) from None
                yield Finished("abort", len(request.prompt_token_ids), 0, given)
                return
        elif isinstance(generation.end, Finished):
            yield generation.end
            return
        else:
            # An instance of its own: each raise adds to a traceback.
            raise copy(generation.end) from generation.end
