"""Answers as they are given, and what the desk does, for the processes that show them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol

from serve_app.domain.live import Note, Talk, Told
from serve_app.domain.messages import DeskEvent
from serve_app.domain.tickets import Ticket


class LiveAnswers(Protocol):
    """The events of answers as they are given, kept for some minutes, and what processes that show them tell each other.

    One object is one process: it hears what the others say, never itself.
    """

    async def tell(self, talk: Talk, answer_id: str, events: Sequence[Told]) -> int:
        """Stores the next events of an answer and tells the others, in one step. To repeat it adds nothing.

        Returns how many of the answer's events are stored now. Fewer than told: those in between are missing (the store has
        lost them), nothing was done, and the owner tells from there. Raises StoreFailed.
        """
        ...

    async def told(self, talk: Talk, answer_id: str, after_seq: int) -> Sequence[Told] | None:
        """The stored events after this one, in order; None: the answer is unknown, or was too long ago. Raises StoreFailed."""
        ...

    async def under_way(self, talk: Talk) -> Mapping[str, int]:
        """The answers that are being given, and how many events of each are stored. Raises StoreFailed."""
        ...

    async def forget(self, talk: Talk, answer_id: str) -> None:
        """Raises StoreFailed."""
        ...

    async def say(self, talk: Talk, note: Note) -> None:
        """Raises StoreFailed."""
        ...

    async def listen(self, talk: Talk) -> None:
        """Hears of this conversation. In effect when it returns: whatever is told from then on is heard. Raises StoreFailed."""
        ...

    async def ignore(self, talk: Talk) -> None:
        """Hears no more of it."""
        ...

    def heard(self) -> AsyncGenerator[tuple[Talk, Sequence[Told] | Note] | None, None]:
        """What the others say, for as long as it is read; at most one reader. None: something may have been missed."""
        ...


class DeskFeed(Protocol):
    """What the desk does, as it happens, in this process."""

    def follow(self, tenant: str, session_id: str) -> AsyncGenerator[DeskEvent, None]:
        """A person's words and the changes of state from now on, each once. Ends only by closing it."""
        ...


class DeskView(DeskFeed, Protocol):
    """The open tickets as this process knows them: at most a heartbeat old, and no query to ask."""

    def has_open(self, tenant: str, session_id: str) -> bool: ...

    def waiting_before(self, ticket: Ticket) -> int:
        """How many conversations of its tenant wait in front of it."""
        ...

    def changed_here(self, ticket: Ticket) -> None:
        """This process has changed a ticket: it is known at once, and its followers hear of it without waiting for a beat."""
        ...
