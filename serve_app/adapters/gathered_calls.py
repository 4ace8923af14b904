"""Calls to Redis that come in the same moment, made as one."""

from __future__ import annotations

import asyncio
from typing import Any

from serve_app.adapters.redis_link import Calls, Command, only
from serve_app.domain.errors import StoreFailed

# Commands of one call. More are made into several, so that no caller waits for too many others' replies.
COMMANDS_MAX = 64


class GatheredCalls:
    """`Calls` of one server. What is called within one turn of the event loop goes in one round trip, in order: under load a
    client's own work on a call costs more than the server's, and most of it is done once a round trip.

    A caller that goes away takes nothing back. All of a round trip that fails have failed.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._waiting: list[tuple[tuple[Command, ...], asyncio.Future[list[Any]]]] = []
        self._commands = 0
        self._under_way: set[asyncio.Task[None]] = set()

    async def together(self, *commands: Command) -> list[Any]:
        """See `Calls`."""
        loop = asyncio.get_running_loop()
        if self._commands + len(commands) > COMMANDS_MAX:
            self._send()
        if not self._waiting:
            loop.call_soon(self._send)
        replies: asyncio.Future[list[Any]] = loop.create_future()
        self._waiting.append((commands, replies))
        self._commands += len(commands)
        return await replies

    async def call(self, *command: str | bytes | int) -> Any:
        """See `Calls`."""
        return await only(self, command)

    def _send(self) -> None:
        lot, self._waiting, self._commands = self._waiting, [], 0
        if not lot:
            return
        task = asyncio.ensure_future(self._call(lot))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _call(self, lot: list[tuple[tuple[Command, ...], asyncio.Future[list[Any]]]]) -> None:
        try:
            replies = await self._calls.together(*(command for commands, _ in lot for command in commands))
        except BaseException as error:
            # Nobody shall wait for ever, whatever it was.
            for _, waiting in lot:
                if not waiting.done():
                    waiting.set_exception(StoreFailed(str(error) or "the process ends"))
            if not isinstance(error, StoreFailed):
                raise
            return
        at = 0
        for commands, waiting in lot:
            if not waiting.done():
                waiting.set_result(replies[at : at + len(commands)])
            at += len(commands)
