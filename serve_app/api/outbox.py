"""What one socket still has to send."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from starlette.websockets import WebSocket


class Outbox:
    """What a socket's client still has to get: bounded, so that one that does not read is cut. The port `Viewer`.

    `backlog_chars`: of all the frames that wait; what is shown at once may be longer where nothing else waits.
    """

    def __init__(self, backlog_chars: int) -> None:
        self.customer_id: str | None = None
        self.cut = asyncio.Event()
        self._backlog_chars = backlog_chars
        self._frames: deque[str] = deque()
        self._chars = 0
        self._held: list[str] | None = []
        self._changed = asyncio.Event()
        self._ended = False

    def show(self, frames: Sequence[str]) -> None:
        """Never waits. What is shown while it is held goes after what `release` sends."""
        if not frames or self._ended or self.cut.is_set():
            return
        if self._held is not None:
            self._held += frames
            return
        chars = sum(map(len, frames))
        if self._frames and self._chars + chars > self._backlog_chars:
            self._frames.clear()
            self.cut.set()
            return
        self._frames += frames
        self._chars += chars
        self._changed.set()

    def hold(self) -> None:
        if self._held is None:
            self._held = []

    def release(self, *first: str) -> None:
        held, self._held = self._held or [], None
        self.show([*first, *held])

    def end(self) -> None:
        """Nothing comes after what waits now."""
        self.release()
        self._ended = True
        self._changed.set()

    async def send(self, websocket: WebSocket) -> None:
        """Sends until the end, or until the client has gone."""
        while True:
            self._changed.clear()
            while self._frames:
                text = self._frames.popleft()
                await websocket.send_text(text)
                self._chars -= len(text)
            if self._ended:
                return
            await self._changed.wait()
