"""The conversations that this process keeps while Redis is away: which they are, and what Redis still has to get of each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from serve_app.adapters.memory_sessions import MemorySessions
from serve_app.adapters.session_records import SESSION_TURNS_MAX, answer_json, question_json
from serve_app.domain.live import Talk
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, Begun, QuestionRecord, Session, Turn

logger = logging.getLogger(__name__)

# So many conversations are kept at most; a few kilobytes each.
CONVERSATIONS_MAX = 10_000
# And so much of them, as Redis would hold it. In this process it takes about three times as much.
BYTES_MAX = 64 * 1024 * 1024
# Turns begun here are numbered from there on, so that none is taken for one of Redis's.
FIRST_HERE = 1_000_000
DEGRADED = ("sessions",)
assert FIRST_HERE > SESSION_TURNS_MAX


@dataclass(slots=True)
class _Kept:
    apart: bool  # see `Session.apart`
    stored: int = 0  # its first turns, which Redis has
    failures: int = 0  # to give it back
    size: int = 0  # bytes


class StandInSessions:
    """Conversations as in memory, as many and as much as there is room for. The idle one that came first goes first, and
    `lost` is told; one with a turn in progress stays."""

    def __init__(
        self,
        *,
        turn_wait_s: float,
        turns_shown: int,
        turns_max: int = SESSION_TURNS_MAX,
        conversations_max: int = CONVERSATIONS_MAX,
        bytes_max: int = BYTES_MAX,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._memory = MemorySessions(turn_wait_s=turn_wait_s, turns_shown=turns_shown, turns_max=turns_max)
        self._max = conversations_max
        self._bytes_max = bytes_max
        self._lost = lost
        self._kept: dict[Talk, _Kept] = {}
        self._size = 0

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
        talk = Talk(session.tenant, session.id)
        self._kept[talk] = _Kept(apart=False, stored=len(session.turns))
        self._grow(talk, *(part for turn in session.turns for part in (turn.question, turn.answer)), question, _lean(answer))

    def _make_room(self, beside: Talk | None = None) -> None:
        while len(self._kept) >= self._max + (beside is not None) or self._size >= self._bytes_max:
            oldest = next((talk for talk in self._kept if talk != beside and self.is_idle(talk)), None)
            if oldest is None:
                return
            logger.warning(
                "a conversation is lost: this process keeps %d that Redis could not, %d bytes", len(self._kept), self._size
            )
            self.forget(oldest)
            self._lost()

    def _grow(self, talk: Talk, *parts: QuestionRecord | AnswerRecord | None) -> None:
        """A question that is asked again counts again: that errs on the safe side."""
        if (kept := self._kept.get(talk)) is None:
            return
        size = sum(map(_size_of, parts))
        kept.size += size
        self._size += size

    # A turn

    async def begin(self, question: QuestionRecord) -> Begun:
        """As `Sessions.begin`; the conversation must be here."""
        begun = self._here(question, await self._memory.begin(question))
        self._asked(question, None if begun.repeated else question)
        return begun

    async def begin_answered(self, question: QuestionRecord, answer: AnswerRecord, before: Focus, after: Focus) -> Begun:
        """As `Sessions.begin_answered`; the conversation must be here."""
        begun = self._here(question, await self._memory.begin_answered(question, _lean(answer), before, after))
        self._asked(question, None if begun.repeated else question, _lean(answer) if begun.answered else None)
        return begun

    def _asked(self, question: QuestionRecord, *parts: QuestionRecord | AnswerRecord | None) -> None:
        talk = Talk(question.tenant, question.session_id)
        self._grow(talk, *parts)
        self._make_room(beside=talk)

    def _here(self, question: QuestionRecord, begun: Begun) -> Begun:
        apart = self.is_apart(Talk(question.tenant, question.session_id))
        session = replace(begun.session, apart=apart)
        return replace(begun, session=session, number=begun.number + FIRST_HERE, degraded=DEGRADED)

    async def finish(self, talk: Talk, number: int, answer: AnswerRecord, focus: Focus) -> None:
        await self._memory.finish(*talk, number - FIRST_HERE, _lean(answer), focus)
        self._grow(talk, _lean(answer))
        # Once its turn is over it may be forgotten, also before this goes on.
        if (kept := self._kept.get(talk)) is not None:
            # Redis may have it already, as a question without an answer.
            kept.stored = min(kept.stored, number - FIRST_HERE - 1)

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
        if (kept := self._kept.pop(talk, None)) is not None:
            self._size -= kept.size
        self._memory.forget(*talk)


def _lean(answer: AnswerRecord) -> AnswerRecord:
    """Without the tokens of its prompt: they are made again from the words."""
    return replace(answer, rendered={}, facts_digest=None)


def _size_of(part: QuestionRecord | AnswerRecord | None) -> int:
    if part is None:
        return 0
    return len(question_json(part)) if isinstance(part, QuestionRecord) else len(answer_json(part))
