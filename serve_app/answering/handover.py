"""A person takes over: the customer's side of it. Opens tickets, keeps silent, keeps the ticket true to the conversation.

The record decides who has a conversation. When it cannot be asked, the bot answers: a customer never waits for a database.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from serve_app.answering.work import Work
from serve_app.domain.errors import NotReady, StoreFailed
from serve_app.domain.id_formats import Formats, IdFormat
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Ask, Caller, Conversation, Delta, Handoff, Language, Middle
from serve_app.domain.packet import packet_of
from serve_app.domain.phrases import Desk, Phrase, Queue, say_handoff
from serve_app.domain.session import Session
from serve_app.domain.tickets import Author, Message, Ticket, handoff_of
from serve_app.ports import Clock, DeskView, Tickets
from serve_app.tenant_settings import TenantSettings

logger = logging.getLogger(__name__)

# On the customer's path; a slower record counts as one that is away.
WITHIN_S = 2.0
# Off it. Nothing may pile up behind a record that is silent.
NOTED_WITHIN_S = 15.0
# Why a ticket was opened, as the desk reads it.
REASONS: dict[Phrase, str] = {
    Phrase.HANDOFF: "no answer",
    Phrase.HANDOFF_ASKED: "asked for a person",
    Phrase.HANDOFF_MISSING: "data missing",
    Phrase.HANDOFF_FOREIGN: "another language",
    Phrase.HANDOFF_ACTION: "something to be done",
    Phrase.HANDOFF_GUARD: "unverified answer",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HandoverShop:
    """What a hand-over needs to know of a tenant."""

    desk: Desk
    formats: Formats

    @classmethod
    def of(cls, tenant: TenantSettings) -> HandoverShop:
        shop = tenant.shop
        contact: dict[Language, str] = {"zh": shop.desk_contact_zh, "en": shop.desk_contact_en}
        desk = Desk(shop.desk_hours, contact, shop.time_zone, tenant.desk.expected_wait_s)
        return cls(desk, Formats(IdFormat(shop.order_id_pattern), IdFormat(shop.sku_id_pattern)))


class Handover:
    def __init__(
        self,
        tickets: Tickets,
        view: DeskView,
        shops: Mapping[str, HandoverShop],
        clock: Clock,
        new_id: Callable[[str], str],
    ) -> None:
        self._tickets = tickets
        self._view = view
        self._shops = shops
        self._clock = clock
        self._new_id = new_id
        self._noting: set[asyncio.Task[None]] = set()

    async def over(self, work: Work, phrase: Phrase) -> tuple[Middle, ...]:
        """Opens a ticket, and what is said of it: the words and the state. Only words when there is none: its client holds the
        transcript, so nobody could reply in it; whose conversation it is, is not known; or the record is away."""
        tenant, language = work.ask.caller.tenant, work.understood.language
        desk = self._shops[tenant].desk
        if work.ask.channel != "chat" or work.session.apart:
            return (Delta(say_handoff(phrase, language, desk)),)
        with work.step("desk"):
            ticket = await self._from(work, phrase)
        if ticket is None:
            work.degraded.append("desk")
            return (Delta(say_handoff(phrase, language, desk)),)
        state = self.state(ticket)
        # Whoever has taken it already will reply at once.
        queue = Queue(0) if ticket.state is Conversation.HUMAN else Queue(state.wait_s, state.on_duty)
        return Delta(say_handoff(phrase, language, desk, queue)), state

    async def _from(self, work: Work, phrase: Phrase) -> Ticket | None:
        question = Message(self._new_id("tm"), Author.CUSTOMER, work.text, work.asked_at, about=work.ask.message_id)
        intent, language = work.understood.intent, work.understood.language
        try:
            ticket, _ = await self._open(work.ask.caller, work.session, REASONS[phrase], language, [question], intent)
        except StoreFailed as error:
            logger.warning("no ticket could be opened: %s", error)
            return None
        return ticket

    async def ask_for(self, caller: Caller, session: Session, reason: str, language: Language) -> tuple[Handoff, bool]:
        """Opens a ticket at the customer's own wish, and whether it is new. Raises NotReady."""
        language = session.focus.language or language
        try:
            ticket, is_new = await self._open(caller, session, reason, language, [], None)
        except StoreFailed as error:
            logger.warning("no ticket could be opened: %s", error)
            raise NotReady("Our team cannot be reached right now. Please try again shortly.", retry_after_s=5) from error
        return self.state(ticket), is_new

    async def _open(
        self,
        caller: Caller,
        session: Session,
        reason: str,
        language: Language,
        messages: Sequence[Message],
        intent: Intent | None,
    ) -> tuple[Ticket, bool]:
        formats = self._shops[caller.tenant].formats
        packet = packet_of(session.turns, session.focus, messages, formats, language, intent)
        ticket = Ticket(
            id=self._new_id("tkt"),
            tenant=caller.tenant,
            session_id=session.id,
            customer_id=caller.customer_id,
            language=language,
            state=Conversation.QUEUED,
            reasons=(reason,),
            opened_at=self._clock.now(),
            changes=0,
        )
        opened, is_new = await within(WITHIN_S, self._tickets.open(ticket, packet))
        self._view.changed_here(opened)
        return opened, is_new

    def is_quiet(self, ask: Ask) -> bool:
        """Whether no ticket of the session is open: nobody hears its questions."""
        return not self._view.has_open(ask.caller.tenant, ask.session_id)

    async def hears(self, work: Work) -> bool:
        """Whether a person has the conversation, so that the bot is silent. The question is then in the ticket, durably, and
        also while nobody has taken it yet."""
        caller, session_id = work.ask.caller, work.ask.session_id
        if work.ask.channel != "chat" or work.session.apart or not self._view.has_open(caller.tenant, session_id):
            return False
        question = Message(self._new_id("tm"), Author.CUSTOMER, work.text, work.asked_at, about=work.ask.message_id)
        try:
            with work.step("desk"):
                hearing = self._tickets.hear(caller.tenant, session_id, caller.customer_id, question)
                ticket = await within(WITHIN_S, hearing)
        except StoreFailed as error:
            logger.warning("the bot answers, because the tickets cannot be read: %s", error)
            work.degraded.append("desk")
            return False
        return ticket is not None and ticket.state is Conversation.HUMAN

    def answered(self, work: Work, text: str) -> None:
        """The bot's answer, to the ticket, off the customer's path; with its question, if that was asked before the ticket was
        opened."""
        tenant, session_id = work.ask.caller.tenant, work.ask.session_id
        if work.ask.channel != "chat" or work.session.apart or not text or not self._view.has_open(tenant, session_id):
            return
        now = self._clock.now()
        question = Message(self._new_id("tm"), Author.CUSTOMER, work.text, work.asked_at, about=work.ask.message_id)
        answer = Message(self._new_id("tm"), Author.BOT, text, now, about=work.answer_id)
        self._in_background(within(NOTED_WITHIN_S, self._tickets.note(tenant, session_id, (question, answer))))

    async def of(self, tenant: str, session_id: str) -> tuple[Handoff | None, Sequence[Message]]:
        """The state of the session's last ticket (None: the bot has it, as ever), and what was said in all of them. Raises
        StoreFailed."""
        ticket, messages = await within(WITHIN_S, self._tickets.of_session(tenant, session_id))
        return (None if ticket is None else self.state(ticket)), messages

    async def as_of_now(self, work: Work, events: Sequence[Middle]) -> list[Middle]:
        """A recorded answer's events, with the state of its ticket as it is now."""
        if not any(isinstance(event, Handoff) for event in events):
            return list(events)
        try:
            state, _ = await self.of(work.ask.caller.tenant, work.ask.session_id)
        except StoreFailed as error:
            logger.warning("a ticket cannot be read: %s", error)
            return list(events)
        now = [state if isinstance(event, Handoff) else event for event in events]
        return [event for event in now if event is not None]

    def state(self, ticket: Ticket) -> Handoff:
        """What a customer is told of the ticket."""
        before = self._view.waiting_before(ticket)
        return handoff_of(ticket, self._shops[ticket.tenant].desk, self._clock.now(), before)

    def _in_background(self, step: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(_logged(step))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def aclose(self) -> None:
        """Returns when everything that was said is in its ticket."""
        while self._noting:
            await asyncio.wait(set(self._noting))


async def within(limit_s: float, step: Awaitable[T]) -> T:
    """What the record replies. Raises StoreFailed, also when it does not reply in time."""
    try:
        async with asyncio.timeout(limit_s):
            return await step
    except TimeoutError as error:
        raise StoreFailed(f"the record of tickets did not reply within {limit_s:g} s") from error


async def _logged(step: Coroutine[Any, Any, None]) -> None:
    try:
        await step
    except StoreFailed as error:
        logger.warning("an answer did not get into its ticket: %s", error)
