"""The guard lets through what stands in its sources, by meaning, and nothing else that is a figure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.guard import FigureGuard

FACTS = (
    "Order ZW202611220001: shipped; placed 2026-11-20 14:20; total ¥1,299.00; tail 0001; SKU-00017 × 2; "
    "expected 2026-11-24; return within 7天; 满200元 8折; 09:00-22:00; phone 138****1234; 5% back; 3 to 5 days; 1.2万; 24小时"
)


def said(text: str, allowed: str = FACTS, cuts: tuple[int, ...] = (), today: date | None = None) -> tuple[str, bool]:
    guard = FigureGuard([allowed], today)
    shown = ""
    for begin, end in zip((0, *cuts), (*cuts, len(text)), strict=True):
        step = guard.feed(text[begin:end])
        shown += step.text
        if step.tripped:
            return shown, True
    step = guard.end()
    return shown + step.text, step.tripped


@pytest.mark.parametrize(
    "text",
    [
        "您的订单 ZW202611220001 预计 11月24日 送达。",
        "It arrives on Nov 24.",
        "It arrives on 24 November 2026, at 2:20 pm.",
        "It arrives on the 24th of Nov.",
        "预计二〇二六年十一月二十四日到",
        "24号到",
        "一共 1299 元",
        "合计￥1299",
        "共１２９９元",
        "一千二百九十九元",
        "七天无理由退货",
        "within seven days",
        "满两百元打八折",
        "two hundred yuan",
        "营业时间 9:00 到 22点",
        "百分之五",
        "12,000",
        "一万二千",
        "二十四小时内",
        "order ending in 0001",
        "SKU-00017",
    ],
)
def test_what_is_known_may_be_said_in_other_words(text: str) -> None:
    assert said(text) == (text, False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("You have 30 days.", "You have "),
        ("You have thirty days.", "You have "),
        ("退货期是三十天", "退货期是"),
        ("退货期是30天", "退货期是"),
        ("ZW202611220002", "ZW"),
        ("It arrives on Nov 25.", "It arrives on "),
        ("11月25日到", ""),
        ("2026-11-25", ""),
        ("2025年11月24日", ""),
        ("at 3:20 pm", "at "),
        ("只要¥99。", "只要"),
        ("只要 $ 99", "只要 "),
        ("一个月内", ""),
        ("It takes one business day", "It takes "),
        ("half price", ""),
        ("现在半价", "现在"),
        ("百分之三十", ""),
        ("7万元", ""),
        ("7k", ""),
        ("seven million", ""),
        ("０３天", ""),
        ("①②③④⑥", "①②③④"),
        ("Ⅸ", ""),
        ("½ off", ""),
        ("tail 001", "tail "),
        ("20日内", ""),
        ("1.3%", ""),
    ],
)
def test_what_is_not_known_is_stopped_before_it_begins(text: str, shown: str) -> None:
    assert said(text) == (shown, True)


@pytest.mark.parametrize(
    "text",
    [
        "请稍等一下,我看一些资料,一个问题一般十分简单,万一不行,第一时间联系,改天再说,千万别急。",
        "这两个都可以,第三方支付也可以。有三点要注意。",
        "One of our staff will help; no one is left alone. May I ask? We march on.",
        "How can I help you today? 今天过得怎么样?今天天气真好。Today is lovely.",
        "First, wait a second. Often, tenants weigh it.",
        "你好!Hello! Thanks, and goodbye.",
    ],
)
def test_what_is_no_figure_passes(text: str) -> None:
    assert said(text, "") == (text, False)


@pytest.mark.parametrize(
    "text",
    [
        "It arrives tomorrow.", "It comes on Monday", "明天送达", "周三前到", "It takes a week", "It comes in March",
        "next month", "a couple of days", "within the hour", "by today", "It arrives later today", "今天送达", "今天就到",
        "将于今天送到", "Today it is delivered", "下周一", "三月份", "几天内", "the day after tomorrow", "下个月", "last week",
        "on Tue",
    ],
)  # fmt: skip
def test_a_day_or_span_in_words_that_nobody_told_is_stopped(text: str) -> None:
    assert said(text, "")[1]
    assert said(text, text) == (text, False)
    assert said(text, text, tuple(range(1, len(text)))) == (text, False)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("It arrives tomorrow.", True),  # 2026-11-24
        ("明天送达", True),
        ("周二送达", True),
        ("It comes on Tuesday", True),
        ("下周二送达", False),
        ("后天送达", False),
        ("It comes on Monday", False),
        ("It arrives today", False),
    ],
)
def test_a_relative_day_passes_where_its_date_is_told(text: str, passes: bool) -> None:
    monday = date(2026, 11, 23)
    assert said(text, "expected 2026-11-24", today=monday)[1] is not passes
    assert said(text, "expected 2026-11-24")[1]


def test_days_compare_by_meaning_in_both_languages() -> None:
    assert said("明天到,周三退", "tomorrow; on Wednesday") == ("明天到,周三退", False)


def test_a_list_may_be_counted_but_nothing_else_in_its_place() -> None:
    numbered = "Do this:\n1. Open the order\n2) Tap return\n**3.** Wait"
    assert said(numbered, "") == (numbered, False)
    assert said("1、打开\n2、点击", "") == ("1、打开\n2、点击", False)
    assert said("5. Open", "") == ("", True)
    assert said("1. Open\n3. Tap", "") == ("1. Open\n", True)
    assert said("1. Open 2. Tap", "") == ("1. Open ", True)
    assert said("1.5 kg", "") == ("", True)


def test_only_a_tail_that_may_be_a_figure_is_held_back() -> None:
    guard = FigureGuard([FACTS])
    assert guard.feed("Hello the").text == "Hello the"
    assert guard.feed("re, it takes s").text == "re, it takes "
    assert guard.feed("even").text == ""
    assert guard.feed(" of them").text == "seven of them"
    assert guard.feed("。退货期是七").text == "。退货期是"
    assert guard.feed("天,").text == "七天,"


def test_nothing_comes_after_the_stop() -> None:
    guard = FigureGuard([])
    assert guard.feed("in 9 days").tripped
    assert guard.feed(" or more") == guard.end()
    assert guard.end().text == ""


_PIECES = """
1 7 24 2026 0 001 , . / - : ¥ % １ ２ * ( ) 、 ① ½ Ⅷ
年 月 日 号 点 半 分 一 二 十 百 万 两 三 第 周 个 天 小时 元 折 百分之 内 的 好 这 晚上
one two twenty hundred million and half business days the Nov May of th st k am pm a
今天 明 周三 下周 到 送达 今日 后天 几天 月 今
today arrives by tomorrow Monday next week in March couple few is delivered tonight
"""
pieces = st.one_of(
    st.sampled_from([*_PIECES.split(), " ", "\n", "\u200b", "\x00"]),
    st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs",)),
)
sentences = st.lists(pieces, max_size=14).map("".join)


@given(text=sentences, allowed=sentences, data=st.data())
def test_how_it_is_cut_makes_no_difference(text: str, allowed: str, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=6).map(lambda found: tuple(sorted(found))))
    assert said(text, allowed, cuts) == said(text, allowed)
    assert said(text, allowed, tuple(range(1, len(text)))) == said(text, allowed)


@given(text=sentences)
def test_no_digit_passes_that_nobody_told(text: str) -> None:
    shown, _ = said(text, "")
    without_counters = re.sub(r"(?<=\n)[ \t*#>(（\-]{0,6}\d[.)）、]|[①-⑨〇]", "", "\n" + shown)
    assert not [c for c in without_counters if unicodedata.category(c) in ("Nd", "No", "Nl")]


@given(text=sentences)
def test_a_text_may_say_what_it_says_itself(text: str) -> None:
    shown, tripped = said(text, text)
    counters = re.search(r"(?:^|\n)[ \t*#>(（\-]*\d[.)）、]|[①-⑨]", text)
    assert (shown, tripped) == (text, False) or counters


@given(text=sentences, allowed=sentences)
def test_what_is_shown_is_how_the_text_begins(text: str, allowed: str) -> None:
    shown, tripped = said(text, allowed)
    assert text.startswith(shown)
    assert tripped or shown == text
