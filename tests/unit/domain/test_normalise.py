"""Cleaning and the canonical form of a question."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serve_app.domain.intents import Intent
from serve_app.domain.normalise import canonical_form, clean

SAID = """你好 亲 请问 在吗 谢谢 麻烦 想问一下 退货 运费 我 的 了 吗 呢 吧 啊 能 不 没 别 七天 第二个
hi hello please thanks can you tell refund not don't no never order 3 99 1,299.00 3-5 ¥ % ZW202611220001 SKU-00001 #2 24/7
, 。 ？ ! ， ~ … 👍 @ ( )"""
WORDS = st.sampled_from(SAID.split())
SENTENCES = st.lists(st.tuples(WORDS, st.sampled_from(["", " ", "，", "\u200b"])), max_size=12).map(
    lambda parts: "".join(word + gap for word, gap in parts)
)
TEXTS = st.text(max_size=40) | SENTENCES


@given(TEXTS)
def test_cleaning_is_idempotent(text: str):
    assert clean(clean(text)) == clean(text)


@given(TEXTS)
@example("A\u200b\u030a")
@example("你 好运费")
def test_the_canonical_form_is_idempotent(text: str):
    assert canonical_form(canonical_form(text)) == canonical_form(text)


@given(TEXTS)
def test_a_text_with_content_keeps_some(text: str):
    assert bool(canonical_form(text)) == bool(clean(text))


@given(TEXTS)
def test_digits_survive(text: str):
    digits = [character for character in clean(text) if character.isdigit()]
    assert [character for character in canonical_form(text) if character.isdigit()] == digits


@given(TEXTS)
def test_negation_survives(text: str):
    def negations(form: str) -> list[str]:
        form = form.casefold().replace("'", "").replace("不好意思", "")
        return re.findall("不|没|别|非|未|(?<![a-z])(?:not|no|never|dont)(?![a-z])", form)

    assert negations(canonical_form(text)) == negations(clean(text))


@given(TEXTS)
@example("@return_freight")
@example("@")
def test_no_text_can_pass_for_a_rewritten_question(text: str):
    assert canonical_form(text) not in {f"@{intent}" for intent in Intent}


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("请问运费怎么算?", "运费怎么算"),
        ("亲，運費怎麼算呢？", "运费怎么算"),
        ("亲 你好 请问运费怎么算", "运费怎么算"),
        ("在吗，我的快递到哪了", "我的快递到哪了"),
        ("退货怎么弄呀谢谢", "退货怎么弄"),
        ("Hello, could you please tell me what is your return policy? Thanks!", "What is your return policy"),
        ("same-day delivery?", "Same day delivery"),
        ("what’s your return policy", "What's your return policy?"),
        ("你好啊", "你好"),
        ("謝謝", "谢谢"),
        ("运费\u200b多少", "运费 多少！"),
        ("ＺＷ２０２６", "zw2026"),
    ],
)
def test_one_question_has_one_form(text: str, other: str):
    assert canonical_form(text) == canonical_form(other)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("不，退货", "不退货"),
        ("不 退货", "不退货"),
        ("no, return it", "no return it"),
        ("亲子装能退吗", "子装能退吗"),
        ("哪里有酒吧", "哪里有酒"),
        ("干嘛", "干"),
        ("支持花呗吗", "支持花吗"),
        ("什么", "什"),
        ("运费1.5元", "运费15元"),
        ("满99包邮", "满9包邮"),
        ("<100", ">100"),
        ("can I return it", "can I not return it"),
    ],
)
def test_different_questions_have_different_forms(text: str, other: str):
    assert canonical_form(text) != canonical_form(other)


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200b", "\x00\x1f\n"])
def test_a_text_without_content_is_empty(text: str):
    assert clean(text) == canonical_form(text) == ""


def test_cleaning_keeps_words_and_drops_what_cannot_be_seen():
    assert clean(" 我的\u200b订单\x00 ＡＢＣ\r\n到了？ ") == "我的订单 ABC 到了?"
