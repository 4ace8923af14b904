"""Who watches a conversation in this process, and what is answered in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from serve_app.answering.telling import Telling, Viewer
from serve_app.domain.live import Following, Talk


@dataclass(eq=False, slots=True)
class Audience:
    """A conversation that has sockets, or an answer under way, in this process."""

    talk: Talk
    viewers: dict[Viewer, Following] = field(default_factory=dict[Viewer, Following])
    tellings: dict[str, Telling] = field(default_factory=dict[str, Telling])
    holds: int = 0  # chats at work
    elsewhere: dict[str, float] = field(default_factory=dict[str, float])  # other processes' answers: when last heard of
    watched_until: float = float("-inf")
    filling: dict[tuple[Viewer, str], bool] = field(default_factory=dict[tuple[Viewer, str], bool])  # True: once more
    listening: asyncio.Task[None] | None = None
    desk: asyncio.Task[None] | None = None
    beating: asyncio.Task[None] | None = None
