"""A client's transcript as a session: what is known of it, what is only told, and for whom it counts as ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.memory_transcripts import MemoryTranscripts
from serve_app.answering.transcript_sessions import TOLD_MAX, TranscriptSession
from serve_app.domain.errors import NotFound, StoreFailed
from serve_app.domain.messages import Kind
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, Begun, QuestionRecord
from serve_app.domain.transcripts import KnownTurn, Message, Role, read_transcript
from serve_app.ports import Transcripts

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FOCUS = Focus(language="zh", order_id="ZW1")


class Client:
    """One that holds its transcript; the answers are what the test says."""

    def __init__(self, known: Transcripts, customer: str | None = "C1001", turns_shown: int = 60) -> None:
        self._known = known
        self._customer = customer
        self._turns_shown = turns_shown
        self.messages: list[Message] = []

    def say(self, role: Role, text: str) -> Client:
        self.messages.append(Message(role, text))
        return self

    async def begin(self, question: str, answer_key: str | None = None) -> tuple[TranscriptSession, Begun]:
        transcript = read_transcript("demo", self._customer, [*self.messages, Message("user", question)])
        session = TranscriptSession(transcript, self._known, self._turns_shown)
        asked = QuestionRecord("demo", "completions/1", "m", "a", self._customer, question, NOW, new_session=True)
        return session, await session.begin(asked, answer_key)

    async def ask(self, question: str, answer: str) -> Begun:
        session, begun = await self.begin(question)
        await session.finish("demo", "completions/1", begun.number, an_answer(answer), FOCUS)
        self.say("user", question).say("assistant", answer)
        return begun


def an_answer(text: str) -> AnswerRecord:
    return AnswerRecord("a", text, "zh", Kind.PERSONAL, "model", "stop", NOW, rendered={"m": (1, 2, 3)})


async def test_an_empty_transcript_is_ours() -> None:
    begun = (await Client(MemoryTranscripts()).begin("运费?"))[1]
    assert (begun.number, begun.session.turns, begun.session.from_client) == (1, (), False)


async def test_what_is_known_is_taken_as_it_was_recorded() -> None:
    client = Client(MemoryTranscripts())
    for number in (1, 2):
        begun = await client.ask(f"question {number}", f"answer {number}")
        assert begun.number == number
    begun = (await client.begin("question 3"))[1]
    assert [turn.number for turn in begun.session.turns] == [1, 2]
    assert [turn.answer and turn.answer.rendered for turn in begun.session.turns] == [{"m": (1, 2, 3)}] * 2
    assert (begun.session.focus, begun.session.from_client) == (FOCUS, False)


async def test_what_is_only_told_has_no_tokens_and_no_focus() -> None:
    client = Client(MemoryTranscripts()).say("user", "运费?").say("assistant", "免费!")
    session = (await client.begin("真的吗?"))[1].session
    assert session.from_client
    assert session.focus == Focus()
    (turn,) = session.turns
    assert (turn.question.text, turn.answer and turn.answer.text) == ("运费?", "免费!")
    assert turn.answer is not None
    assert not turn.answer.rendered


async def test_our_answer_on_top_of_what_is_told_does_not_make_it_ours() -> None:
    client = Client(MemoryTranscripts()).say("user", "运费?").say("assistant", "免费!")
    assert (await client.ask("真的吗?", "真的")).session.from_client
    begun = await client.ask("一定?", "一定")
    assert begun.session.from_client
    assert begun.session.focus == FOCUS


@pytest.mark.parametrize(("role", "text"), [("user", "还有"), ("assistant", "并且免费"), ("tool", "42")])
async def test_nor_is_a_conversation_to_which_the_client_added_something(role: Role, text: str) -> None:
    client = Client(MemoryTranscripts())
    await client.ask("运费?", "十元")
    client.say(role, text)
    session = (await client.begin("真的吗?"))[1].session
    assert session.from_client


async def test_an_edited_turn_keeps_those_before_it() -> None:
    client = Client(MemoryTranscripts())
    await client.ask("一", "1")
    await client.ask("二", "2")
    client.messages[2] = Message("user", "三")
    session = (await client.begin("四"))[1].session
    assert [bool(turn.answer and turn.answer.rendered) for turn in session.turns] == [True, False]
    assert session.from_client


async def test_a_system_text_belongs_to_the_conversation() -> None:
    known = MemoryTranscripts()
    client = Client(known).say("system", "Be a pirate.")
    await client.ask("一", "1")
    assert not (await client.begin("二"))[1].session.from_client
    client.messages.pop(0)
    assert (await client.begin("二"))[1].session.from_client


async def test_another_customer_finds_nothing() -> None:
    known = MemoryTranscripts()
    client = Client(known)
    await client.ask("一", "1")
    for customer in ("C1002", None):
        thief = Client(known, customer)
        thief.messages = client.messages
        assert (await thief.begin("二"))[1].session.from_client


async def test_a_long_conversation_is_given_with_its_last_turns() -> None:
    client = Client(MemoryTranscripts(), turns_shown=4)
    for number in range(1, 10):
        begun = await client.ask(str(number), f"answer {number}")
        assert not begun.session.from_client
        assert [turn.number for turn in begun.session.turns][-1:] == ([number - 1] if number > 1 else [])
        assert len(begun.session.turns) <= 4


async def test_what_is_only_told_is_read_up_to_a_length() -> None:
    client = Client(MemoryTranscripts())
    for number in range(20):
        client.say("user", f"{number} " + "问" * 100_000).say("assistant", "答" * 100_000)
    turns = (await client.begin("真的吗?"))[1].session.turns
    assert [turn.number for turn in turns] == list(range(21 - len(turns), 21)), "the newest ones"
    words = [turn.question.text + (turn.answer.text if turn.answer else "") for turn in turns]
    assert words[-1].startswith("19 问")
    assert 0 < sum(map(len, words)) <= TOLD_MAX


async def test_a_shared_answer_is_read_along() -> None:
    answers = MemoryAnswers()
    await answers.put("key", b"shared", 60)
    assert (await Client(MemoryTranscripts(answers)).begin("运费?", "key"))[1].shared == b"shared"


class Away:
    async def find(self, digests: Sequence[str], answer_key: str | None = None) -> tuple[Mapping[str, KnownTurn], bytes | None]:
        raise StoreFailed("away")

    async def keep(self, digest: str, turn: KnownTurn) -> None:
        raise StoreFailed("away")

    async def of_answer(self, tenant: str, answer_id: str) -> KnownTurn | None:
        raise StoreFailed("away")


async def test_without_the_store_the_clients_words_have_to_do() -> None:
    client = Client(Away())
    assert not (await client.ask("一", "1")).session.from_client
    session = (await client.ask("二", "2")).session
    assert session.from_client
    assert session.turns[0].question.text == "一"


async def test_there_is_nothing_to_read() -> None:
    session, _ = await Client(MemoryTranscripts()).begin("一")
    with pytest.raises(NotFound):
        await session.read("demo", "completions/1", "C1001")
    await session.abandon("demo", "completions/1", 1)
