"""The gates refuse whatever changes a question's meaning, and pass what does not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.meaning.gates import Gate, same_particulars, same_question
from serve_app.domain.meaning.sense import sense_of

ENTRIES = demo_knowledge().entries
CHINESE = sorted({text for entry in ENTRIES for text in entry.questions["zh"]})
ENGLISH = sorted({text for entry in ENTRIES for text in entry.questions["en"]})
ANY = st.sampled_from(CHINESE + ENGLISH)


def gates(asked: str, wording: str) -> tuple[Gate | None, Gate | None]:
    return same_question(sense_of(asked), sense_of(wording)), same_particulars(sense_of(asked), [sense_of(wording)])


def refused(asked: str, wording: str) -> bool:
    return None not in gates(asked, wording)


@given(ANY)
def test_a_question_is_itself(text: str) -> None:
    assert gates(text, text) == (None, None)


@given(ANY, ANY)
def test_what_agrees_word_by_word_agrees_both_ways(one: str, other: str) -> None:
    assert same_question(sense_of(one), sense_of(other)) is same_question(sense_of(other), sense_of(one)) or (
        same_question(sense_of(one), sense_of(other)) is not None and same_question(sense_of(other), sense_of(one)) is not None
    )


@given(st.sampled_from([text for text in CHINESE if re.search("可以|能", text) and "能不" not in text and "可不" not in text]))
def test_a_negation_makes_another_question(text: str) -> None:
    assert refused(re.sub("(可以|能)", r"不\1", text, count=1), text)


@given(st.sampled_from([text for text in ENGLISH if re.match("(?:do|can|are|is|does) (?:you|I|a|an|the) ", text, re.I)]))
def test_not_makes_another_question(text: str) -> None:
    assert refused(re.sub(r"^(\w+ \w+)", r"\1 not", text), text)


@given(st.sampled_from(CHINESE), st.integers(4, 400), st.integers(4, 400))
def test_another_number_makes_another_question(text: str, one: int, other: int) -> None:
    if one != other:
        assert refused(f"{text}{one}天", f"{text}{other}天")
        assert refused(f"{text}SKU-{one}", f"{text}SKU-{other}")


DAYS = ("今天", "明天", "后天", "昨天", "下周", "周末", "上个月")


@given(st.sampled_from(CHINESE), st.sampled_from(DAYS), st.sampled_from(DAYS))
def test_another_day_makes_another_question(text: str, one: str, other: str) -> None:
    if one != other and not any(day in text for day in DAYS):
        assert refused(f"{one}{text}", f"{other}{text}")


@given(st.sampled_from([text for text in CHINESE if "怎么" in text and not re.search("怎么(?:办|处理|回事)", text)]))
def test_another_question_word_makes_another_question(text: str) -> None:
    assert refused(text.replace("怎么", "为什么", 1), text)
    assert refused(text.replace("怎么", "什么时候", 1), text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("退货运费买家出吗", "退货运费卖家出吗"),
        ("邻居替我签收怎么办", "我替邻居签收怎么办"),
        ("从广州寄到北京多久", "从北京寄到广州多久"),
        ("取消订单后退款多久到", "退款后取消订单多久到"),
        ("Can I return it?", "Can you return it?"),
        ("Does the insurer pay the shop?", "Does the shop pay the insurer?"),
        ("ship from Paris to Rome", "ship from Rome to Paris"),
        ("Is gold better than silver?", "Is silver better than gold?"),
    ],
)
def test_who_and_where_may_not_change_places(one: str, other: str) -> None:
    assert refused(one, other)
    assert refused(other, one)


@pytest.mark.parametrize(
    ("one", "other", "gate"),
    [
        ("七天内能退吗", "三十天内能退吗", Gate.NUMBERS),
        ("金卡有什么权益", "银卡有什么权益", Gate.ENTITIES),
        ("新疆包邮吗", "海南包邮吗", Gate.ENTITIES),
        ("耳机能退吗", "键盘能退吗", Gate.ENTITIES),
        ("发货前能改地址吗", "发货后能改地址吗", Gate.DIRECTION),
        ("积分怎么攒", "积分怎么花", Gate.DIRECTION),
        ("每个订单限购几件", "每个账号限购几件", Gate.DIRECTION),
        ("可以开专票吗", "必须开专票吗", Gate.MODALITY),
        ("价格什么时候更新", "价格什么时候更新过", Gate.TENSE),
        ("May I send it back myself?", "Do I have to send it back myself?", Gate.MODALITY),
        ("只退一件可以吗", "除了一件都退可以吗", Gate.SCOPE),
        ("退货运费谁出", "退货运费多少", Gate.QUESTION),
        ("退货运费谁出", "who pays return postage", Gate.LANGUAGE),
        ("618买的双11能价保吗", "双11买的618能价保吗", Gate.ORDER),
    ],
)
def test_the_case_of_a_rule_is_told_apart(one: str, other: str, gate: Gate) -> None:
    assert gate in gates(one, other)
    assert refused(one, other)


@pytest.mark.parametrize(
    ("asked", "wording"),
    [
        ("请问一下，运费由谁来承担呢？", "运费谁出"),
        ("如何退货", "怎么退货"),
        ("支持退货吗", "可以退货吗"),
        ("账户怎么注销", "账号怎么注销"),
        ("七天无理由退货支持吗", "7天无理由退货支持吗"),
        ("請問怎麼開發票", "怎么开票"),
        ("How can I get a refund?", "how do i get a refund"),
        ("What's the best way to cancel an order?", "How do I cancel an order?"),
        ("could you tell me how much is postage", "How much is the shipping fee?"),
        ("我怎么退货", "怎么退货"),
    ],
)
def test_other_words_for_the_same_pass(asked: str, wording: str) -> None:
    assert same_question(sense_of(asked), sense_of(wording)) is None


def test_an_answer_speaks_of_what_its_wordings_leave_unsaid() -> None:
    asked, wordings = sense_of("满99元包邮吗"), [sense_of("满多少包邮"), sense_of("包邮吗")]
    assert same_particulars(sense_of("99元包邮吗"), wordings, sense_of("订单满99元包邮")) is None
    assert same_particulars(sense_of("199元包邮吗"), wordings, sense_of("订单满99元包邮")) is Gate.NUMBERS
    assert asked.language == "zh"


def test_a_code_has_no_language() -> None:
    assert sense_of("SKU-10023").language is None
    assert sense_of("1299").language is None
