"""Answers under way in Redis: a list of events an answer, and one channel a conversation.

An answer's events stand in a list, event N at position N - 1, so that telling them again adds nothing. `u` is a hash of the
conversation's answers that are being given: ANSWER_ID -> "UNTIL_MS EVENTS"; one whose owner died ends by itself. Every process
has one connection of its own for all conversations that it listens to.
"""

# redis-py types its arguments only in part.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, cast
from uuid import uuid4

from redis.asyncio.connection import AbstractConnection

from serve_app.adapters.live_records import event_json, event_of, events_message, message_of, note_message
from serve_app.adapters.redis_client import live_names
from serve_app.adapters.redis_link import RedisLink, Script, store_errors
from serve_app.domain.errors import StoreFailed
from serve_app.domain.live import Note, Talk, Told

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0

# Keys: events, under way. Arguments: channel, message, answer id, the first event's number, "1" when the last one is among
# them, how long they are kept (s), how long the owner may be silent (ms), events. Replies how many events are stored.
_TELL = Script(
    """
local events, under_way = KEYS[1], KEYS[2]
local channel, message, answer = ARGV[1], ARGV[2], ARGV[3]
local first, last, keep_s, lease_ms = tonumber(ARGV[4]), ARGV[5], ARGV[6], tonumber(ARGV[7])

local stored = redis.call('LLEN', events)
if first > stored + 1 then return stored end
for i = 8, #ARGV do
  if first + i - 8 > stored then stored = redis.call('RPUSH', events, ARGV[i]) end
end
redis.call('EXPIRE', events, keep_s)
if last == '1' then
  redis.call('HDEL', under_way, answer)
else
  local time = redis.call('TIME')
  local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', under_way, answer, string.format('%d %d', now_ms + lease_ms, stored))
  redis.call('EXPIRE', under_way, keep_s)
end
redis.call('PUBLISH', channel, message)
return stored
"""
)

# Keys: under way. Replies: answer id, events, answer id, …
_UNDER_WAY = Script(
    """
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local found, all = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local until_ms, events = string.match(all[i + 1], '^(%d+) (%d+)$')
  if tonumber(until_ms) > now_ms then
    table.insert(found, all[i])
    table.insert(found, events)
  end
end
return found
"""
)

# Keys: events. Arguments: after which one. Replies {1 when there are any, those after it}.
_TOLD = Script("return {redis.call('EXISTS', KEYS[1]), redis.call('LRANGE', KEYS[1], ARGV[1], -1)}")

# Keys: events, under way. Arguments: answer id.
_FORGET = Script("redis.call('DEL', KEYS[1]) return redis.call('HDEL', KEYS[2], ARGV[1])")

# Keys: under way, so that a cluster says it where answers are told: in the same order. Arguments: channel, message.
_SAY = Script("return redis.call('PUBLISH', ARGV[1], ARGV[2])")


