"""The way of one question: session, understanding, tiers, rooms, model, record."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace

from serve_app import tracing
from serve_app.answering.handover import Handover
from serve_app.answering.library import Library
from serve_app.answering.question_tally import QuestionTally
from serve_app.answering.recording import Recording
from serve_app.answering.regeneration import Regenerations
from serve_app.answering.reply import Reply, quietly, text_of
from serve_app.answering.rooms import Rooms
from serve_app.answering.shared_tier import Held, SharedTier
from serve_app.answering.speaker import Speaker
from serve_app.answering.taps import Taps
from serve_app.answering.work import Draft, Work, at_once
from serve_app.config import DeadlineSettings
from serve_app.domain.errors import DeadlineExceeded, Forbidden, InvalidField, NotReady, Overloaded, StoreFailed
from serve_app.domain.expiry import day_ends_at, earliest, lasts
from serve_app.domain.id_formats import DEMO_FORMATS, Formats
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Found
from serve_app.domain.messages import (
    Ask,
    Choices,
    Citation,
    Delta,
    Kind,
    Meta,
    Middle,
    Suggestions,
    middle_of,
)
from serve_app.domain.named_orders import is_not_the_customers
from serve_app.domain.phrases import Phrase, say
from serve_app.domain.question import Entities, Focus, Understanding
from serve_app.domain.session import AnswerRecord, Begun, Session
from serve_app.domain.sharing import question_of
from serve_app.domain.templates import NeedsChoice, NotMeant, NoValue, answer_from
from serve_app.domain.tier_counts import Told, tally
from serve_app.domain.understanding import Understander, refocus
from serve_app.domain.wording import Locale, today
from serve_app.ports import Clock, Sessions, TierCounts

logger = logging.getLogger(__name__)

# How far back a conversation's topic is looked for when only the client knows it. Understanding a question takes a millisecond.
RETOLD_TURNS = 6


@dataclass(frozen=True, slots=True)
class Shop:
    """What the course needs to know of a tenant."""

    time_zone: str
    currency: str
    formats: Formats = DEMO_FORMATS


class Course:
    """Takes a question to its answer. Every dependency is a port; nothing here knows how it is run."""

    def __init__(
        self,
        *,
        shops: Mapping[str, Shop],
        understander: Understander,
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
        counts: TierCounts,
        regenerations: Regenerations,
    ) -> None:
        self._shops = shops
        self._understander = understander
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
        self._counts = counts
        self._regenerations = regenerations

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
        # Most questions need nothing from the conversation: their key is known before it is read, and one trip brings both.
        alone = self._understand(ask, text, Focus())
        key = self._shared.key(ask, alone)
        is_here = self._library.publishes(ask, alone) or self._shared.has_in_memory(ask.caller.tenant, key)
        asked_key = None if is_here else key
        foreseen = self._foreseen(work, text, new_session) if is_here else None
        begun = await self._recording.begin(work, text, new_session, asked_key, foreseen)
        if foreseen is not None and begun.answered:
            return self._given(work, foreseen)
        work.session, work.number = self._retold(ask, begun.session), begun.number
        work.text = begun.text or text
        if begun.repeated is not None:
            return await self._again(work, begun.repeated)
        self._taps.learn(ask, work.session, lambda said: self._understand(ask, said, Focus()))
        try:
            with work.step("understand"):
                work.understood = self._understand(ask, work.text, work.session.focus)
            if await self._handover.hears(work):
                return self._reply(work, at_once("agent", finish_reason="handoff"))
            self._speaker.hear()
            key = work.share_key = None if work.session.from_client else self._shared.key(ask, work.understood)
            self._identify(work, key)
            held = await self._held(work, key, begun, asked_key)
            draft = self._from_shared(work, held) if held is not None else await self._decide(work, key)
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
        understood = self._understand(ask, text, focus)
        key = self._shared.key(ask, understood)
        if key is None or understood.intent in (Intent.CRISIS, Intent.HUMAN):
            return None
        work.text, work.understood, work.share_key, work.question_id = text, understood, key, question_of(key)
        work.session = Session(tenant, ask.session_id, ask.caller.customer_id, focus=focus)
        found = self._library.at_hand(ask, understood)
        if found is not None:
            return self._from_entry(work, found, key)
        held = self._shared.in_memory(tenant, key)
        return self._from_shared(work, held) if held is not None else None

    async def _held(self, work: Work, key: str | None, begun: Begun, asked_key: str | None) -> Held | None:
        """What is shared under `key`: begun's trip brought what stands under `asked_key`. Memory is read again, because
        something may have been published while the turn waited for its predecessor."""
        if key is None or self._library.publishes(work.ask, work.understood):
            return None
        tenant = work.ask.caller.tenant
        if key != asked_key:
            return await self._shared.anywhere(tenant, key)
        return self._shared.in_memory(tenant, key) or self._shared.arrived(tenant, key, begun.shared)

    # What was asked

    def _understand(self, ask: Ask, text: str, focus: Focus, *, things: bool = True) -> Understanding:
        shop = self._shops[ask.caller.tenant]
        return self._understander.understand(
            text,
            focus,
            today(self._clock.now(), shop.time_zone),
            order_id=ask.order_id,
            sku_id=ask.sku_id,
            locale=ask.locale,
            formats=shop.formats,
            things=things,
        )

    def _identify(self, work: Work, key: str | None) -> None:
        work.question_id = question_of(key) if key is not None else self._shared.question(work.ask, work.understood)
        work.set_aside = self._shared.is_set_aside(work.ask.caller.tenant, work.question_id)

    def _retold(self, ask: Ask, session: Session) -> Session:
        """A conversation that only the client knows is about what its customer last asked."""
        if not session.from_client or session.focus != Focus():
            return session
        focus = Focus()
        for turn in session.turns[-RETOLD_TURNS:]:
            focus = refocus(focus, self._understand(ask, turn.question.text, focus))
        return replace(session, focus=focus)

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
        facts = await self._rooms.facts(work, Entities(order_ids=(ask.order_id,)))
        if is_not_the_customers(ask.order_id, facts):
            raise Forbidden("This order is not one of the customer's.", param="order_id")

    # What is answered

    async def _decide(self, work: Work, key: str | None) -> Draft:
        understood = work.understood
        if understood.foreign:
            return await self._handoff(work, Phrase.HANDOFF_FOREIGN)
        if understood.intent is Intent.CRISIS:
            return await self._handoff(work, Phrase.HANDOFF_CRISIS)
        if understood.intent is Intent.HUMAN:
            return await self._handoff(work, Phrase.HANDOFF_ASKED)
        if understood.kind is Kind.PUBLIC:
            return await self._public(work, key)
        if understood.kind is Kind.TEMPLATED:
            return await self._templated(work)
        if understood.kind is Kind.ACTION:
            return await self._handoff(work, Phrase.HANDOFF_ACTION)
        return await self._personal(work)

    async def _public(self, work: Work, key: str | None) -> Draft:
        found = await self._library.look_up(work)
        if found.entry is not None:
            return self._from_entry(work, found, key)
        # A rewritten follow-up is a key, not a question: its words mean nothing without the turns that a public prompt lacks.
        if work.understood.self_contained and not work.understood.carried and self._speaker.may_answer(work):
            if work.ask.asides.instructions:
                return await self._speaker.personal(work, None, found.passages)
            return await self._spoken(work, found, key)
        return await self._miss(work, found)

    async def _spoken(self, work: Work, found: Found, key: str | None) -> Draft:
        """The model's answer, which others may get too."""
        place = work.place = await self._regenerations.enter(work.question_id, work.left_s)
        if place is None:
            return self._without_model(work, found)
        if place.has_waited and key is not None:
            held = await self._shared.anywhere(work.ask.caller.tenant, key)
            if held is not None:
                return self._from_shared(work, held)
        draft = await self._speaker.public(work, found.passages)
        draft.share_key, draft.question_id = key, work.question_id
        draft.expires_at = earliest(draft.expires_at, found.changes_at)
        draft.lasts = lasts(work.understood.text, [passage.text for passage in found.passages])
        draft.day_ends_at = day_ends_at(work.asked_at, self._shops[work.ask.caller.tenant].time_zone)
        return draft

    def _without_model(self, work: Work, found: Found) -> Draft:
        """Many answers are made anew after a publication: what is near is offered, and nobody is called for it."""
        if not found.suggestions:
            raise Overloaded("Many answers are being made anew. Please ask again in a moment.", retry_after_s=2)
        work.leave_out("model")
        draft = at_once("faq", Delta(say(Phrase.MISS, work.understood.language)), Suggestions(found.suggestions))
        draft.suggested = found.suggestions
        return draft

    async def _templated(self, work: Work) -> Draft:
        ask, understood = work.ask, work.understood
        if ask.caller.customer_id is None and understood.entities.things:
            return await self._not_meant(work)
        if ask.caller.customer_id is None:
            found = await self._library.look_up(work)
            if found.entry is not None:
                return self._from_entry(work, found, None)
            return at_once("template", Delta(say(Phrase.SIGN_IN, work.understood.language)))
        named = (*understood.entities.order_ids, ask.order_id, understood.chosen_order_id)
        orders = tuple(dict.fromkeys(order_id for order_id in named if order_id))
        entities = replace(understood.entities, order_ids=orders)
        found, facts = await asyncio.gather(self._library.look_up(work), self._rooms.facts(work, entities))
        if found.entry is not None:
            return self._from_entry(work, found, None)
        if found.template is None:
            return await self._miss(work, found)
        if facts.customer is None and "customer" not in facts.missing:
            # The shop knows no such customer: what the token says and what the shop has do not fit.
            return await self._handoff(work, Phrase.HANDOFF_MISSING)
        answer = answer_from(
            found.template,
            facts,
            entities=understood.entities,
            chosen_order_id=understood.chosen_order_id or ask.order_id,
            locale=self._locale(work),
            now=self._clock.now(),
        )
        if isinstance(answer, NotMeant):
            return await self._not_meant(work)
        if isinstance(answer, NoValue):
            return await self._handoff(work, Phrase.HANDOFF_MISSING)
        if isinstance(answer, NeedsChoice):
            draft = at_once("template", Delta(answer.prompt), Choices(answer.prompt, answer.options), tier="template")
            draft.offered = answer.options
            return draft
        draft = at_once("template", Delta(answer.text), *answer.cards, tier="template")
        draft.order_id, draft.has_customer_facts = answer.order_id, True
        return draft

    async def _personal(self, work: Work) -> Draft:
        chat = work.understood.intent is Intent.CHITCHAT
        may_answer = self._speaker.may_answer(work, chat=chat)
        if may_answer and not chat and work.ask.caller.customer_id is not None:
            found, facts = await asyncio.gather(self._library.look_up(work), self._rooms.facts(work, work.understood.entities))
        else:
            found, facts = await self._library.look_up(work), None
        if found.entry is not None:
            return self._from_entry(work, found, None)
        if may_answer and chat:
            return await self._speaker.personal(work, None, ())
        return await self._speaker.personal(work, facts, found.passages) if may_answer else await self._miss(work, found)

    def _from_shared(self, work: Work, held: Held) -> Draft:
        answer = held.answer
        if work.question_id is not None:
            self._regenerations.hit(work.question_id)
        source = "faq" if answer.source == "faq" else "cache"
        draft = at_once(source, Delta(answer.text), *answer.citations, tier=held.tier)
        draft.model, draft.made_at = answer.model, answer.created_at  # words of a model stay marked as such
        draft.question_id = work.question_id
        draft.sources = answer.sources
        return draft

    def _from_entry(self, work: Work, found: Found, key: str | None) -> Draft:
        assert found.entry is not None
        entry, language = found.entry, work.understood.language
        citation = Citation(entry.id, entry.questions[language][0])
        draft = at_once("faq", Delta(entry.answers[language]), citation, tier=found.tier)
        # An exact wording stands in the memory of every process already.
        if found.tier == "faq":
            draft.share_key, draft.question_id = key, work.question_id
        draft.sources, draft.expires_at = (entry.source,), earliest(entry.valid_to, found.changes_at)
        return draft

    async def _miss(self, work: Work, found: Found) -> Draft:
        """Nothing answers: the nearest published questions once, then a person. Never a guess."""
        if work.session.focus.misses > 0 or not found.suggestions:
            draft = await self._handoff(work, Phrase.HANDOFF)
        else:
            draft = at_once("faq", Delta(say(Phrase.MISS, work.understood.language)), Suggestions(found.suggestions))
            draft.suggested = found.suggestions
        draft.missed = True
        return draft

    async def _not_meant(self, work: Work) -> Draft:
        """What was taken for the name of something bought is no such name: the question is read again without it."""
        again = self._understand(work.ask, work.text, work.session.focus, things=False)
        if work.ask.caller.customer_id is None and work.understood.confidence == 1 and again.kind is not Kind.PUBLIC:
            return at_once("template", Delta(say(Phrase.SIGN_IN, again.language)))
        work.understood = again
        key = self._shared.key(work.ask, again)
        self._identify(work, key)
        return await self._decide(work, key)

    async def _handoff(self, work: Work, phrase: Phrase) -> Draft:
        return at_once("template", *await self._handover.over(work, phrase), finish_reason="handoff")

    def _locale(self, work: Work) -> Locale:
        shop = self._shops[work.ask.caller.tenant]
        return Locale(work.understood.language, shop.time_zone, shop.currency)

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
            in_head=self._library.publishes(ask, understood),
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
