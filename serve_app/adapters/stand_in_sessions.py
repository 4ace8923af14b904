"""The conversations that this process keeps while Redis is away: which they are, and what Redis still has to get of each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from serve_app.adapters.memory_sessions import MemorySessions
from serve_app.adapters.session_records import SESSION_TURNS_MAX
from serve_app.domain.live import Talk
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, Begun, QuestionRecord, Session, Turn

logger = logging.getLogger(__name__)

# So many conversations are kept at most; a few kilobytes each.
CONVERSATIONS_MAX = 10_000
# Turns begun here are numbered from there on, so that none is taken for one of Redis's.
FIRST_HERE = 1_000_000
DEGRADED = ("sessions",)
assert FIRST_HERE > SESSION_TURNS_MAX


@dataclass(slots=True)
class _Kept:
    apart: bool  # see `Session.apart`
    stored: int = 0  # its first turns, which Redis has
    failures: int = 0  # to give it back


class StandInSessions:
    """Conversations as in memory, with a bound. The idle one that came first goes first."""

    def __init__(
        self,
        *,
        turn_wait_s: float,
        turns_shown: int,
        turns_max: int = SESSION_TURNS_MAX,
        conversations_max: int = CONVERSATIONS_MAX,
    ) -> None:
        self._memory = MemorySessions(turn_wait_s=turn_wait_s, turns_shown=turns_shown, turns_max=turns_max)
        self._max = conversations_max
        self._kept: dict[Talk, _Kept] = {}

    def __contains__(self, talk: Talk) -> bool:
        return talk in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def is_apart(self, talk: Talk) -> bool:
        """Also of one that was forgotten while a question waited in it: then nothing more is known."""
        return talk not in self._kept or self._kept[talk].apart

    def is_idle(self, talk: Talk) -> bool:
        return talk in self._kept and self._memory.is_idle(*talk)

    def idle(self) -> list[Talk]:
        return [talk for talk in self._kept if self.is_idle(talk)]

    # A conversation comes

    async def admit(self, talk: Talk, customer_id: str | None, *, apart: bool) -> None:
        """It goes on here. `apart`: Redis may know it, and then knows more."""
        self._make_room()
        await self._memory.enter(*talk, customer_id, new=True)
        self._kept.setdefault(talk, _Kept(apart))

    def take_over(self, session: Session, question: QuestionRecord, answer: AnswerRecord, focus: Focus) -> None:
        """It goes on here, behind a turn that was begun in Redis. It is not here yet.

        Raises StoreFailed for an answer that cannot be kept.
        """
        self._make_room()
        self._memory.take_over(session, question, _lean(answer), focus)
        self._kept[Talk(session.tenant, session.id)] = _Kept(apart=False, stored=len(session.turns))

    def _make_room(self) -> None:
        if len(self._kept) >= self._max and (oldest := next((talk for talk in self._kept if self.is_idle(talk)), None)):
            logger.warning("a conversation is lost: this process keeps %d that Redis could not", len(self._kept))
            self.forget(oldest)

    # A turn

    async def begin(self, question: QuestionRecord) -> Begun:
        """As `Sessions.begin`; the conversation must be here."""
        return self._here(question, await self._memory.begin(question))

    async def begin_answered(self, question: QuestionRecord, answer: AnswerRecord, before: Focus, after: Focus) -> Begun:
        """As `Sessions.begin_answered`; the conversation must be here."""
        return self._here(question, await self._memory.begin_answered(question, _lean(answer), before, after))

    def _here(self, question: QuestionRecord, begun: Begun) -> Begun:
        apart = self.is_apart(Talk(question.tenant, question.session_id))
        session = replace(begun.session, apart=apart)
        return replace(begun, session=session, number=begun.number + FIRST_HERE, degraded=DEGRADED)

    async def finish(self, talk: Talk, number: int, answer: AnswerRecord, focus: Focus) -> None:
        await self._memory.finish(*talk, number - FIRST_HERE, _lean(answer), focus)
        # Redis may have it already, as a question without an answer.
        self._kept[talk].stored = min(self._kept[talk].stored, number - FIRST_HERE - 1)

    async def abandon(self, talk: Talk, number: int) -> None:
        await self._memory.abandon(*talk, number - FIRST_HERE)

    async def read(self, talk: Talk, customer_id: str | None) -> Session:
        return replace(await self._memory.read(*talk, customer_id), apart=self.is_apart(talk))

    async def enter(self, talk: Talk, customer_id: str | None) -> None:
        await self._memory.enter(*talk, customer_id)

    async def session_of(self, tenant: str, answer_id: str) -> str | None:
        return await self._memory.session_of(tenant, answer_id)

    # A conversation goes back

    def owner_of(self, talk: Talk) -> str | None:
        return self._memory.as_it_is(*talk).customer_id

    def not_stored(self, talk: Talk) -> Iterator[tuple[Turn, Focus]]:
        """The turns that Redis still has to get, in order, as long as there are any; and what the conversation is about."""
        while talk in self._kept:
            session = self._memory.as_it_is(*talk)
            stored = self._kept[talk].stored
            if stored == len(session.turns):
                return
            yield session.turns[stored], session.focus

    def stored(self, talk: Talk) -> None:
        """Redis has one more of its turns. Of one that was forgotten meanwhile this says nothing."""
        if talk in self._kept:
            self._kept[talk].stored += 1

    def failed(self, talk: Talk) -> int:
        """How often it could not be given back, now."""
        if talk not in self._kept:
            return 0
        self._kept[talk].failures += 1
        return self._kept[talk].failures

    def forget(self, talk: Talk) -> None:
        self._kept.pop(talk, None)
        self._memory.forget(*talk)


def _lean(answer: AnswerRecord) -> AnswerRecord:
    """Without the tokens of its prompt: they are made again from the words."""
    return replace(answer, rendered={}, facts_digest=None)
