"""Conversations as this process shows them: who watches, what is told to whom, here and in the other processes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import aclosing
from contextvars import Context
from typing import Any

from serve_app.answering.audience import Audience
from serve_app.answering.frames import desk_frame, error_frame
from serve_app.answering.telling import Keeper, Telling, Viewer
from serve_app.domain.errors import Forbidden, NotFound, NotReady, StoreFailed
from serve_app.domain.live import BEATS, Alive, Cancel, Following, Note, Step, Talk, Told, Watch, may_see, silent
from serve_app.ports import DeskFeed, LiveAnswers, LiveSessions

logger = logging.getLogger(__name__)


class Live:
    """All conversations of this process. `run` must run beside it; `aclose` ends what it started.

    `grace_s`: how long an answer goes on that nobody watches, in any process. Where the store fails, the sockets of this
    process still get what this process answers; the rest is not offered.
    """

    def __init__(self, store: LiveAnswers, sessions: LiveSessions, desk: DeskFeed, grace_s: float) -> None:
        self._store = store
        self._keeper = Keeper(store, self._done)
        self._sessions = sessions
        self._desk = desk
        self.grace_s = grace_s
        self._audiences: dict[Talk, Audience] = {}
        self._holds = 0
        self._settled = asyncio.Event()
        self._settled.set()
        self._tasks: set[asyncio.Task[Any]] = set()

    # A socket comes and goes

    async def join(self, talk: Talk, viewer: Viewer) -> dict[str, int]:
        """The socket gets what is said from now on. Returns the answers under way, and how many events each has so far."""
        audience = self._audience(talk)
        audience.viewers.setdefault(viewer, Following())
        if audience.desk is None:
            audience.desk = self.start(self._follow_desk(audience))
        if audience.listening is not None:
            await asyncio.shield(audience.listening)
        try:
            stored = dict(await self._store.under_way(talk))
        except StoreFailed as error:
            logger.warning("answers under way are not known: %s", error)
            stored = {}
        now = _now()
        for answer_id in stored.keys() - audience.tellings.keys():
            audience.elsewhere.setdefault(answer_id, now)
        self._keep_watching(audience)
        # What is being opened elsewhere, of which nothing is stored yet, goes on as well.
        self.start(self._say(audience, Watch(0)))
        for answer_id, telling in audience.tellings.items():
            stored.pop(answer_id, None)
            if telling.ended_at is None and may_see(telling.customer_id, viewer.customer_id):
                stored[answer_id] = len(telling.events)
        return stored

    def leave(self, talk: Talk, viewer: Viewer) -> None:
        audience = self._audiences.get(talk)
        if audience is None or audience.viewers.pop(viewer, None) is None or audience.viewers:
            return
        audience.watched_until = max(audience.watched_until, _now())
        if audience.desk is not None:
            audience.desk.cancel()
            audience.desk = None
        if audience.elsewhere:
            self.start(self._say(audience, Watch(0)))
        self._close_if_idle(audience)

    async def resume(self, talk: Talk, viewer: Viewer, answer_id: str, after_seq: int) -> None:
        """Shows the answer's events after this one, and those to come. Raises NotFound."""
        audience = self._audience(talk)
        following = audience.viewers.get(viewer, Following())
        following.resume(answer_id, after_seq)
        telling = audience.tellings.get(answer_id)
        if telling is not None and may_see(telling.customer_id, viewer.customer_id):
            viewer.show([told.frame for told in following.missing(telling.events)])
            return
        try:
            found = telling is None and await self._fill(audience, viewer, answer_id)
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
        following = self._audience(talk).viewers.get(viewer)
        return {} if following is None else dict(following.shown)

    def cancel(self, talk: Talk, viewer: Viewer, answer_id: str) -> None:
        """Ends an answer, wherever it is given. One that has ended, or is none of the customer's, is passed over."""
        audience = self._audiences[talk]
        telling = audience.tellings.get(answer_id)
        if telling is None:
            if answer_id in audience.elsewhere and answer_id in audience.viewers[viewer].shown:
                self.start(self._say(audience, Cancel(answer_id)))
        elif telling.ended_at is None and may_see(telling.customer_id, viewer.customer_id):
            telling.stop()

    # An answer is given

    def hold(self, talk: Talk) -> Audience:
        """Hears of the conversation, also without a socket, until `release`."""
        audience = self._audience(talk)
        audience.holds += 1
        self._holds += 1
        self._settled.clear()
        return audience

    def release(self, audience: Audience) -> None:
        audience.holds -= 1
        self._holds -= 1
        if not self._holds:
            self._settled.set()
        self._close_if_idle(audience)

    def is_answered(self, talk: Talk) -> bool:
        """Whether an answer is under way in the conversation, as far as is known here."""
        audience = self._audiences.get(talk)
        return audience is not None and (
            bool(audience.elsewhere) or any(telling.ended_at is None for telling in audience.tellings.values())
        )

    def begin(
        self,
        audience: Audience,
        answer_id: str,
        customer_id: str | None,
        message_ids: tuple[str, ...],
        asker: Viewer,
        question: str,
    ) -> Telling:
        """An answer that this process gives from now on. Its `stop` is called when its customer cancels it."""
        telling = Telling(audience.talk, answer_id, customer_id, message_ids, asker, question, self._tell)
        audience.tellings[answer_id] = telling
        return telling

    def watched_until(self, audience: Audience) -> float:
        """Until when somebody watched the conversation, or will, on the loop's clock."""
        return _now() if audience.viewers else audience.watched_until

    def _tell(self, telling: Telling, told: Told) -> None:
        self._show(self._audiences[telling.talk], told, telling.asker)
        self._keeper.add(telling)

    def _done(self, telling: Telling) -> None:
        audience = self._audiences.get(telling.talk)
        if audience is not None:
            audience.tellings.pop(telling.answer_id, None)
            self._close_if_idle(audience)

    # In the background

    async def run(self) -> None:
        """Stores what is told, and hears what other processes tell. Runs until it is cancelled."""
        await asyncio.gather(self._keeper.run(), self._hear())

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs it until it ends or this is closed, whatever becomes of the request that it was started in.

        In a context of its own: Ray Serve cancels what was called in a request's context when its client goes away.
        """
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settled(self) -> None:
        """Returns when no chat is at work here: every socket has gone, and what its chat still answered is told."""
        await self._settled.wait()

    async def aclose(self) -> None:
        """Ends every answer, and stores how it ended."""
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        await self._keeper.flush()

    async def _hear(self) -> None:
        async with aclosing(self._store.heard()) as heard:
            async for item in heard:
                if item is None:
                    for audience in list(self._audiences.values()):
                        self.start(self._catch_up(audience))
                elif (audience := self._audiences.get(item[0])) is not None:
                    try:
                        self._take_in(audience, item[1])
                    except Exception:
                        # Of another version, say. Whoever listens for all conversations must not end with one message.
                        logger.exception("what another process said was not understood")

    def _take_in(self, audience: Audience, message: Sequence[Told] | Note) -> None:
        now = _now()
        match message:
            case Watch():
                audience.watched_until = max(audience.watched_until, now + message.for_s)
                given = tuple(answer_id for answer_id, telling in audience.tellings.items() if telling.ended_at is None)
                if given:
                    self.start(self._say(audience, Alive(given)))
            case Alive():
                audience.elsewhere.update(dict.fromkeys(message.answer_ids, now))
            case Cancel():
                telling = audience.tellings.get(message.answer_id)
                if telling is not None and telling.ended_at is None:
                    telling.stop()
            case _:
                for told in message:
                    audience.elsewhere[told.answer_id] = now
                    self._show(audience, told, None)
                    if told.last:
                        del audience.elsewhere[told.answer_id]
        self._keep_watching(audience)

    async def _catch_up(self, audience: Audience) -> None:
        """Some of what other processes told may be missing: reads it."""
        try:
            answers = {*audience.elsewhere, *await self._store.under_way(audience.talk)} - audience.tellings.keys()
            audience.elsewhere |= dict.fromkeys(answers, _now())
            for viewer, following in list(audience.viewers.items()):
                for answer_id in answers:
                    following.shown.setdefault(answer_id, 0)
                    await self._fill(audience, viewer, answer_id)
        except StoreFailed as error:
            logger.warning("what was missed is not known: %s", error)
        self._keep_watching(audience)

    def _keep_watching(self, audience: Audience) -> None:
        if audience.elsewhere and audience.viewers and audience.beating is None:
            audience.beating = self.start(self._beat(audience))

    async def _beat(self, audience: Audience) -> None:
        """Keeps other processes' answers going while sockets here show them; ends those whose owners have died."""
        every_s = self.grace_s / BEATS
        # Nobody was asked until now, so nobody was silent.
        audience.elsewhere = dict.fromkeys(audience.elsewhere, _now())
        try:
            while audience.elsewhere and audience.viewers:
                await self._say(audience, Watch(every_s))
                await asyncio.sleep(every_s)
                for answer_id in silent(audience.elsewhere, _now(), every_s * BEATS):
                    del audience.elsewhere[answer_id]
                    for viewer, following in list(audience.viewers.items()):
                        if answer_id in following.shown and not await self._show_end(audience, viewer, following, answer_id):
                            broken = NotReady("The answer broke off. Please ask again.")
                            viewer.show([error_frame(broken, answer_id=answer_id)])
        finally:
            audience.beating = None

    async def _show_end(self, audience: Audience, viewer: Viewer, following: Following, answer_id: str) -> bool:
        """Shows what is stored of an answer that nobody gives any more; whether that is all of it."""
        try:
            seq = following.shown[answer_id]
            told = await self._store.told(audience.talk, answer_id, seq) or ()
            viewer.show([event.frame for event in following.missing(told)])
            return told[-1].last if told else await self._ends_with(audience, answer_id, seq)
        except StoreFailed as error:
            logger.warning("the end of an answer is not known: %s", error)
            return False

    async def _say(self, audience: Audience, note: Note) -> None:
        try:
            await self._store.say(audience.talk, note)
        except StoreFailed as error:
            logger.warning("other processes were not told: %s", error)

    # What a socket shows

    def _show(self, audience: Audience, told: Told, asker: Viewer | None) -> None:
        for viewer, following in list(audience.viewers.items()):
            if not may_see(told.customer_id, viewer.customer_id):
                continue
            step = following.arrived(told.answer_id, told.seq)
            if step is Step.FILL:
                self._fill_later(audience, viewer, told.answer_id)
            elif step is Step.SHOW:
                before = () if told.question is None or viewer is asker else (told.question,)
                viewer.show((*before, told.frame))

    def _fill_later(self, audience: Audience, viewer: Viewer, answer_id: str) -> None:
        if (viewer, answer_id) in audience.filling:
            audience.filling[viewer, answer_id] = True
            return

        async def fill() -> None:
            try:
                await self._fill(audience, viewer, answer_id)
            except StoreFailed as error:
                logger.warning("a gap in an answer was not filled: %s", error)

        self.start(fill())

    async def _fill(self, audience: Audience, viewer: Viewer, answer_id: str) -> bool:
        """Reads and shows what the socket misses of an answer. False: there is no such answer, or it is another's.

        Raises StoreFailed.
        """
        slot = (viewer, answer_id)
        audience.filling[slot] = True
        try:
            while audience.filling[slot] and (following := audience.viewers.get(viewer)) is not None:
                audience.filling[slot] = False
                after_seq = following.shown.get(answer_id, 0)
                told = await self._store.told(audience.talk, answer_id, after_seq)
                if told is None or not all(may_see(event.customer_id, viewer.customer_id) for event in told):
                    return False
                if viewer in audience.viewers:
                    viewer.show([event.frame for event in following.missing(told)])
                if told and told[-1].last:
                    audience.elsewhere.pop(answer_id, None)
                elif not told and not await self._is_under_way(audience, answer_id):
                    return await self._ends_with(audience, answer_id, after_seq)
                else:
                    audience.elsewhere.setdefault(answer_id, _now())
            self._keep_watching(audience)
            return True
        finally:
            del audience.filling[slot]

    async def _is_under_way(self, audience: Audience, answer_id: str) -> bool:
        return answer_id in audience.elsewhere or answer_id in await self._store.under_way(audience.talk)

    async def _ends_with(self, audience: Audience, answer_id: str, seq: int) -> bool:
        last = await self._store.told(audience.talk, answer_id, max(0, seq - 1))
        return bool(last) and last[-1].last

    async def _follow_desk(self, audience: Audience) -> None:
        async with aclosing(self._desk.follow(*audience.talk)) as events:
            async for event in events:
                shown = desk_frame(event)
                for viewer in list(audience.viewers):
                    if await self._may_use(audience, viewer) and viewer in audience.viewers:
                        viewer.show([shown])

    async def _may_use(self, audience: Audience, viewer: Viewer) -> bool:
        """An anonymous conversation may have become a customer's since the socket came."""
        try:
            await self._sessions.enter(*audience.talk, viewer.customer_id)
        except (NotFound, Forbidden):
            return False
        except StoreFailed as error:
            logger.warning("whose conversation it is was not looked up again: %s", error)
        return True

    # Audiences

    def _audience(self, talk: Talk) -> Audience:
        audience = self._audiences.get(talk)
        if audience is None:
            audience = self._audiences[talk] = Audience(talk)
            audience.listening = self.start(self._listen(audience))
        return audience

    async def _listen(self, audience: Audience) -> None:
        try:
            await self._store.listen(audience.talk)
        except StoreFailed as error:
            logger.warning("what other processes say is not heard: %s", error)

    def _close_if_idle(self, audience: Audience) -> None:
        if audience.viewers or audience.holds or audience.tellings or self._audiences.get(audience.talk) is not audience:
            return
        del self._audiences[audience.talk]
        for task in (audience.beating, audience.listening):
            if task is not None:
                task.cancel()
        self.start(self._store.ignore(audience.talk))


def _now() -> float:
    """The loop's clock, in seconds."""
    return asyncio.get_running_loop().time()