class RedisLive:
    """The port `LiveAnswers`.

    `keep_s`: how long an answer's events are kept after the last of them. `lease_s`: an answer whose owner stores nothing for
    so long is no more under way. `timeout_s`: for a subscription to be in effect. `ping_s`: a connection on which nothing was
    heard for so long is asked whether it lives.
    """

    def __init__(
        self, link: RedisLink, *, keep_s: int, lease_s: float = 60.0, timeout_s: float = 0.5, ping_s: float = 5.0
    ) -> None:
        self._link = link
        self._keep_s = keep_s
        self._lease_s = lease_s
        self._timeout_s = timeout_s
        self._ping_s = ping_s
        self._name = uuid4().hex
        # Subscribed all the time: a connection without a subscription is in another state.
        self._own_channel = f"zw:l:process:{self._name}".encode()
        self._talks: dict[bytes, Talk] = {}
        self._unconfirmed: Counter[bytes] = Counter()
        self._waiting: dict[bytes, set[asyncio.Future[None]]] = {}
        self._connection: AbstractConnection | None = None

    async def tell(self, talk: Talk, answer_id: str, events: Sequence[Told]) -> int:
        """See the port."""
        channel, kept, under_way = live_names(talk, answer_id)
        rows = [event_json(event) for event in events]
        last = "1" if events[-1].last else "0"
        message = events_message(self._name, events)
        arguments = (channel, message, answer_id, events[0].seq, last, self._keep_s, int(self._lease_s * 1000), *rows)
        return int(await _TELL.run(self._link, (kept, under_way), arguments))

    async def told(self, talk: Talk, answer_id: str, after_seq: int) -> Sequence[Told] | None:
        """See the port."""
        _, kept, _ = live_names(talk, answer_id)
        exists, rows = await _TOLD.run(self._link, (kept,), (after_seq,))
        return tuple(event_of(row) for row in rows) if exists else None

    async def under_way(self, talk: Talk) -> Mapping[str, int]:
        """See the port."""
        _, _, under_way = live_names(talk, "")
        found: list[bytes] = await _UNDER_WAY.run(self._link, (under_way,), ())
        return {answer_id.decode(): int(events) for answer_id, events in zip(found[::2], found[1::2], strict=True)}

    async def forget(self, talk: Talk, answer_id: str) -> None:
        """See the port."""
        _, kept, under_way = live_names(talk, answer_id)
        await _FORGET.run(self._link, (kept, under_way), (answer_id,))

    async def say(self, talk: Talk, note: Note) -> None:
        """See the port."""
        channel, _, under_way = live_names(talk, "")
        await _SAY.run(self._link, (under_way,), (channel, note_message(self._name, note)))

    # Listening

    async def listen(self, talk: Talk) -> None:
        """See the port. While the connection is away it is tried for `timeout_s`; the wish stands also when this raises."""
        channel = live_names(talk, "")[0].encode()
        self._talks[channel] = talk
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(channel, set()).add(confirmed)
        try:
            async with asyncio.timeout(self._timeout_s):
                with store_errors():
                    await self._subscribe(channel)
                await confirmed
        except TimeoutError:
            raise StoreFailed("Redis did not confirm a subscription in time") from None
        finally:
            self._waiting[channel].discard(confirmed)
            if not self._waiting[channel]:
                del self._waiting[channel]

    async def ignore(self, talk: Talk) -> None:
        """See the port."""
        channel = live_names(talk, "")[0].encode()
        if self._talks.pop(channel, None) is not None and self._connection is not None:
            try:
                with store_errors():
                    await self._connection.send_command("UNSUBSCRIBE", channel, check_health=False)
            except StoreFailed:
                logger.debug("the connection has gone, and its subscriptions with it")

    async def heard(self) -> AsyncGenerator[tuple[Talk, Sequence[Told] | Note] | None, None]:
        """See the port."""
        pause_s = FIRST_PAUSE_S
        while True:
            connection: AbstractConnection | None = None
            try:
                connection = await self._link.new_connection()
                await self._connect(connection)
                pause_s = FIRST_PAUSE_S
                yield None
                while True:
                    for message in await self._next(connection):
                        yield message
            except StoreFailed as error:
                logger.warning("what other processes say is not heard for a while: %s", error)
            finally:
                self._connection = None
                if connection is not None:
                    await connection.disconnect(nowait=True)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _connect(self, connection: AbstractConnection) -> None:
        with store_errors():
            await connection.connect()
            channels = [self._own_channel, *self._talks]
            self._unconfirmed = Counter(channels)
            self._connection = connection
            await connection.send_command("SUBSCRIBE", *channels, check_health=False)

    async def _subscribe(self, channel: bytes) -> None:
        connection = self._connection
        if connection is not None and connection.is_connected:
            self._unconfirmed[channel] += 1
            await connection.send_command("SUBSCRIBE", channel, check_health=False)

    async def _next(self, connection: AbstractConnection) -> list[tuple[Talk, Sequence[Told] | Note]]:
        """One message at most. Raises StoreFailed when the connection has gone, or is silent though it was asked."""
        with store_errors():
            reply = await _read(connection, self._ping_s)
            if reply is None:
                await connection.send_command("PING", check_health=False)
                reply = await _read(connection, self._timeout_s)
        if reply is None:
            raise StoreFailed("the connection is silent")
        return self._message(reply)

    def _message(self, reply: list[Any]) -> list[tuple[Talk, Sequence[Told] | Note]]:
        if reply[0] == b"subscribe":
            self._confirmed(reply[1])
        if reply[0] != b"message" or reply[1] not in self._talks:
            return []
        try:
            sender, message = message_of(reply[2])
        except StoreFailed as error:
            logger.warning("passed over: %s", error)
            return []
        return [] if sender == self._name else [(self._talks[reply[1]], message)]

    def _confirmed(self, channel: bytes) -> None:
        self._unconfirmed[channel] -= 1
        if self._unconfirmed[channel] > 0:
            return  # it was given up and wanted again in between: only the last one counts
        del self._unconfirmed[channel]
        for waiting in self._waiting.get(channel, ()):
            if not waiting.done():
                waiting.set_result(None)


async def _read(connection: AbstractConnection, within_s: float) -> list[Any] | None:
    """None: nothing came within the time."""
    return cast("list[Any] | None", await connection.read_response(timeout=within_s, push_request=True))
