"""Conversations: kept by the server, or held by their clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, Begun, QuestionRecord, Session
from serve_app.domain.transcripts import KnownTurn


class Sessions(Protocol):
    """Append-only transcripts with a time to live."""

    async def begin(self, question: QuestionRecord, answer_key: str | None = None) -> Begun:
        """Records the question and waits until every earlier turn of its session has ended.

        One round trip when no turn is in progress; it also reads what stands under `answer_key`. A message that was recorded
        before adds nothing: its answer is awaited and returned. One whose answer broke off (`AnswerRecord.broke_off`) gets its
        turn again, under its number: `repeated` is None, and the new answer takes the place of the broken one.

        Messages that are one question (`QuestionRecord.merged`) share one turn, and each of them, sent again, gets its answer.
        The messages of the last turn, while it has no whole answer, may become more; its question is then the later one.

        A long session is given with its last turns only, from `domain.session.first_shown` on, under their own numbers.

        Raises NotFound (no such session), Forbidden (another customer's), TooLong (the session has as many turns as one may
        have), Conflict (some of the messages were asked before without the others: ask each by itself), StoreFailed.
        """
        ...

    async def begin_answered(self, question: QuestionRecord, answer: AnswerRecord, before: Focus, after: Focus) -> Begun:
        """`begin` and `finish` in one round trip, where the answer is known and whole already: it holds if the conversation is
        still about `before`, and is then about `after`.

        Nothing is recorded of the answer when the conversation is about something else, a turn is in progress, or the message
        was recorded before; all is then as after `begin` (`Begun.answered` is False).
        """
        ...

    async def finish(self, tenant: str, session_id: str, number: int, answer: AnswerRecord, focus: Focus) -> bool:
        """Records the answer and what the conversation is about now, and lets the next turn begin, also when it raises. False:
        it is kept in this process only, until the store is back.

        The first answer stays, unless it broke off: then the later one is the turn's.

        Raises StoreFailed, Conflict.
        """
        ...

    async def abandon(self, tenant: str, session_id: str, number: int) -> None:
        """Lets the next turn begin without an answer to this one. The same message, sent again, is answered anew."""
        ...

    async def read(self, tenant: str, session_id: str, customer_id: str | None) -> Session:
        """Raises NotFound, Forbidden, StoreFailed."""
        ...


class LiveSessions(Sessions, Protocol):
    """Sessions that stand before their first question."""

    async def enter(self, tenant: str, session_id: str, customer_id: str | None, *, new: bool = False) -> None:
        """Whether the customer may use the session; one round trip. A `new` one is made: it is kept for a while without turns.

        Raises NotFound, Forbidden, StoreFailed.
        """
        ...

    async def session_of(self, tenant: str, answer_id: str) -> str | None:
        """In which session an answer was given; None when it is unknown or forgotten. Raises StoreFailed."""
        ...


class Transcripts(Protocol):
    """Answered turns of conversations that their clients hold, under `domain.transcripts`' digests. They never change."""

    async def find(self, digests: Sequence[str], answer_key: str | None = None) -> tuple[Mapping[str, KnownTurn], bytes | None]:
        """Those that are known, and in the same round trip what stands under `answer_key`. Raises StoreFailed."""
        ...

    async def keep(self, digest: str, turn: KnownTurn) -> None:
        """Raises StoreFailed, also for a turn that is too long to be kept."""
        ...

    async def of_answer(self, tenant: str, answer_id: str) -> KnownTurn | None:
        """The turn that was answered so; None when it is unknown or forgotten. Raises StoreFailed."""
        ...
