"""What is kept of a tap on a suggestion, and what must never be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from serve_app.domain.messages import Kind, Suggestion
from serve_app.domain.proposals import Variant, may_be_kept, proposal_id, variant_tapped
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, QuestionRecord, Session, Turn

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def turn(number: int, text: str, *, answered: bool = True) -> Turn:
    question = QuestionRecord("demo", "s", f"m{number}", f"a{number}", "C1001", text, NOW, new_session=False)
    answer = AnswerRecord(f"a{number}", "…", "zh", Kind.PUBLIC, "faq", "stop", NOW) if answered else None
    return Turn(number, question, answer)


def session(*turns: Turn) -> Session:
    return Session(
        "demo", "s", "C1001", turns, Focus(suggested=(Suggestion("freight", "运费谁出"), Suggestion("late", "超时")))
    )


def test_the_last_answered_question_is_what_the_tap_stands_for() -> None:
    before = session(turn(1, "你好"), turn(2, " 寄回去 谁掏钱"), turn(3, "?", answered=False))
    assert variant_tapped("freight", before) == Variant("freight", "zh", "寄回去 谁掏钱")


def test_a_tap_on_anything_else_teaches_nothing() -> None:
    assert variant_tapped("ZW202611220001", session(turn(1, "谁掏钱"))) is None
    assert variant_tapped("freight", session()) is None
    assert variant_tapped("freight", session(turn(1, "谁掏钱", answered=False))) is None


@pytest.mark.parametrize(
    "text",
    [
        "订单 ZW202611220001 谁掏钱",
        "我电话13800138000",
        "我电话１３８００１３８０００",
        "尾号٣٤٥٦的单",
        "电话幺三八零零幺三八",
        "write to me@example.com",
        "我叫王小明，运费谁出",
        "my name is Ann, who pays",
        "地址是阳光小区",
        "加我微信说",
        "=cmd|calc",
        "我是张三，运费谁出",
        "收货人王小明，谁掏钱",
        "送到北京市朝阳区建国路要多久",
        "加QQ聊",
        "我家住阳光花园",
        "我生日是三月五号",
        "Hi I'm John Smith, who pays",
        "this is Mary Jones asking",
        "I live in Baker Street",
        "长" * 101,
        "",
    ],
)
def test_what_could_be_somebodys_own_is_not_kept(text: str) -> None:
    assert not may_be_kept(text)


@pytest.mark.parametrize("text", ["七天无理由要自己出运费吗", "who pays when I send it back", "十天半个月了还能退吗"])
def test_ordinary_questions_are_kept(text: str) -> None:
    assert may_be_kept(text)


def test_askings_of_one_question_count_as_one() -> None:
    one = proposal_id(Variant("freight", "zh", "请问，寄回去谁掏钱？"))
    assert one == proposal_id(Variant("freight", "zh", "寄回去谁掏钱"))
    assert one != proposal_id(Variant("late", "zh", "寄回去谁掏钱"))
