"""How a client's messages are read, and under which digests their turns are found."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.messages import Card, Choices, Citation, Delta, Option, Suggestion, Suggestions
from serve_app.domain.transcripts import Message, Role, Transcript, read_transcript, recorded_text, shown_text

ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")
MESSAGES = st.lists(st.builds(Message, st.sampled_from(ROLES), st.text(max_size=20)), max_size=8)


def a_transcript(*messages: tuple[Role, str], customer: str | None = "C1001", tenant: str = "demo") -> Transcript:
    return read_transcript(tenant, customer, [Message(role, text) for role, text in messages])


def digests(transcript: Transcript) -> list[str | None]:
    return [exchange.digest for exchange in transcript.exchanges]


class TestExchanges:
    def test_questions_and_their_answers(self) -> None:
        read = a_transcript(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e"))
        assert [(exchange.question, exchange.answer) for exchange in read.exchanges] == [("a", "b"), ("c", "d")]
        assert read.question == "e"

    def test_a_question_without_an_answer_has_no_digest(self) -> None:
        read = a_transcript(("user", "a"), ("user", "b"), ("assistant", "c"), ("user", "d"))
        assert [(exchange.question, exchange.answer) for exchange in read.exchanges] == [("a", ""), ("b", "c")]
        assert read.exchanges[0].digest is None

    def test_two_answers_are_one(self) -> None:
        read = a_transcript(("user", "a"), ("assistant", "b"), ("assistant", "c"), ("user", "d"))
        assert [(exchange.question, exchange.answer) for exchange in read.exchanges] == [("a", "b\nc")]
        single = a_transcript(("user", "a"), ("assistant", "b"), ("user", "d"))
        assert digests(read) != digests(single)

    def test_a_greeting_and_a_blank_are_not_read(self) -> None:
        assert a_transcript(("assistant", "hello"), ("user", " \n"), ("user", "a")).exchanges == ()

    def test_system_texts_are_joined_wherever_they_stand(self) -> None:
        read = a_transcript(("system", "a"), ("user", "b"), ("assistant", "c"), ("system", " "), ("system", "d"), ("user", "e"))
        assert read.instructions == "a\nd"
        assert len(read.exchanges) == 1

    def test_tools_are_noticed_and_not_read(self) -> None:
        read = a_transcript(("user", "a"), ("assistant", ""), ("tool", "secret"), ("user", "b"))
        assert read.has_tools
        assert "secret" not in str(read.exchanges) + read.instructions


class TestDigests:
    @given(earlier=MESSAGES, question=st.text(max_size=20), answer=st.text(max_size=20), next_question=st.text(max_size=20))
    def test_an_answer_is_found_in_the_next_transcript(
        self, earlier: list[Message], question: str, answer: str, next_question: str
    ) -> None:
        asked = Message("user", f"?{question}")
        kept = read_transcript("demo", "C1001", [*earlier, asked]).answered(answer)
        sent = [*earlier, asked, Message("assistant", answer), Message("user", next_question)]
        read = read_transcript("demo", "C1001", sent)
        assert read.exchanges[-1].digest == kept

    @given(one=MESSAGES, other=MESSAGES)
    def test_two_conversations_share_none_unless_they_are_the_same(self, one: list[Message], other: list[Message]) -> None:
        def form(messages: list[Message]) -> list[tuple[str, str]]:
            return [(message.role, "".join(message.text.split())) for message in messages]

        last = Message("user", "?")
        same = read_transcript("demo", None, [*one, last]).digest == read_transcript("demo", None, [*other, last]).digest
        assert not same or _composed(form(one)) == _composed(form(other))

    def test_white_space_and_composition_do_not_count(self) -> None:
        one = a_transcript(("user", "Café  ok?\n"), ("assistant", "是的。 好"), ("user", "x"))
        other = a_transcript(("user", "Cafe\u0301 ok?"), ("assistant", "是的。好\n"), ("user", "y"))
        assert digests(one) == digests(other)

    def test_each_customer_and_tenant_has_its_own(self) -> None:
        told: list[tuple[Role, str]] = [("user", "a"), ("assistant", "b"), ("user", "c")]
        read = [
            a_transcript(*told, customer=customer, tenant=tenant)
            for customer, tenant in (("C1", "demo"), ("C2", "demo"), (None, "demo"), ("None", "demo"), ("C1", "other"))
        ]
        assert len({one.exchanges[0].digest for one in read}) == len(read)

    def test_who_said_it_counts(self) -> None:
        assert a_transcript(("user", "a"), ("user", "x")).digest != a_transcript(("system", "a"), ("user", "x")).digest

    def test_branches_share_the_turns_before_them(self) -> None:
        trunk: list[tuple[Role, str]] = [("user", "a"), ("assistant", "b")]
        one = a_transcript(*trunk, ("user", "c"), ("assistant", "d"), ("user", "e"))
        other = a_transcript(*trunk, ("user", "f"), ("assistant", "d"), ("user", "e"))
        assert one.exchanges[0].digest == other.exchanges[0].digest
        assert one.exchanges[1].digest != other.exchanges[1].digest

    def test_the_opening_stays_the_same_from_turn_to_turn(self) -> None:
        first = a_transcript(("system", "s"), ("user", "a"))
        later = a_transcript(("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c"))
        assert first.opening == later.opening != a_transcript(("system", "s"), ("user", "c")).opening


class TestText:
    def test_what_may_be_chosen_from_is_a_numbered_list(self) -> None:
        choices = Choices("哪个?", (Option("1", "一"), Option("2", "二")))
        assert shown_text("哪个?", [Card("order", {}), choices, Citation("a", "b")]) == "哪个?\n1. 一\n2. 二"
        assert shown_text("", [Suggestions((Suggestion("s", "运费?"),))]) == "\n1. 运费?"

    def test_a_record_shows_as_it_was_said(self) -> None:
        events = [Choices("哪个?", (Option("1", "一"),)), Suggestions((Suggestion("s", "运费?"),)), Card("order", {"id": "1"})]
        names = ("choices", "suggestions", "card")
        recorded = [{"event": name, "data": asdict(event)} for name, event in zip(names, events, strict=True)]
        assert recorded_text("哪个?", recorded) == shown_text("哪个?", events)
        assert shown_text("a", [Delta("b")]) == "a"


def _composed(form: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(role, unicodedata.normalize("NFC", text)) for role, text in form]
