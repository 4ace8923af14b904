"""What this process knows of the open tickets, kept fresh by one query a heartbeat, and the feed of what the desk does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from serve_app.domain.errors import StoreFailed
from serve_app.domain.messages import Agent, Conversation, DeskEvent
from serve_app.domain.phrases import Desk
from serve_app.domain.tickets import Book, Numbered, Ticket, handoff_of, steps_of
from serve_app.ports import Clock, Tickets

logger = logging.getLogger(__name__)

# How far back each look reaches: for clocks that differ, and for transactions that end late.
OVERLAP = timedelta(seconds=30)
# Every so many looks all open tickets are read, so that no slip lasts.
ALL_EVERY = 60
# A look that takes longer is given up; the next one reaches as far back.
LOOK_WITHIN_S = 10.0
# Of a follower that does not read. Older events are dropped first.
QUEUE_MAX = 256


class DeskWatch:
    """The ports `DeskView` and `DeskFeed`. `refresh` looks once, `run` looks until it is cancelled."""

    def __init__(self, tickets: Tickets, desks: Mapping[str, Desk], clock: Clock, heartbeat_s: float, idle_s: float) -> None:
        """A ticket in which nothing happened for `idle_s` is forgotten: its conversation is over."""
        self._tickets = tickets
        self._desks = desks
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._idle = timedelta(seconds=idle_s)
        self._book = Book()
        self._own: dict[tuple[str, str], int] = {}
        self._followers: dict[tuple[str, str], set[asyncio.Queue[DeskEvent]]] = {}
        self._hurry = asyncio.Event()
        self._looking = asyncio.Lock()
        self._looked_at: datetime | None = None
        self._looks = 0

    def has_open(self, tenant: str, session_id: str) -> bool:
        """See the port."""
        return (tenant, session_id) in self._own or self._book.has(tenant, session_id)

    def waiting_before(self, ticket: Ticket) -> int:
        """See the port."""
        return self._book.waiting_before(ticket)

    def changed_here(self, ticket: Ticket) -> None:
        """See the port."""
        if ticket.is_open:
            self._own[ticket.tenant, ticket.session_id] = self._looks
        self._hurry.set()

    async def follow(self, tenant: str, session_id: str) -> AsyncGenerator[DeskEvent, None]:
        """See the port."""
        queue: asyncio.Queue[DeskEvent] = asyncio.Queue(QUEUE_MAX)
        followers = self._followers.setdefault((tenant, session_id), set())
        followers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            followers.discard(queue)
            if not followers:
                self._followers.pop((tenant, session_id), None)

    async def refresh(self) -> None:
        """One look. Raises StoreFailed, and then nothing is taken as seen."""
        async with self._looking:
            now = self._clock.now()
            self._looks += 1
            all_open = self._looked_at is None or self._looks % ALL_EVERY == 0
            seen = await self._tickets.changed((self._looked_at or now) - OVERLAP, now - self._idle if all_open else None)
            followed = [(before, ticket) for before, ticket in self._book.news(seen) if self._of(ticket)]
            # One more query, only when something happened in a conversation that is followed here.
            said = await self._tickets.messages([ticket.id for _, ticket in followed]) if followed else ()
            self._book.see(seen, all_open=all_open)
            self._looked_at = now
            # What this process did before this look began is in it.
            self._own = {session: look for session, look in self._own.items() if look >= self._looks}
        for before, ticket in followed:
            self._tell(before, ticket, [one for one in said if one.ticket_id == ticket.id], now)

    async def run(self) -> None:
        """Looks at every heartbeat, and at once when this process has changed a ticket."""
        while True:
            try:
                async with asyncio.timeout(self._heartbeat_s):
                    await self._hurry.wait()
            except TimeoutError:
                pass
            self._hurry.clear()
            try:
                async with asyncio.timeout(LOOK_WITHIN_S):
                    await self.refresh()
            except (StoreFailed, TimeoutError) as error:
                logger.warning("the tickets cannot be looked at, what the desk does arrives late: %r", error)
            except Exception:
                # Without the looks the bot would talk over people for ever.
                logger.exception("a look at the tickets failed")
                await asyncio.sleep(self._heartbeat_s)

    def _tell(self, before: Ticket | None, ticket: Ticket, said: Sequence[Numbered], now: datetime) -> None:
        desk, waiting = self._desks[ticket.tenant], self.waiting_before(ticket)
        for step in steps_of(before, ticket, said):
            if isinstance(step, Conversation):
                self._put(ticket, handoff_of(replace(ticket, state=step), desk, now, waiting))
            else:
                self._put(ticket, Agent(step.id, step.text, step.name, step.at))

    def _of(self, ticket: Ticket) -> set[asyncio.Queue[DeskEvent]]:
        return self._followers.get((ticket.tenant, ticket.session_id), set())

    def _put(self, ticket: Ticket, event: DeskEvent) -> None:
        for queue in self._of(ticket):
            if queue.full():
                queue.get_nowait()
                logger.warning("a follower of session %s reads too slowly; an event is dropped", ticket.session_id)
            queue.put_nowait(event)
