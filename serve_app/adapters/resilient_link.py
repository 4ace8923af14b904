"""Redis as an answer may wait for it: within a budget, and not at all while a breaker leaves it alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from redis.exceptions import ClusterDownError, OutOfMemoryError, ReadOnlyError
from redis.exceptions import ConnectionError as RedisConnectionError

from serve_app.adapters.breaker import Breaker
from serve_app.adapters.redis_link import Command, RedisLink, only
from serve_app.domain.errors import SourceFailed, StoreFailed

logger = logging.getLogger(__name__)

# A budget is looked at so many times.
LOOKS = 4
# A loop that is busy all the time may stretch a budget so far.
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
    while not call.done() and waited_s < budget_s:
        looked = loop.time()
        await asyncio.wait((call,), timeout=look_s)
        was_busy = loop.time() - looked > 2 * look_s
        if not was_busy or loop.time() - started > STRETCH * budget_s:
            waited_s += look_s
    # A reply that has arrived meanwhile takes some turns of the loop to get here.
    for _ in range(LOOKS):
        if call.done():
            return call.result()
        await asyncio.sleep(0)
    if call.done():
        return call.result()
    call.add_done_callback(_ended_late)
    raise StoreFailed(f"Redis did not reply within {budget_s * 1000:g} ms")


def _ended_late(call: asyncio.Future[Any]) -> None:
    if not call.cancelled() and (error := call.exception()) is not None:
        logger.debug("a call that nobody waited for any more failed: %s", error)


class ResilientLink:
    """`Calls` over a link, at most `budget_s` each. After `failures` in a row nothing is called for `reset_s`; then one call
    tries it, and decides. `watch` is told whether it is left alone, at first and at each change.

    A call that was given up may still be carried out.
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
        watch(False)

    @property
    def budget_s(self) -> float:
        return self._budget_s

    @property
    def is_left_alone(self) -> bool:
        return not self._breaker.is_closed

    async def together(self, *commands: Command) -> list[Any]:
        """See `Calls`."""
        return await self._guarded(self._link.together(*commands), lambda replies: isinstance(replies[0], _UNFIT))

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
            replies = await within(asyncio.ensure_future(call), self._budget_s)
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

    def _tell(self) -> None:
        if self._left_alone != self.is_left_alone:
            self._left_alone = self.is_left_alone
            logger.warning("Redis %s", "is left alone for a while" if self._left_alone else "is back")
            self._watch(self._left_alone)
