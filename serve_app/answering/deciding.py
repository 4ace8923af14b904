"""What a question is answered with: the first of the tiers that can, in their order; else what may help, or a person."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from serve_app.answering.handover import Handover
from serve_app.answering.library import Library
from serve_app.answering.reader import Reader, Shop
from serve_app.answering.rechecking import Rechecking
from serve_app.answering.regeneration import Regenerations
from serve_app.answering.rooms import Rooms
from serve_app.answering.shared_tier import Held, SharedTier
from serve_app.answering.speaker import Speaker
from serve_app.answering.work import Draft, Work, at_once
from serve_app.domain.errors import Overloaded
from serve_app.domain.expiry import day_ends_at, earliest, lasts
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Found
from serve_app.domain.messages import Choices, Citation, Delta, Kind, Suggestions
from serve_app.domain.phrases import Phrase, say
from serve_app.domain.sharing import question_of
from serve_app.domain.templates import NeedsChoice, NotMeant, NoValue, answer_from
from serve_app.domain.wanted import parts_wanted
from serve_app.domain.wording import Locale
from serve_app.ports import Clock


class Deciding:
    """Makes the draft of an answer."""

    def __init__(
        self,
        *,
        shops: Mapping[str, Shop],
        reader: Reader,
        shared: SharedTier,
        rooms: Rooms,
        library: Library,
        speaker: Speaker,
        clock: Clock,
        handover: Handover,
        regenerations: Regenerations,
        rechecking: Rechecking,
    ) -> None:
        self._shops = shops
        self._reader = reader
        self._shared = shared
        self._rooms = rooms
        self._library = library
        self._speaker = speaker
        self._clock = clock
        self._handover = handover
        self._regenerations = regenerations
        self._rechecking = rechecking

    def identify(self, work: Work) -> None:
        """Under what the answer to the question, as it is understood, may be shared, and whether it is set aside."""
        key = None if work.session.from_client else self._shared.key(work.ask, work.understood)
        work.share_key = key
        work.question_id = question_of(key) if key is not None else self._shared.question(work.ask, work.understood)
        work.set_aside = self._shared.is_set_aside(work.ask.caller.tenant, work.question_id)

    def at_hand(self, work: Work) -> Draft | None:
        """The answer, where it is in this process's memory. The question is identified."""
        found = self._library.at_hand(work.ask, work.understood)
        if found is not None:
            return self._from_entry(work, found)
        held = self._shared.in_memory(work.ask.caller.tenant, work.share_key) if work.share_key is not None else None
        return self.from_shared(work, held) if held is not None else None

    async def decide(self, work: Work) -> Draft:
        """Raises NotReady, Overloaded, DeadlineExceeded, where only the model could answer."""
        understood = work.understood
        if understood.foreign:
            return await self._handoff(work, Phrase.HANDOFF_FOREIGN)
        if understood.intent is Intent.CRISIS:
            return await self._handoff(work, Phrase.HANDOFF_CRISIS)
        if understood.intent is Intent.HUMAN:
            return await self._handoff(work, Phrase.HANDOFF_ASKED)
        if understood.kind is Kind.PUBLIC:
            return await self._public(work)
        if understood.kind is Kind.TEMPLATED:
            return await self._templated(work)
        if understood.kind is Kind.ACTION:
            return await self._handoff(work, Phrase.HANDOFF_ACTION)
        return await self._personal(work)

    async def _public(self, work: Work) -> Draft:
        found = await self._library.look_up(work)
        if found.entry is not None:
            return self._from_entry(work, found)
        # A rewritten follow-up is a key, not a question: its words mean nothing without the turns that a public prompt lacks.
        if work.understood.self_contained and not work.understood.carried and self._speaker.may_answer(work):
            if work.ask.asides.instructions:
                return await self._speaker.personal(work, None, found.passages)
            # A look-up that waited for a publication finds what was made for it.
            if self._shared.has_in_memory(work.ask.caller.tenant, work.share_key) and (draft := self.at_hand(work)) is not None:
                return draft
            return await self._spoken(work, found)
        return await self._miss(work, found)

    async def _spoken(self, work: Work, found: Found) -> Draft:
        """The model's answer, which others may get too."""
        place = work.place = await self._regenerations.enter(work.question_id, work.left_s)
        if place is None:
            return self._without_model(work, found)
        if place.has_waited and work.share_key is not None:
            held = await self._shared.anywhere(work.ask.caller.tenant, work.share_key)
            if held is not None:
                return self.from_shared(work, held)
        draft = await self._speaker.public(work, found.passages)
        draft.share_key, draft.question_id = work.share_key, work.question_id
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
                return self._from_entry(work, found)
            return at_once("template", Delta(say(Phrase.SIGN_IN, work.understood.language)))
        found = await self._library.look_up(work)
        if found.entry is not None:
            return self._from_entry(work, found)
        if found.template is None:
            return await self._miss(work, found)
        named = (*understood.entities.order_ids, ask.order_id, understood.chosen_order_id)
        orders = tuple(dict.fromkeys(order_id for order_id in named if order_id))
        wanted = parts_wanted(found.template, understood.entities, understood.language)
        facts = await self._rooms.facts(work, replace(understood.entities, order_ids=orders), wanted)
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
        if may_answer and chat and not self._library.publishes(work.ask, work.understood):
            # Its prompt holds nothing published: only an entry in its very words is worth a look.
            return await self._speaker.personal(work, None, ())
        if may_answer and not chat and work.ask.caller.customer_id is not None:
            found, facts = await asyncio.gather(self._library.look_up(work), self._rooms.facts(work, work.understood.entities))
        else:
            found, facts = await self._library.look_up(work), None
        if found.entry is not None:
            return self._from_entry(work, found)
        if may_answer and chat:
            return await self._speaker.personal(work, None, ())
        return await self._speaker.personal(work, facts, found.passages) if may_answer else await self._miss(work, found)

    def from_shared(self, work: Work, held: Held) -> Draft:
        answer = held.answer
        if work.question_id is not None:
            self._regenerations.hit(work.question_id)
        self._rechecking.hit(work, answer)
        source = "faq" if answer.source == "faq" else "cache"
        draft = at_once(source, Delta(answer.text), *answer.citations, tier=held.tier)
        draft.model, draft.made_at = answer.model, answer.created_at  # words of a model stay marked as such
        draft.question_id = work.question_id
        draft.sources = answer.sources
        return draft

    def _from_entry(self, work: Work, found: Found) -> Draft:
        assert found.entry is not None
        entry, language = found.entry, work.understood.language
        citation = Citation(entry.id, entry.questions[language][0])
        draft = at_once("faq", Delta(entry.answers[language]), citation, tier=found.tier)
        # An exact wording stands in the memory of every process already.
        draft.is_worded = found.tier == "memory"
        if not draft.is_worded:
            draft.share_key, draft.question_id = work.share_key, work.question_id
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
        again = self._reader.read(work.ask, work.text, work.session.focus, things=False)
        if work.ask.caller.customer_id is None and work.understood.confidence == 1 and again.kind is not Kind.PUBLIC:
            return at_once("template", Delta(say(Phrase.SIGN_IN, again.language)))
        work.understood = again
        self.identify(work)
        return await self.decide(work)

    async def _handoff(self, work: Work, phrase: Phrase) -> Draft:
        return at_once("template", *await self._handover.over(work, phrase), finish_reason="handoff")

    def _locale(self, work: Work) -> Locale:
        shop = self._shops[work.ask.caller.tenant]
        return Locale(work.understood.language, shop.time_zone, shop.currency)
