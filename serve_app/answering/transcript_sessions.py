"""The conversation of a client that holds the transcript itself, as the course sees it: a session like any other."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from serve_app.domain.errors import NotFound, StoreFailed
from serve_app.domain.messages import Kind
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, Begun, QuestionRecord, Session, Turn, first_shown
from serve_app.domain.transcripts import Exchange, KnownTurn, Transcript, recorded_text
from serve_app.ports import Transcripts

logger = logging.getLogger(__name__)

# What only the client tells is read and encoded anew for every question, so it is read up to these lengths, in characters: a
# question, an answer, and all of it, from the newest turn back.
TOLD_QUESTION_MAX = 2000
TOLD_ANSWER_MAX = 4000
TOLD_MAX = 32_000


class TranscriptSession:
    """The port `Sessions`, for the one question that ends `transcript`.

    What is known of its turns is taken as it was recorded, the rest from the client's words, without rendered tokens. While the
    store is away all of it is: the client still has its conversation, so its question is answered.
    """

    def __init__(self, transcript: Transcript, known: Transcripts, turns_shown: int) -> None:
        self._transcript = transcript
        self._known = known
        self._turns_shown = turns_shown
        self._asked: QuestionRecord | None = None
        self._from_client = False

    async def begin(self, question: QuestionRecord, answer_key: str | None = None) -> Begun:
        """One round trip. Nobody is waited for: two questions on one transcript are two branches of it."""
        exchanges = self._transcript.exchanges
        number = len(exchanges) + 1
        first = first_shown(number, self._turns_shown)
        shown = exchanges[first - 1 :]
        known, shared = await self._find([exchange.digest for exchange in shown if exchange.digest], answer_key)
        last = known.get(shown[-1].digest or "") if shown else None
        self._asked = question
        self._from_client = self._transcript.has_tools or (bool(shown) and (last is None or last.from_client))
        session = Session(
            question.tenant,
            question.session_id,
            question.customer_id,
            self._turns(question, first, shown, known),
            last.focus if last else Focus(),
            self._from_client,
        )
        return Begun(session, number, shared=shared)

    async def begin_answered(self, question: QuestionRecord, answer: AnswerRecord, before: Focus, after: Focus) -> Begun:
        """What the conversation is about is not known before its turns are found."""
        del answer, before, after
        return await self.begin(question)

    async def finish(self, tenant: str, session_id: str, number: int, answer: AnswerRecord, focus: Focus) -> bool:
        """Keeps the turn under what the client will send next. When it cannot be kept, the client's own words have to do."""
        del tenant, session_id
        assert self._asked is not None, "begin comes first"
        digest = self._transcript.answered(recorded_text(answer.text, answer.events))
        try:
            await self._known.keep(digest, KnownTurn(Turn(number, self._asked, answer), focus, self._from_client))
        except StoreFailed as error:
            logger.warning("a turn of a client's transcript was not kept: %s", error)
        return True

    async def abandon(self, tenant: str, session_id: str, number: int) -> None:
        """Nobody waits."""

    async def read(self, tenant: str, session_id: str, customer_id: str | None) -> Session:
        """There is nothing to read: the client has it."""
        del tenant, session_id, customer_id
        raise NotFound("This conversation is kept by its client.", param="session_id")

    async def _find(self, digests: Sequence[str], answer_key: str | None) -> tuple[Mapping[str, KnownTurn], bytes | None]:
        try:
            return await self._known.find(digests, answer_key)
        except StoreFailed as error:
            logger.warning("the turns of a client's transcript are not found: %s", error)
            return {}, None

    def _turns(
        self, asked: QuestionRecord, first: int, shown: Sequence[Exchange], known: Mapping[str, KnownTurn]
    ) -> tuple[Turn, ...]:
        turns: list[Turn] = []
        left = TOLD_MAX
        for number, exchange in reversed(list(enumerate(shown, first))):
            found = known.get(exchange.digest or "")
            turn = Turn(number, found.turn.question, found.turn.answer) if found else _told(number, exchange, asked)
            if found is None:
                left -= len(turn.question.text) + len(turn.answer.text if turn.answer else "")
            if left < 0:
                break
            turns.append(turn)
        return tuple(reversed(turns))


def _told(number: int, exchange: Exchange, asked: QuestionRecord) -> Turn:
    question = QuestionRecord(
        tenant=asked.tenant,
        session_id=asked.session_id,
        message_id="",
        answer_id="",
        customer_id=asked.customer_id,
        text=exchange.question[:TOLD_QUESTION_MAX],
        asked_at=asked.asked_at,
        new_session=False,
    )
    return Turn(number, question, _told_answer(exchange, asked) if exchange.answer else None)


def _told_answer(exchange: Exchange, asked: QuestionRecord) -> AnswerRecord:
    return AnswerRecord(
        answer_id="",
        text=exchange.answer[:TOLD_ANSWER_MAX],
        language="zh",
        kind=Kind.PERSONAL,
        source="model",
        finish_reason="stop",
        finished_at=asked.asked_at,
    )
