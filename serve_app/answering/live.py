"""Conversations as this process shows them: who watches, what is told to whom, here and in the other processes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from serve_app.answering.frames import desk_frame, error_frame, event_frame
from serve_app.domain.errors import Forbidden, NotFound, NotReady, StoreFailed
from serve_app.domain.live import BEATS, Alive, Cancel, Following, Note, Step, Talk, Told, Watch, may_see, silent
from serve_app.domain.messages import Done, Event, Failed
from serve_app.ports import DeskFeed, LiveAnswers, LiveSessions

logger = logging.getLogger(__name__)

# An answer with more events is not kept to be resumed, and is told to no other process.
EVENTS_MAX = 20_000
# So many events are stored in one step.
BATCH_MAX = 200
RETRY_S = 0.25
# How long the events of an answer that has ended are tried to be stored.
GIVE_UP_S = 10.0


class Viewer(Protocol):
    """A socket of a conversation."""

    @property
    def customer_id(self) -> str | None: ...

    def show(self, frames: Sequence[str]) -> None:
        """Never waits. A socket that cannot take them is cut."""
        ...


@dataclass(eq=False, slots=True)
class Telling:
    """An answer that this process gives."""

    room: Room
    answer_id: str
    customer_id: str | None
    message_ids: tuple[str, ...]
    asker: Viewer
    question: str  # the frame for the others
    publish: Callable[[Telling, Told], None]
    stop: Callable[[], object] = lambda: None
    events: list[Told] = field(default_factory=list[Told])
    stored: int = 0
    ended_at: float | None = None

    def tell(self, event: Event) -> None:
        """To every socket of the conversation. The sockets of this process have it when this returns."""
        seq = len(self.events) + 1
        last = isinstance(event, Done | Failed)
        frame = event_frame(self.answer_id, seq, event, self.message_ids)
        told = Told(self.answer_id, seq, self.customer_id, frame, last, self.question if seq == 1 else None)
        self.events.append(told)
        if last:
            self.ended_at = asyncio.get_running_loop().time()
        self.publish(self, told)


@dataclass(eq=False, slots=True)
class Room:
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


class Live:
    """All conversations of this process. `run` must run beside it; `aclose` ends what it started.

    `grace_s`: how long an answer goes on that nobody watches, in any process. Where the store fails, the sockets of this
    process still get what this process answers; the rest is not offered.
    """

    def __init__(self, store: LiveAnswers, sessions: LiveSessions, desk: DeskFeed, grace_s: float) -> None:
        self._store = store
        self._sessions = sessions
        self._desk = desk
        self.grace_s = grace_s
        self._rooms: dict[Talk, Room] = {}
        self._unstored: dict[Telling, None] = {}
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    # A socket comes and goes

    async def join(self, talk: Talk, viewer: Viewer) -> dict[str, int]:
        """The socket gets what is said from now on. Returns the answers under way, and how many events each has so far."""
        room = self._room(talk)
        room.viewers.setdefault(viewer, Following())
        if room.desk is None:
            room.desk = self.start(self._follow_desk(room))
        if room.listening is not None:
            await asyncio.shield(room.listening)
        try:
            stored = dict(await self._store.under_way(talk))
        except StoreFailed as error:
            logger.warning("answers under way are not known: %s", error)
            stored = {}
        now = _now()
        for answer_id in stored.keys() - room.tellings.keys():
            room.elsewhere.setdefault(answer_id, now)
        self._keep_watching(room)
        for answer_id, telling in room.tellings.items():
            stored.pop(answer_id, None)
            if telling.ended_at is None and may_see(telling.customer_id, viewer.customer_id):
                stored[answer_id] = len(telling.events)
        return stored

    def leave(self, talk: Talk, viewer: Viewer) -> None:
        room = self._rooms.get(talk)
        if room is None or room.viewers.pop(viewer, None) is None or room.viewers:
            return
        room.watched_until = max(room.watched_until, _now())
        if room.desk is not None:
            room.desk.cancel()
            room.desk = None
        if room.elsewhere:
            self.start(self._say(room, Watch(0)))
        self._close_if_idle(room)

    async def resume(self, talk: Talk, viewer: Viewer, answer_id: str, after_seq: int) -> None:
        """Shows the answer's events after this one, and those to come. Raises NotFound."""
        room = self._room(talk)
        following = room.viewers.get(viewer, Following())
        following.resume(answer_id, after_seq)
        telling = room.tellings.get(answer_id)
        if telling is not None and may_see(telling.customer_id, viewer.customer_id):
            viewer.show([told.frame for told in following.missing(telling.events)])
            return
        try:
            found = telling is None and await self._fill(room, viewer, answer_id)
        except StoreFailed as error:
            logger.warning("an answer was not resumed: %s", error)
            found = False
        if not found:
            following.forget(answer_id)
            raise NotFound("There is no such answer, or it was too long ago: read the conversation instead.", param="answer_id")

    async def repeat(self, talk: Talk, viewer: Viewer, answer_id: str, before: Mapping[str, int]) -> None:
        """Shows what the socket has not shown of the answer; all of it again, if it had shown it `before` it asked again.

        Raises NotFound.
        """
        seq = self.shown(talk, viewer).get(answer_id, 0)
        await self.resume(talk, viewer, answer_id, 0 if before.get(answer_id) == seq else seq)

    def shown(self, talk: Talk, viewer: Viewer) -> dict[str, int]:
        """Up to which event the socket has shown each answer."""
        following = self._room(talk).viewers.get(viewer)
        return {} if following is None else dict(following.shown)

    def cancel(self, talk: Talk, viewer: Viewer, answer_id: str) -> None:
        """Ends an answer, wherever it is given. One that has ended, or is none of the customer's, is passed over."""
        room = self._rooms[talk]
        telling = room.tellings.get(answer_id)
        if telling is None:
            if answer_id in room.elsewhere and answer_id in room.viewers[viewer].shown:
                self.start(self._say(room, Cancel(answer_id)))
        elif telling.ended_at is None and may_see(telling.customer_id, viewer.customer_id):
            telling.stop()

    # An answer is given

    def hold(self, talk: Talk) -> Room:
        """Hears of the conversation, also without a socket, until `release`."""
        room = self._room(talk)
        room.holds += 1
        return room

    def release(self, room: Room) -> None:
        room.holds -= 1
        self._close_if_idle(room)

    def begin(
        self,
        room: Room,
        answer_id: str,
        customer_id: str | None,
        message_ids: tuple[str, ...],
        asker: Viewer,
        question: str,
    ) -> Telling:
        """An answer that this process gives from now on. Its `stop` is called when its customer cancels it."""
        telling = Telling(room, answer_id, customer_id, message_ids, asker, question, self._publish)
        room.tellings[answer_id] = telling
        return telling

    def watched_until(self, room: Room) -> float:
        """Until when somebody watched the conversation, or will, on the loop's clock."""
        return _now() if room.viewers else room.watched_until

    def _publish(self, telling: Telling, told: Told) -> None:
        self._show(telling.room, told, telling.asker)
        if len(telling.events) <= EVENTS_MAX:
            self._unstored[telling] = None
            self._changed.set()
            return
        self._unstored.pop(telling, None)
        if len(telling.events) == EVENTS_MAX + 1:
            self.start(self._forget(telling))
        if told.last:
            self._done(telling)

    async def _forget(self, telling: Telling) -> None:
        logger.warning("answer %s is too long to be resumed", telling.answer_id)
        try:
            await self._store.forget(telling.room.talk, telling.answer_id)
        except StoreFailed as error:
            logger.warning("it ends by its time to live: %s", error)

    def _done(self, telling: Telling) -> None:
        telling.room.tellings.pop(telling.answer_id, None)
        self._close_if_idle(telling.room)

    # In the background

    async def run(self) -> None:
        """Stores what is told, and hears what other processes tell. Runs until it is cancelled."""
        await asyncio.gather(self._store_events(), self._hear())

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs it until it ends or this is closed."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def aclose(self) -> None:
        """Ends every answer, and stores how it ended."""
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        await asyncio.gather(*(self._store_some(telling) for telling in list(self._unstored)))

    async def _store_events(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            tellings, self._unstored = list(self._unstored), {}
            stored = await asyncio.gather(*(self._store_some(telling) for telling in tellings))
            if not all(stored):
                await asyncio.sleep(RETRY_S)

    async def _store_some(self, telling: Telling) -> bool:
        """One step for one answer; false when the store failed."""
        events = telling.events[telling.stored : telling.stored + BATCH_MAX]
        try:
            if events:
                telling.stored = min(len(telling.events), await self._store.tell(telling.room.talk, telling.answer_id, events))
        except StoreFailed as error:
            if telling.ended_at is not None and _now() > telling.ended_at + GIVE_UP_S:
                logger.warning("answer %s cannot be resumed: %s", telling.answer_id, error)
                self._done(telling)
                return True
            self._once_more(telling)
            return False
        if telling.stored < len(telling.events):
            self._once_more(telling)
        elif telling.ended_at is not None:
            self._done(telling)
        return True

    def _once_more(self, telling: Telling) -> None:
        self._unstored[telling] = None
        self._changed.set()

    async def _hear(self) -> None:
        async with aclosing(self._store.heard()) as heard:
            async for item in heard:
                if item is None:
                    for room in list(self._rooms.values()):
                        self.start(self._catch_up(room))
                elif (room := self._rooms.get(item[0])) is not None:
                    self._take_in(room, item[1])

    def _take_in(self, room: Room, message: Sequence[Told] | Note) -> None:
        now = _now()
        match message:
            case Watch():
                room.watched_until = max(room.watched_until, now + message.for_s)
                given = tuple(answer_id for answer_id, telling in room.tellings.items() if telling.ended_at is None)
                if given:
                    self.start(self._say(room, Alive(given)))
            case Alive():
                room.elsewhere.update(dict.fromkeys(message.answer_ids, now))
            case Cancel():
                telling = room.tellings.get(message.answer_id)
                if telling is not None and telling.ended_at is None:
                    telling.stop()
            case _:
                for told in message:
                    room.elsewhere[told.answer_id] = now
                    self._show(room, told, None)
                    if told.last:
                        del room.elsewhere[told.answer_id]
        self._keep_watching(room)

    async def _catch_up(self, room: Room) -> None:
        """Some of what other processes told may be missing: reads it."""
        try:
            answers = {*room.elsewhere, *await self._store.under_way(room.talk)} - room.tellings.keys()
            room.elsewhere |= dict.fromkeys(answers, _now())
            for viewer, following in list(room.viewers.items()):
                for answer_id in answers:
                    following.shown.setdefault(answer_id, 0)
                    await self._fill(room, viewer, answer_id)
        except StoreFailed as error:
            logger.warning("what was missed is not known: %s", error)
        self._keep_watching(room)

    def _keep_watching(self, room: Room) -> None:
        if room.elsewhere and room.viewers and room.beating is None:
            room.beating = self.start(self._beat(room))

    async def _beat(self, room: Room) -> None:
        """Keeps other processes' answers going while sockets here show them; ends those whose owners have died."""
        every_s = self.grace_s / BEATS
        try:
            while room.elsewhere and room.viewers:
                await self._say(room, Watch(every_s))
                await asyncio.sleep(every_s)
                for answer_id in silent(room.elsewhere, _now(), every_s * BEATS):
                    del room.elsewhere[answer_id]
                    broken = error_frame(NotReady("The answer broke off. Please ask again."), answer_id=answer_id)
                    for viewer, following in list(room.viewers.items()):
                        if answer_id in following.shown:
                            viewer.show([broken])
        finally:
            room.beating = None

    async def _say(self, room: Room, note: Note) -> None:
        try:
            await self._store.say(room.talk, note)
        except StoreFailed as error:
            logger.warning("other processes were not told: %s", error)

    # What a socket shows

    def _show(self, room: Room, told: Told, asker: Viewer | None) -> None:
        for viewer, following in list(room.viewers.items()):
            if not may_see(told.customer_id, viewer.customer_id):
                continue
            step = following.arrived(told.answer_id, told.seq)
            if step is Step.FILL:
                self._fill_later(room, viewer, told.answer_id)
            elif step is Step.SHOW:
                before = () if told.question is None or viewer is asker else (told.question,)
                viewer.show((*before, told.frame))

    def _fill_later(self, room: Room, viewer: Viewer, answer_id: str) -> None:
        if (viewer, answer_id) in room.filling:
            room.filling[viewer, answer_id] = True
            return

        async def fill() -> None:
            try:
                await self._fill(room, viewer, answer_id)
            except StoreFailed as error:
                logger.warning("a gap in an answer was not filled: %s", error)

        self.start(fill())

    async def _fill(self, room: Room, viewer: Viewer, answer_id: str) -> bool:
        """Reads and shows what the socket misses of an answer. False: there is no such answer, or it is another's.

        Raises StoreFailed.
        """
        slot = (viewer, answer_id)
        room.filling[slot] = True
        try:
            while room.filling[slot] and (following := room.viewers.get(viewer)) is not None:
                room.filling[slot] = False
                after_seq = following.shown.get(answer_id, 0)
                told = await self._store.told(room.talk, answer_id, after_seq)
                if told is None or not all(may_see(event.customer_id, viewer.customer_id) for event in told):
                    return False
                if viewer in room.viewers:
                    viewer.show([event.frame for event in following.missing(told)])
                if told and told[-1].last:
                    room.elsewhere.pop(answer_id, None)
                elif not told and not await self._is_under_way(room, answer_id):
                    return await self._ends_with(room, answer_id, after_seq)
                else:
                    room.elsewhere.setdefault(answer_id, _now())
            self._keep_watching(room)
            return True
        finally:
            del room.filling[slot]

    async def _is_under_way(self, room: Room, answer_id: str) -> bool:
        return answer_id in room.elsewhere or answer_id in await self._store.under_way(room.talk)

    async def _ends_with(self, room: Room, answer_id: str, seq: int) -> bool:
        last = await self._store.told(room.talk, answer_id, max(0, seq - 1))
        return bool(last) and last[-1].last

    async def _follow_desk(self, room: Room) -> None:
        async with aclosing(self._desk.follow(*room.talk)) as events:
            async for event in events:
                shown = desk_frame(event)
                for viewer in list(room.viewers):
                    if await self._may_use(room, viewer) and viewer in room.viewers:
                        viewer.show([shown])

    async def _may_use(self, room: Room, viewer: Viewer) -> bool:
        """An anonymous conversation may have become a customer's since the socket came."""
        try:
            await self._sessions.enter(*room.talk, viewer.customer_id)
        except (NotFound, Forbidden):
            return False
        except StoreFailed as error:
            logger.warning("whose conversation it is was not looked up again: %s", error)
        return True

    # Rooms

    def _room(self, talk: Talk) -> Room:
        room = self._rooms.get(talk)
        if room is None:
            room = self._rooms[talk] = Room(talk)
            room.listening = self.start(self._listen(room))
        return room

    async def _listen(self, room: Room) -> None:
        try:
            await self._store.listen(room.talk)
        except StoreFailed as error:
            logger.warning("what other processes say is not heard: %s", error)

    def _close_if_idle(self, room: Room) -> None:
        if room.viewers or room.holds or room.tellings or self._rooms.get(room.talk) is not room:
            return
        del self._rooms[room.talk]
        for task in (room.beating, room.listening):
            if task is not None:
                task.cancel()
        self.start(self._store.ignore(room.talk))


def _now() -> float:
    """The loop's clock, in seconds."""
    return asyncio.get_running_loop().time()
