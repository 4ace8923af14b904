"""What of a question and its answer is recorded, and what of it may be shared."""

from __future__ import annotations

from dataclasses import asdict

from cachetools import LRUCache

from serve_app.answering.reply import text_of
from serve_app.answering.shared_tier import SharedTier
from serve_app.answering.work import Draft, Work
from serve_app.domain.expiry import Lasts, earliest, lasts
from serve_app.domain.messages import EVENT_NAMES, NO_ASIDES, Ask, Citation, Delta, Middle
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, Begun, QuestionRecord
from serve_app.domain.sharing import Candidate, SharedAnswer, may_share
from serve_app.domain.understanding import refocus
from serve_app.ports import Clock, Sessions, TierCounts

# Of so many sessions a process knows what they were last about.
SESSIONS_KNOWN = 16384


class Recording:
    """The question before anything is generated, the answer before `done`."""

    def __init__(self, sessions: Sessions, shared: SharedTier, clock: Clock, counts: TierCounts) -> None:
        self._sessions = sessions
        self._shared = shared
        self._clock = clock
        self._counts = counts
        self._last_focus: LRUCache[tuple[str, str], Focus] = LRUCache(SESSIONS_KNOWN)

    async def begin(self, work: Work, text: str, new_session: bool, answer_key: str | None, foreseen: Draft | None) -> Begun:
        """`foreseen`: its answer, whole, which is recorded with the question if the conversation is about what it was taken to
        be about (`Begun.answered`).

        Raises NotFound, Forbidden, Overloaded, StoreFailed.
        """
        ask = work.ask
        question = QuestionRecord(
            tenant=ask.caller.tenant,
            session_id=ask.session_id,
            message_id=ask.message_id,
            answer_id=work.answer_id,
            customer_id=ask.caller.customer_id,
            text=text,
            asked_at=work.asked_at,
            new_session=new_session,
            merged=ask.merged,
        )
        with work.step("session"):
            if foreseen is None or foreseen.events is None:
                begun = await self._sessions.begin(question, answer_key)
                work.leave_out(*begun.degraded)
                return begun
            answer = self._record_of(work, foreseen, foreseen.outcome.finish_reason, foreseen.events)
            before, after = work.session.focus, _refocused(work, foreseen, answer.finish_reason)
            begun = await self._sessions.begin_answered(question, answer, before, after)
        work.leave_out(*begun.degraded)
        if begun.answered:
            self._last_focus[ask.caller.tenant, ask.session_id] = after
            self._offer(work, foreseen, answer, foreseen.events)
        return begun

    def last_focus(self, ask: Ask) -> Focus | None:
        """What the session was about when this process last answered in it; others may have since. None: not known here."""
        return self._last_focus.get((ask.caller.tenant, ask.session_id))

    async def finish(self, work: Work, draft: Draft, reason: str, said: tuple[Middle, ...]) -> None:
        """How an answer ended. One of which nothing was seen is none: its question stays, to be asked again. But where a person
        has the conversation, silence is the answer."""
        if not said and draft.source != "agent":
            await self.abandon(work)
            return
        focus = work.session.focus if draft.source == "agent" else _refocused(work, draft, reason)
        answer = self._record_of(work, draft, reason, said)
        with work.step("record"):
            kept = await self._sessions.finish(work.ask.caller.tenant, work.ask.session_id, work.number, answer, focus)
        if not kept:
            work.leave_out("sessions")
        self._last_focus[work.ask.caller.tenant, work.ask.session_id] = focus
        self._offer(work, draft, answer, said)

    def _record_of(self, work: Work, draft: Draft, reason: str, said: tuple[Middle, ...]) -> AnswerRecord:
        return AnswerRecord(
            answer_id=work.answer_id,
            text=text_of(said),
            language=work.understood.language,
            kind=work.understood.kind,
            source=draft.source,
            tier=draft.tier,
            finish_reason=reason,
            finished_at=self._clock.now(),
            model=draft.model,
            events=tuple(
                {"event": EVENT_NAMES[type(event)], "data": asdict(event)} for event in said if not isinstance(event, Delta)
            ),
            rendered=draft.outcome.rendered,
            facts_digest=draft.outcome.facts_digest,
            degraded=tuple(work.degraded),
            question_id=draft.question_id,
        )

    def _offer(self, work: Work, draft: Draft, answer: AnswerRecord, said: tuple[Middle, ...]) -> None:
        """Offers a finished answer to the shared tier, which takes only what is true for everyone."""
        if draft.share_key is None:
            return
        lasting = max(draft.lasts, lasts("", (answer.text,)) if draft.source == "model" else Lasts.FOR_GOOD)
        ends_at = earliest(draft.expires_at, draft.day_ends_at if lasting is Lasts.TODAY else None)
        candidate = Candidate(
            kind=answer.kind,
            self_contained=work.understood.self_contained,
            finish_reason=answer.finish_reason,
            passed_guard=answer.finish_reason != "guard",
            sources=draft.sources,
            # Where a conversation is kept changes nothing of a public answer.
            degraded=tuple(part for part in answer.degraded if part != "sessions"),
            has_customer_facts=draft.has_customer_facts,
            has_client_transcript=work.session.from_client or work.ask.asides != NO_ASIDES,
            demo_model=draft.demo,
            passing=lasting is Lasts.NOW or (ends_at is not None and ends_at <= self._clock.now()),
            set_aside=work.set_aside,
        )
        refusal = may_share(candidate)
        self._counts.offered(refusal)
        if refusal is not None:
            return
        shared = SharedAnswer(
            text=answer.text,
            language=answer.language,
            source="model" if draft.source == "model" else "faq",
            created_at=answer.finished_at,
            model=draft.model,
            citations=tuple(event for event in said if isinstance(event, Citation)),
            sources=draft.sources,
            expires_at=ends_at,
        )
        self._shared.keep(draft.share_key, shared)

    async def abandon(self, work: Work) -> None:
        """The next turn need not wait; the same message, sent again, is answered anew."""
        await self._sessions.abandon(work.ask.caller.tenant, work.ask.session_id, work.number)


def _refocused(work: Work, draft: Draft, reason: str) -> Focus:
    return refocus(
        work.session.focus,
        work.understood,
        order_id=draft.order_id,
        offered=draft.offered,
        suggested=draft.suggested,
        missed=draft.missed or reason == "guard",
    )
