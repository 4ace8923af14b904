"""A question that is a published wording but for a word is another question, unless something published knows the word."""

from __future__ import annotations

import pytest

from serve_app.domain.meaning.exchanged import says_another_word
from serve_app.domain.meaning.sense import sense_of

EXCHANGED = [
    ("试过能退吗", "洗过能退吗"),
    ("换货要寄到哪里", "退货要寄到哪里"),
    ("发票金额可以改吗", "发票抬头可以改吗"),
    ("客服几点下班", "客服几点上班"),
    ("优惠券能和会员折扣一起用吗", "优惠券能和积分一起用吗"),
    ("how much is standard shipping", "how much is express shipping"),
    ("can I return in store", "can I pick up in store"),
]


def says(asked: str, *wordings: str, answer: str = "") -> bool:
    return says_another_word(sense_of(asked), [sense_of(wording) for wording in wordings], sense_of(answer))


@pytest.mark.parametrize(("asked", "wording"), EXCHANGED)
def test_a_word_in_anothers_place_makes_another_question(asked: str, wording: str) -> None:
    assert says(asked, wording)
    assert says(wording, asked)


@pytest.mark.parametrize(("asked", "wording"), EXCHANGED)
def test_a_word_that_another_wording_or_the_answer_has_is_known(asked: str, wording: str) -> None:
    assert not says(asked, wording, asked)
    assert not says(asked, wording, answer=asked)


def test_a_case_that_is_put_in_must_be_known() -> None:
    assert says("质量问题退货运费谁出", "退货运费谁出")
    assert not says("质量问题退货运费谁出", "退货运费谁出", answer="质量问题的退货运费由我们承担。")


def test_a_case_that_every_wording_tells_is_not_left_out() -> None:
    assert says("退货运费谁出", "质量问题退货运费谁出")
    assert not says("退货运费谁出", "质量问题退货运费谁出", "运费谁承担")


@pytest.mark.parametrize(
    ("asked", "wording"),
    [
        ("怎么改收货地址", "收货地址怎么修改"),
        ("退货的运费由谁承担", "退货运费谁出"),
        ("how can I return a product", "how do I return an item"),
        ("who bears the postage of a return", "how do returns work and what do they cost me"),
    ],
)
def test_synonyms_another_order_and_other_sentences_are_no_exchange(asked: str, wording: str) -> None:
    assert not says(asked, wording)
