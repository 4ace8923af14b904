"""What a question names."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.normalise import clean
from serve_app.domain.question import Entities
from serve_app.domain.understanding.entities import entities_in
from serve_app.domain.understanding.numerals import number_of

TODAY = date(2026, 11, 24)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ZW202611220001到哪了", Entities(order_ids=("ZW202611220001",))),
        ("zw 2026 1122 0001", Entities(order_ids=("ZW202611220001",))),
        ("订单1234567890怎么样了", Entities(order_ids=("1234567890",))),
        ("我的手机13812345678", Entities()),
        ("订单号13812345678", Entities(order_ids=("13812345678",))),
        ("ZW202611220001和ZW202611220002", Entities(order_ids=("ZW202611220001", "ZW202611220002"))),
        ("尾号1234", Entities(order_tails=("1234",))),
        ("尾号一二三四那个", Entities(order_tails=("1234",))),
        ("后四位是1234", Entities(order_tails=("1234",))),
        ("the order ending in 1234", Entities(order_tails=("1234",))),
        ("last four digits are 1234", Entities(order_tails=("1234",))),
        ("1234", Entities(order_tails=("1234",))),
        ("SF1234567890123到哪了", Entities(tracking_nos=("SF1234567890123",))),
        ("快递单号1234567890123", Entities(tracking_nos=("1234567890123",))),
        ("1Z999AA10123456784", Entities(tracking_nos=("1Z999AA10123456784",))),
        ("sku-00001 有货吗", Entities(sku_ids=("SKU-00001",))),
    ],
)
def test_names(text: str, expected: Entities):
    assert entities_in(clean(text), TODAY) == expected


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("¥1,299.00", 129900),
        ("￥99", 9900),
        ("99元", 9900),
        ("99块", 9900),
        ("99块5", 9950),
        ("九块五", 950),
        ("三百元", 30000),
        ("一万二千元", 1200000),
        ("1.2万元", 1200000),
        ("$12.50", 1250),
        ("12 dollars", 1200),
    ],
)
def test_amounts(text: str, minor: int):
    assert entities_in(clean(text), TODAY).amounts_minor == (minor,)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("今天", date(2026, 11, 24)),
        ("昨天买的", date(2026, 11, 23)),
        ("明天能到吗", date(2026, 11, 25)),
        ("后天", date(2026, 11, 26)),
        ("11月24日", date(2026, 11, 24)),
        ("十二月三号", date(2026, 12, 3)),
        ("1月2日", date(2027, 1, 2)),
        ("2026-11-20", date(2026, 11, 20)),
        ("2026年11月20日", date(2026, 11, 20)),
        ("20号", date(2026, 11, 20)),
        ("Nov 22", date(2026, 11, 22)),
        ("on the 24th of November", date(2026, 11, 24)),
        ("yesterday", date(2026, 11, 23)),
        ("the day after tomorrow", date(2026, 11, 26)),
        ("next Monday", date(2026, 11, 30)),
        ("last Friday", date(2026, 11, 20)),
        ("下周一", date(2026, 11, 30)),
        ("上周五", date(2026, 11, 20)),
        ("周二", date(2026, 11, 24)),
        ("3天前", date(2026, 11, 21)),
        ("2 days ago", date(2026, 11, 22)),
    ],
)
def test_dates(text: str, day: date):
    assert entities_in(clean(text), TODAY).dates == (day,)


@pytest.mark.parametrize("text", ["24/7", "2号楼", "2月30日", "money", "二手", "13月1日", "market 5"])
def test_what_is_no_date(text: str):
    assert entities_in(clean(text), TODAY).dates == ()


@pytest.mark.parametrize(
    ("text", "ordinal"),
    [
        ("第二个", 2),
        ("第 3 单", 3),
        ("最后一个", -1),
        ("倒数第二个", -2),
        ("上面那个", 1),
        ("2", 2),
        ("二", 2),
        ("#2", 2),
        ("the second one", 2),
        ("last one", -1),
        ("option 3", 3),
        ("第二天", None),
        ("第一次", None),
        ("第三方", None),
        ("a second hand phone", None),
    ],
)
def test_ordinals(text: str, ordinal: int | None):
    assert entities_in(clean(text), TODAY).ordinal == ordinal


@pytest.mark.parametrize(
    ("text", "number"), [("十", 10), ("十二", 12), ("二十", 20), ("一百零五", 105), ("两千", 2000), ("一万二千", 12000)]
)
def test_chinese_numerals(text: str, number: int):
    assert number_of(text) == number


@given(st.text(max_size=60), st.dates(min_value=date(1970, 1, 1), max_value=date(2200, 1, 1)))
def test_no_text_is_too_strange(text: str, today: date):
    entities_in(clean(text), today)
