"""Redis as an answer may wait for it: within a budget, and not at all while a breaker leaves it alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from redis.exceptions import ClusterDownError, OutOfMemoryError, ReadOnlyError
from redis.exceptions import ConnectionError as RedisConnectionError

from serve_app.adapters.breaker import Breaker
from serve_app.adapters.redis_link import Command, RedisLink, in_place, only
from serve_app.domain.errors import SourceFailed, StoreFailed

logger = logging.getLogger(__name__)

# A budget is looked at so many times.
LOOKS = 4
# A loop that is busy all the time may stretch a budget so far, and by one more look.
STRETCH = 5
# What a server replies that cannot do its work now.
_UNFIT = (RedisConnectionError, ClusterDownError, ReadOnlyError, OutOfMemoryError)

T = TypeVar("T")


async def within(call: asyncio.Future[T], budget_s: float) -> T:
    """What `call` returns or raises. Raises StoreFailed after `budget_s`; the call then goes on by itself.

    The budget is the store's: a while in which this process's own loop was too busy to look does not count.
    """
    loop = asyncio.get_running_loop()
    look_s = budget_s / LOOKS
    started, waited_s = loop.time(), 0.0
    is_last = False
    while not call.done() and waited_s < budget_s and not is_last:
        looked = loop.time()
        is_last = looked - started > STRETCH * budget_s
        await asyncio.wait((call,), timeout=look_s)
        if loop.time() - looked <= 2 * look_s:
            waited_s += look_s
    # A reply that has arrived meanwhile takes some turns of the loop to get here.
    for _ in range(LOOKS):
        if call.done():
            return call.result()
        await asyncio.sleep(0)
    if call.done():
        return call.result()
    raise StoreFailed(f"Redis did not reply within {budget_s * 1000:g} ms")


def is_unfit(replies: Sequence[Any]) -> bool:
    """Whether a server that replied so cannot do its work now. One that cannot write may still read."""
    return any(isinstance(reply, _UNFIT) for reply in replies)


class ResilientLink:
    """`Calls` over a link, at most `budget_s` each. After `failures` in a row nothing is called for `reset_s`; then one call
    tries it, and decides. `watch` is told whether it is left alone, at first and at each change.

    A call that was given up may still be carried out. Of a cluster each command has a budget of its own: a server that is away
    takes nothing from what the others reply.
    """

    def __init__(
        self,
        link: RedisLink,
        *,
        budget_s: float,
        failures: int,
        reset_s: float,
        watch: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._link = link
        self._budget_s = budget_s
        self._breaker = Breaker("redis", failures, reset_s)
        self._watch = watch
        self._left_alone = False
        self._under_way: set[asyncio.Future[Any]] = set()
        watch(False)

    @property
    def budget_s(self) -> float:
        return self._budget_s

    @property
    def is_left_alone(self) -> bool:
        return not self._breaker.is_closed

    async def together(self, *commands: Command) -> list[Any]:
        """See `Calls`."""
        if self._link.is_one_server or len(commands) == 1:
            return await self._trip(*commands)
        trips = await asyncio.gather(*map(self._trip, commands), return_exceptions=True)
        return in_place([trip if isinstance(trip, BaseException) else trip[0] for trip in trips])

    async def _trip(self, *commands: Command) -> list[Any]:
        return await self._guarded(self._link.together(*commands), is_unfit)

    async def call(self, *command: str | bytes | int) -> Any:
        """See `Calls`."""
        return await only(self, command)

    async def ping(self) -> None:
        """Whether it answers, and in time. Raises StoreFailed."""
        await self._guarded(self._link.ping(), lambda _: False)

    async def _guarded(self, call: Coroutine[Any, Any, T], is_unfit: Callable[[T], bool]) -> T:
        try:
            attempt = self._breaker.attempt()
        except SourceFailed as error:
            call.close()
            raise StoreFailed("Redis is left alone for a while, after repeated failures") from error
        try:
            # A task of its own: given up, it still gives its connection back in order.
            replies = await within(self._started(call), self._budget_s)
        except StoreFailed:
            attempt.failed()
            raise
        except BaseException:
            attempt.abandoned()
            raise
        else:
            if is_unfit(replies):
                attempt.failed()
            else:
                attempt.succeeded()
            return replies
        finally:
            self._tell()

    def _started(self, call: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        started = asyncio.ensure_future(call)
        # The loop alone would let a call that nobody waits for be collected.
        self._under_way.add(started)
        started.add_done_callback(self._ended)
        return started

    def _ended(self, call: asyncio.Future[Any]) -> None:
        self._under_way.discard(call)
        if not call.cancelled() and (error := call.exception()) is not None:
            logger.debug("a call to Redis failed: %s", error)

    def _tell(self) -> None:
        if self._left_alone != self.is_left_alone:
            self._left_alone = self.is_left_alone
            logger.warning("Redis %s", "is left alone for a while" if self._left_alone else "is back")
            self._watch(self._left_alone)
