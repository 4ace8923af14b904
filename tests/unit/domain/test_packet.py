"""The packet of a hand-over, made by rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serve_app.domain.id_formats import DEMO_FORMATS
from serve_app.domain.intents import Intent
from serve_app.domain.messages import AnswerSource, Kind
from serve_app.domain.packet import Packet, mood_of, packet_of, transcript, with_messages
from serve_app.domain.question import Entities, Focus
from serve_app.domain.session import AnswerRecord, QuestionRecord, Turn
from serve_app.domain.tickets import Author, Message

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def turn(
    number: int,
    question: str,
    answer: str | None,
    source: AnswerSource = "faq",
    reason: str = "stop",
    events: tuple[Any, ...] = (),
) -> Turn:
    at = NOW + timedelta(minutes=number)
    asked = QuestionRecord("demo", "s", f"m{number}", f"a{number}", "C1", question, at, number == 1)
    if answer is None:
        return Turn(number, asked)
    later = at + timedelta(seconds=1)
    return Turn(number, asked, AnswerRecord(f"a{number}", answer, "zh", Kind.PUBLIC, source, reason, later, events=events))


def packed(turns: list[Turn], focus: Focus | None = None, messages: tuple[Message, ...] = (), **fields: Any) -> Packet:
    return packet_of(turns, focus or Focus(), messages, DEMO_FORMATS, fields.pop("language", "zh"), **fields)


def test_it_says_what_was_asked_tried_and_named() -> None:
    card = {"event": "card", "data": {"type": "parcel", "data": {"order_id": "ZW202611220001"}}}
    shown = {"event": "card", "data": {"type": "order", "data": {"id": "ZW202611220002"}}}
    cited = {"event": "citation", "data": {"id": "return-policy", "title": "", "url": None}}
    turns = [
        turn(1, "退货政策是什么?", "七天。", events=(cited,)),
        turn(2, "我的快递 ZW202611220003 到哪了?", "在路上。", "template", events=(card, shown)),
        turn(3, "那怎么办", "需要人工。", "template", "handoff"),
    ]
    focus = Focus(intent=Intent.PARCEL, order_id="ZW202611220009", entities=Entities(order_ids=("ZW202611220008",)))
    packet = packed(turns, focus, intent=Intent.HUMAN)
    assert packet.intent is Intent.PARCEL, "the wish for a person is not what it is about"
    assert packet.order_ids == (
        "ZW202611220009", "ZW202611220008", "ZW202611220001", "ZW202611220002", "ZW202611220003",
    )  # fmt: skip
    assert [(one.source, one.entries, one.finish_reason) for one in packet.tried] == [
        ("faq", ("return-policy",), "stop"), ("template", (), "stop"), ("template", (), "handoff"),
    ]  # fmt: skip
    assert "退货政策是什么?" in packet.summary
    assert "那怎么办" in packet.summary
    assert "答复了 2 次" in packet.summary


def test_the_summary_is_in_the_customers_language_and_short() -> None:
    packet = packed([turn(1, "Where is " + "my parcel " * 50, "It is on its way.")], language="en")
    assert packet.summary.startswith("The customer wrote once")
    assert len(packet.summary) < 200
    assert packed([], language="en").summary == "The customer asks for a person and has asked nothing yet."


def test_everything_is_told_once_and_in_order() -> None:
    turns = [turn(1, "一", "答一"), turn(2, "二", "", "agent", "handoff"), turn(4, "四", None)]
    messages = [
        Message("t1", Author.CUSTOMER, "二", NOW + timedelta(minutes=2), about="m2"),
        Message("t2", Author.AGENT, "我来", NOW + timedelta(minutes=3), "小王"),
        Message("t3", Author.BOT, "答一", NOW + timedelta(minutes=1), about="a1"),
        Message("t4", Author.CUSTOMER, "没有记下的", NOW + timedelta(minutes=5), about="m9"),
    ]
    told = [(line.author, line.text, line.name) for line in transcript(turns, messages)]
    assert told == [
        (Author.CUSTOMER, "一", ""), (Author.BOT, "答一", ""), (Author.CUSTOMER, "二", ""), (Author.AGENT, "我来", "小王"),
        (Author.CUSTOMER, "四", ""), (Author.CUSTOMER, "没有记下的", ""),
    ]  # fmt: skip
    kept = with_messages(packed(turns[:1]), messages)
    assert [line.text for line in kept.transcript] == ["一", "答一", "二", "我来", "没有记下的"]


def test_an_agent_may_number_as_the_customer_does() -> None:
    messages = [
        Message("t1", Author.AGENT, "一", NOW + timedelta(minutes=3), "小王", about="m1"),
        Message("t2", Author.AGENT, "请稍等", NOW + timedelta(minutes=4), "小王", about="m1"),
    ]
    packet = packed([turn(1, "一", "答一")], messages=tuple(messages))
    assert [line.text for line in packet.transcript] == ["一", "答一", "一", "请稍等"]
    assert with_messages(packet, messages).transcript == packet.transcript


def test_words_that_were_sent_again_with_more_added_are_told_whole() -> None:
    messages = [
        Message("t1", Author.CUSTOMER, "在吗", NOW + timedelta(minutes=3), about="m2"),
        Message("t2", Author.CUSTOMER, "在吗\n我那个订单", NOW + timedelta(minutes=3), about="m2"),
    ]
    kept = with_messages(packed([turn(1, "一", "答一")], messages=(messages[0],)), messages)
    assert [line.text for line in kept.transcript] == ["一", "答一", "在吗\n我那个订单"]


@pytest.mark.parametrize(
    ("said", "mood"),
    [
        (["你好", "我的快递到哪了?"], "calm"),
        (["Where is my order?"], "calm"),
        (["垃圾袋什么时候发货"], "calm"),
        (["滚筒洗衣机多少钱"], "calm"),
        (["滚"], "angry"),
        (["怎么还没到"], "annoyed"),
        (["到底什么时候发货"], "annoyed"),
        (["It still hasn't arrived"], "annoyed"),
        (["我的快递到哪了?", "我的快递到哪了"], "annoyed"),
        (["怎么还没到!!!"], "angry"),
        (["你们就是骗子", "我要投诉"], "angry"),
        (["This is ridiculous, I want my money"], "angry"),
        (["WHERE IS MY ORDER NOW", "ANSWER ME RIGHT NOW"], "angry"),
    ],
)
def test_the_mood_is_read_from_words_and_manner(said: list[str], mood: str) -> None:
    assert mood_of(said) == mood


def test_many_questions_that_nothing_answered_annoy() -> None:
    assert mood_of(["运费怎么算"], unanswered=3) == "annoyed"
