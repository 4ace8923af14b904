"""The way of one question: session, understanding, tiers, rooms, model, record."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from copy import copy

from serve_app import tracing
from serve_app.answering.deciding import Deciding
from serve_app.answering.handover import Handover
from serve_app.answering.library import Library
from serve_app.answering.question_head import QuestionHead
from serve_app.answering.question_tally import QuestionTally
from serve_app.answering.reader import Reader
from serve_app.answering.recording import Recording
from serve_app.answering.reply import Reply, quietly, text_of
from serve_app.answering.rooms import Rooms
from serve_app.answering.shared_tier import Held, SharedTier
from serve_app.answering.speaker import Speaker
from serve_app.answering.taps import Taps
from serve_app.answering.work import Draft, Work, at_once
from serve_app.config import DeadlineSettings
from serve_app.domain.errors import DeadlineExceeded, Forbidden, InvalidField, NotReady, StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.messages import (
    Ask,
    Delta,
    Meta,
    Middle,
    middle_of,
)
from serve_app.domain.named_orders import is_not_the_customers
from serve_app.domain.question import Entities, Focus
from serve_app.domain.session import AnswerRecord, Begun, Session
from serve_app.domain.tier_counts import Told, tally
from serve_app.domain.wanted import OF_AN_ORDER
from serve_app.ports import Clock, Sessions, TierCounts

logger = logging.getLogger(__name__)


class Course:
    """Takes a question to its answer. Every dependency is a port; nothing here knows how it is run."""

    def __init__(
        self,
        *,
        reader: Reader,
        deciding: Deciding,
        sessions: Sessions,
        shared: SharedTier,
        rooms: Rooms,
        library: Library,
        speaker: Speaker,
        clock: Clock,
        new_id: Callable[[str], str],
        deadlines: DeadlineSettings,
        handover: Handover,
        taps: Taps,
        tally: QuestionTally,
        head: QuestionHead,
        counts: TierCounts,
    ) -> None:
        self._reader = reader
        self._deciding = deciding
        self._sessions = sessions
        self._shared = shared
        self._recording = Recording(sessions, shared, clock, counts)
        self._rooms = rooms
        self._library = library
        self._speaker = speaker
        self._clock = clock
        self._new_id = new_id
        self._deadlines = deadlines
        self._handover = handover
        self._taps = taps
        self._tally = tally
        self._head = head
        self._counts = counts

    def keeping(self, sessions: Sessions) -> Course:
        """The same course, with conversations that are kept elsewhere."""
        other = copy(self)
        other._sessions = sessions
        other._recording = Recording(sessions, self._shared, self._clock, self._counts)
        return other

    async def open(self, ask: Ask, *, new_session: bool) -> Reply:
        """Goes as far as the first piece of the answer, so that a failure until there keeps its own status.

        Raises NotFound or Forbidden (the session, the attached order), InvalidField (an unknown choice), Overloaded, NotReady,
        DeadlineExceeded.
        """
        deadline_at = self._clock.monotonic() + self._deadlines.request_s
        work = Work(ask, self._new_id("ans"), self._clock, deadline_at, tracing.current())
        try:
            async with asyncio.timeout(self._deadlines.request_s):
                return await self._open(work, new_session)
        except TimeoutError:
            raise DeadlineExceeded("The answer did not begin in time.", retry_after_s=5) from None
        except StoreFailed as error:
            logger.warning("the sessions do not answer: %s", error)
            raise NotReady("Conversations cannot be kept right now.", retry_after_s=5) from error

    async def _open(self, work: Work, new_session: bool) -> Reply:
        ask = work.ask
        text = ask.question if ask.question is not None else await self._choice(ask)
        work.asked_at = self._clock.now()
        await self._check_attached(work)
        foreseen = self._foreseen(work, text, new_session)
        asked_key = self._key_to_bring(ask, text) if foreseen is None else None
        begun = await self._recording.begin(work, text, new_session, asked_key, foreseen)
        if foreseen is not None and begun.answered:
            return self._given(work, foreseen)
        work.session, work.number = self._reader.retold(ask, begun.session), begun.number
        work.text = begun.text or text
        if begun.repeated is not None:
            return await self._again(work, begun.repeated)
        self._taps.learn(ask, work.session, lambda said: self._reader.read(ask, said, Focus()))
        try:
            with work.step("understand"):
                work.understood = self._reader.read(ask, work.text, work.session.focus)
            if await self._handover.hears(work):
                return self._reply(work, at_once("agent", finish_reason="handoff"))
            self._speaker.hear()
            self._deciding.identify(work)
            held = await self._held(work, begun, asked_key)
            draft = self._deciding.from_shared(work, held) if held else await self._deciding.decide(work)
        except BaseException:
            self._leave_place(work)
            # The next turn must not wait for this one, not even when its customer has gone.
            await asyncio.shield(asyncio.ensure_future(quietly(self._recording.abandon(work))))
            self._count(work, None)
            raise
        return self._reply(work, draft)

    def _foreseen(self, work: Work, text: str, new_session: bool) -> Draft | None:
        """The answer, where it is in memory and what the conversation is about is known here as well: question and answer are
        then recorded in one trip, which looks whether that is still so."""
        ask, tenant = work.ask, work.ask.caller.tenant
        focus = Focus() if new_session else self._recording.last_focus(ask)
        if focus is None or ask.choice is not None or ask.channel != "chat" or not self._handover.is_quiet(ask):
            return None
        work.text, work.understood = text, self._reader.read(ask, text, focus)
        work.session = Session(tenant, ask.session_id, ask.caller.customer_id, focus=focus)
        self._deciding.identify(work)
        if work.share_key is None or work.understood.intent in (Intent.CRISIS, Intent.HUMAN):
            return None
        return self._deciding.at_hand(work)

    def _key_to_bring(self, ask: Ask, text: str) -> str | None:
        """Most questions need nothing from the conversation: their key is known before it is read, and one trip brings both.
        None where the answer is here."""
        alone = self._reader.read(ask, text, Focus())
        key = self._shared.key(ask, alone)
        is_here = self._library.publishes(ask, alone) or self._shared.has_in_memory(ask.caller.tenant, key)
        return None if is_here else key

    async def _held(self, work: Work, begun: Begun, asked_key: str | None) -> Held | None:
        """What is shared under the question's key: begun's trip brought what stands under `asked_key`. Memory is read again,
        because something may have been published while the turn waited for its predecessor."""
        key = work.share_key
        if key is None or self._library.publishes(work.ask, work.understood):
            return None
        tenant = work.ask.caller.tenant
        if key != asked_key:
            return await self._shared.anywhere(tenant, key)
        return self._shared.in_memory(tenant, key) or self._shared.arrived(tenant, key, begun.shared)

    # What was asked

    async def _choice(self, ask: Ask) -> str:
        """The question that a tap on a choice or a suggestion stands for."""
        session = await self._sessions.read(ask.caller.tenant, ask.session_id, ask.caller.customer_id)
        for turn in session.turns:
            if turn.question.message_id == ask.message_id:
                return turn.question.text  # the same tap again, whatever was offered since
        for suggestion in session.focus.suggested:
            if suggestion.id == ask.choice:
                return suggestion.question
        if any(option.id == ask.choice for option in session.focus.offered):
            return str(ask.choice)
        raise InvalidField("This choice was not offered in the last answer.", param="choice")

    async def _check_attached(self, work: Work) -> None:
        """An attached order must be the customer's own. The refusal is the same whether or not it exists."""
        ask = work.ask
        if ask.order_id is None:
            return
        if ask.caller.customer_id is None:
            raise Forbidden("An order can be attached only with its customer's token.", param="order_id")
        facts = await self._rooms.facts(work, Entities(order_ids=(ask.order_id,)), OF_AN_ORDER)
        if is_not_the_customers(ask.order_id, facts):
            raise Forbidden("This order is not one of the customer's.", param="order_id")

    @staticmethod
    def _leave_place(work: Work) -> None:
        if work.place is not None:
            work.place.leave()

    # What is replied

    async def _again(self, work: Work, record: AnswerRecord) -> Reply:
        """The same answer to the same message; nothing is added."""
        meta = Meta(
            answer_id=record.answer_id,
            session_id=work.ask.session_id,
            kind=record.kind,
            source=record.source,
            tier=record.tier,
            language=record.language,
            model=record.model,
            demo=record.model == self._speaker.card.name and self._speaker.card.demo,
        )
        said = [Delta(record.text)] if record.text else []
        recorded = [middle_of(event["event"], event["data"]) for event in record.events]
        events = await self._handover.as_of_now(work, recorded)
        draft = at_once(record.source, *said, *events, finish_reason=record.finish_reason)
        work.degraded += record.degraded

        return Reply(meta, draft, work, None)

    def _count(self, work: Work, draft: Draft | None) -> None:
        """How a new question was answered; without a draft it failed."""
        ask, understood = work.ask, work.understood
        told = Told(
            tenant=ask.caller.tenant,
            kind=understood.kind,
            tier=draft.tier if draft is not None else "none",
            source=draft.source if draft is not None else "error",
            shareable=work.share_key is not None,
            has_customer=ask.caller.customer_id is not None,
            model_may=self._speaker.may_answer(work, chat=understood.intent is Intent.CHITCHAT),
            in_head=(draft is not None and draft.is_worded)
            or self._library.publishes(ask, understood)
            or self._head.has(ask.caller.tenant, understood),
            created_at=draft.made_at if draft is not None else None,
            refused=work.gates,
        )
        self._counts.answered(tally(told, self._clock.now()))

    def _reply(self, work: Work, draft: Draft) -> Reply:
        self._count(work, draft)

        async def record(reason: str, said: tuple[Middle, ...]) -> None:
            try:
                await self._recording.finish(work, draft, reason, said)
            finally:
                self._leave_place(work)
            self._handover.answered(work, text_of(said))
            self._tally.count(work, draft)

        return Reply(self._meta(work, draft), draft, work, record)

    def _given(self, work: Work, draft: Draft) -> Reply:
        """It is recorded already."""
        self._speaker.hear()
        self._handover.answered(work, text_of(draft.events or ()))
        self._count(work, draft)
        self._tally.count(work, draft)
        return Reply(self._meta(work, draft), draft, work, None)

    def _meta(self, work: Work, draft: Draft) -> Meta:
        understood = work.understood
        return Meta(
            answer_id=work.answer_id,
            session_id=work.ask.session_id,
            kind=understood.kind,
            source=draft.source,
            tier=draft.tier,
            language=understood.language,
            model=draft.model,
            demo=draft.demo,
        )
