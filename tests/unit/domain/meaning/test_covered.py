"""An entry of several wordings answers a case of its rule that it speaks of, and no case that differs by any evidence."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.knowledge import Entry
from serve_app.domain.meaning.covered import WORDINGS_MIN, another_case
from serve_app.domain.meaning.gates import Gate
from serve_app.domain.meaning.sense import sense_of
from serve_app.domain.messages import Language
from serve_app.domain.publication import filled

ENTRIES = {entry.id: entry for entry in filled(demo_knowledge()).entries}
CHINESE = [(entry, text) for entry in ENTRIES.values() for text in entry.questions["zh"]]


def case(entry: Entry, language: Language, text: str) -> Gate | None:
    wordings = [sense_of(wording) for wording in entry.questions[language]]
    return another_case(sense_of(text), wordings, sense_of(entry.answers[language]))


def negates(entry: Entry) -> bool:
    return any(re.search("[不没未无]|别", text) for text in entry.questions["zh"])


@pytest.mark.parametrize(
    ("id_", "text"),
    [
        ("delivery-time", "到南京大概几天能到"),
        ("delivery-area", "你们送到甘肃吗"),
        ("overseas", "能寄到新加坡吗"),
        ("instalments", "can I pay in installments"),
        ("overseas", "do you ship to Singapore"),
        ("delivery-time", "how many days does delivery to Nanjing take"),
    ],
)
def test_a_case_that_the_entry_speaks_of_is_covered(id_: str, text: str) -> None:
    assert case(ENTRIES[id_], "en" if text.isascii() else "zh", text) is None


@pytest.mark.parametrize(
    ("id_", "text", "gate"),
    [
        ("delivery-area", "你们不送到哪些地区", Gate.NEGATION),
        ("return-policy", "买了五个月还能退货吗", Gate.NUMBERS),
        ("return-opened", "which regions do you deliver to after opening", Gate.WORDS),
        ("carrier", "你们发顺丰冷链特快吗", Gate.WORDS),
        ("cancel-policy", "退货后能取消订单吗", Gate.WORDS),
    ],
)
def test_evidence_of_a_difference_refuses(id_: str, text: str, gate: Gate) -> None:
    assert case(ENTRIES[id_], "en" if text.isascii() else "zh", text) is gate


# Each is the opposite of what the entry says, or a case that it does not decide.
OTHER_CASES = (
    ("return-opened", "生鲜拆封了还能退吗"),
    ("return-opened", "食品拆封了还能退吗"),
    ("return-opened", "定制商品拆封了还能退吗"),
    ("return-opened", "数字商品拆开了还能退吗"),
    ("return-opened", "清仓的,拆封了还能退吗"),
    ("return-opened", "can I return opened food"),
    ("return-opened", "can I return an opened custom item"),
    ("return-opened", "不喜欢,拆开了还能退吗"),
    ("warranty", "食品保修多久"),
    ("warranty", "生鲜保修多久"),
    ("non-returnable", "清仓的可以退货吗"),
    ("payment", "可以用PayPal付款吗"),
    ("return-late", "没超过7天,怎么退货"),
    ("return-late", "没超过七天,怎么退"),
    ("return-late", "怎么退货,没超过7天"),
    ("return-late", "不超过7天,怎么退货"),
    ("return-late", "没超过退货时间,怎么退货"),
    ("return-late", "没超过7天,怎么换货"),
    ("return-late", "没签收,超过七天还能退吗"),
    ("return-late", "Can I return an item after the return period?,within 7 days"),
    ("exchange-policy", "已经退过一次,可以换货吗"),
    ("price-protection", "没下单,有价格保护吗"),
    ("return-howto", "没有原包装,怎么退货"),
    ("order-auto-closed", "不付款账号会自动取消吗"),
    ("refund-amount", "满减的账号退一件怎么算"),
    ("delivery-time", "替朋友买的几天能到"),
    ("lost-parcel", "without the box,What if a parcel is lost?"),
    ("account-deletion", "used once,How do I delete my account?"),
)


@pytest.mark.parametrize(("id_", "text"), OTHER_CASES)
def test_a_case_that_the_entry_does_not_decide_is_another(id_: str, text: str) -> None:
    assert case(ENTRIES[id_], "en" if text.isascii() else "zh", text) is not None


@given(st.sampled_from([(entry, text) for entry, text in CHINESE if re.search("可以|能", text) and not negates(entry)]))
def test_a_negation_is_another_case(wording: tuple[Entry, str]) -> None:
    entry, text = wording
    assert case(entry, "zh", re.sub("(可以|能)", r"不\1", text, count=1)) is not None


@given(st.sampled_from(CHINESE), st.integers(400, 900))
def test_a_number_in_a_measure_that_nobody_speaks_of_is_another_case(wording: tuple[Entry, str], number: int) -> None:
    entry, text = wording
    assert case(entry, "zh", f"{text}{number}斤") is not None


@given(st.sampled_from(CHINESE), st.sampled_from(["洗过了", "拆封了", "顺丰", "实体店", "定金"]))
def test_a_thing_that_the_entry_does_not_speak_of_is_another_case(wording: tuple[Entry, str], thing: str) -> None:
    entry, text = wording
    said = " ".join([*entry.questions["zh"], entry.answers["zh"]])
    if thing[:2] not in said:
        assert case(entry, "zh", f"{thing}{text}") is not None


def test_few_wordings_cover_nothing() -> None:
    entry = ENTRIES["overseas"]
    wordings = [sense_of(text) for text in entry.questions["zh"][: WORDINGS_MIN - 1]]
    assert another_case(sense_of("能寄到新加坡吗"), wordings, sense_of(entry.answers["zh"])) is Gate.LANGUAGE
    assert (
        another_case(sense_of("能寄到新加坡吗"), [sense_of(text) for text in entry.questions["zh"]], sense_of(""))
        is Gate.LANGUAGE
    )
