"""Which messages are one question."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.merging import MESSAGES_MAX, Question, gathered, together
from serve_app.domain.messages import Ask, Caller

CALLER = Caller("demo", "C1001")


def message(message_id: str, text: str | None = "在吗", **fields: object) -> Question:
    ask = Ask(CALLER, "s", message_id, question=text)
    return Question((replace(ask, **fields),))


def test_what_is_sent_in_three_messages_is_one_question() -> None:
    waiting = [message("m1", "在吗"), message("m2", "我那个订单"), message("m3", "怎么还没到")]
    question, left = gathered(waiting, 2000)
    assert left == []
    assert question.message_ids == ("m1", "m2", "m3")
    assert (question.ask.message_id, question.ask.merged) == ("m1", ("m2", "m3"))
    assert question.ask.question == "在吗\n我那个订单\n怎么还没到"


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (message("m1"), message("m2", None, choice="c")),
        (message("m1", None, choice="c"), message("m2")),
        (message("m1", order_id="A"), message("m2", order_id="B")),
        (message("m1", sku_id="A"), message("m2", sku_id="B")),
        (message("m1"), message("m2", caller=Caller("demo", None))),
        (message("m1", "字" * 1000), message("m2", "字" * 1000)),
        (message("m1").apart()[0], message("m2")),
        (message("m1"), message("m2").apart()[0]),
    ],
    ids=["before a tap", "after a tap", "two orders", "two products", "two callers", "too long", "alone", "with one alone"],
)
def test_what_stays_apart(earlier: Question, later: Question) -> None:
    assert together(earlier, later, 2000) is None


def test_an_attached_order_is_the_whole_questions() -> None:
    for parts in ((message("m1", order_id="A"), message("m2")), (message("m1"), message("m2", order_id="A"))):
        joined = together(*parts, 2000)
        assert joined is not None
        assert joined.ask.order_id == "A"


def test_the_last_locale_counts() -> None:
    joined = together(message("m1", locale="zh-CN"), message("m2", locale="en-GB"), 2000)
    assert joined is not None
    assert joined.ask.locale == "en-GB"


texts = st.none() | st.text(min_size=1, max_size=30)


@given(st.lists(st.tuples(texts, st.sampled_from([None, "A", "B"])), min_size=1, max_size=30), st.integers(1, 60))
def test_every_message_is_answered_once_in_order_within_the_bounds(
    messages: list[tuple[str | None, str | None]], most: int
) -> None:
    waiting = [
        message(f"m{n}", text, choice=None if text is not None else "c", order_id=order)
        for n, (text, order) in enumerate(messages)
    ]
    taken: list[str] = []
    while waiting:
        question, waiting = gathered(waiting, most)
        taken += question.message_ids
        ask = question.ask
        assert question.message_ids == ask.message_ids
        assert len(question.parts) <= MESSAGES_MAX
        if len(question.parts) > 1:
            assert ask.choice is None
            assert ask.question is not None
            assert len(ask.question) <= most
            assert ask.question == "\n".join(str(part.question) for part in question.parts)
            assert {part.order_id for part in question.parts} <= {None, ask.order_id}
    assert taken == [f"m{n}" for n in range(len(messages))]
