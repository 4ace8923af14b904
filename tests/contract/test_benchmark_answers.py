"""The benchmark of answers: its questions fit the shop, its scorer sees what is false, and it runs."""

from __future__ import annotations

import json
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks import answers
from benchmarks.answering.claims import claims, dates
from benchmarks.answering.dialogue import Answer, Turn, asked_orders
from benchmarks.answering.judging import judge
from benchmarks.answering.policies import Policies
from benchmarks.answering.questions import BadQuestions, Expect, Question, read_questions
from benchmarks.answering.shop import Customer, Shop
from benchmarks.answering.truth import wrong_facts
from serve_app.demo.shop import make_shop
from tests.graph.front import serving
from tests.packaged import saying

POLICIES = Policies(
    durations=frozenset({("day", 7), ("hour", 48)}), amounts=frozenset({9900}), spans=frozenset({("09:00", "22:00")})
)
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    make_shop(path)
    shop = Shop(path)
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def packaged() -> list[Question]:
    return [question for file in sorted(answers.QUESTIONS.glob("*.jsonl")) for question in read_questions(file)]


# The questions


def test_the_packaged_questions_are_as_many_as_they_should_be(packaged: list[Question]) -> None:
    languages = Counter(question.language for question in packaged)
    tags = Counter(tag for question in packaged for tag in question.tags)
    assert min(languages["zh"], languages["en"]) >= 200
    assert (tags["follow-up"] >= 60, tags["several-orders"] >= 30, tags["mixed"] >= 20) == (True, True, True)


def test_the_packaged_questions_fit_the_shop_that_this_code_makes(packaged: list[Question], shop: Shop) -> None:
    answers.check_orders(packaged, shop, POLICIES)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: a question is a JSON object"),
        ('{"language": "fr", "turns": ["a"]}', "line 2: language"),
        ('{"language": "en", "turns": []}', "line 2: turns"),
        ('{"language": "en", "turns": ["  "]}', "line 2: a turn is empty"),
        ('{"language": "en", "turns": ["a"], "expected": {}}', "line 2: expected"),
        ('{"language": "en", "turns": ["a"], "expect": {"entry": "x", "chat": true}}', "exactly one of"),
        ('{"language": "en", "turns": ["a"], "expect": {"shows": ["mood"]}}', "no field 'mood'"),
        ('{"language": "en", "turns": ["a", "b"], "expect": [null]}', "one item for each turn"),
        ('{"id": "line-1", "language": "en", "turns": ["a"]}', "line 2: the id 'line-1' is that of line 1"),
    ],
)
def test_a_bad_line_names_its_number(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"language": "en", "turns": ["hi"]}\n' + line + "\n")
    with pytest.raises(BadQuestions) as caught:
        read_questions(file)
    assert "line 2" in str(caught.value)
    assert says in str(caught.value)


def test_an_order_of_somebody_else_is_no_expectation(shop: Shop) -> None:
    expect = Expect(order="ZW885788752914", shows=("eta",))
    with pytest.raises(BadQuestions, match="not an order of C1001"):
        answers.check_orders(
            [Question(id="q", language="en", customer="C1001", turns=("eta?",), expect=expect)], shop, POLICIES
        )


# What a text claims


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("共¥1,299.00", "amount", 129900),
        ("CN¥8.00 in all", "amount", 800),
        ("要付12.5元", "amount", 1250),
        ("3-5个工作日", "duration", ("workday", 5)),
        ("within seven days", "duration", ("day", 7)),
        ("七天无理由", "duration", ("day", 7)),
        ("48-hour dispatch", "duration", ("hour", 48)),
        ("您有5213积分", "points", 5213),
        ("5,213 points", "points", 5213),
        ("积分为 5213", "points", 5213),
        ("共有60个订单", "count", ("order", 60)),
        ("two parcels", "count", ("parcel", 2)),
        ("优惠券(2)", "count", ("coupon", 2)),
        ("取件码3-8-4830", "code", "3-8-4830"),
        ("尾号4888的订单", "tail", "4888"),
        ("order ending in 4888", "tail", "4888"),
        ("zw 8877 8006 4888", "order", "ZW887780064888"),
        ("快递SF0839490668828", "tracking", "SF0839490668828"),
    ],
)
def test_claims_are_found(text: str, kind: str, value: object) -> None:
    assert (kind, value) in {(claim.kind, claim.value) for claim in claims(text, TODAY)}


@pytest.mark.parametrize(
    "text", ["后天(11月24日)", "Tue 24 Nov", "Nov 24, 2026", "2026-11-24", "11月24号", "the day after tomorrow"]
)
def test_days_are_found_in_every_form(text: str) -> None:
    assert dates(text, TODAY) == {date(2026, 11, 24)}


def test_a_day_without_a_year_is_the_nearest() -> None:
    assert dates("Tue 5 Jan", TODAY) == {date(2027, 1, 5)}


# What is not true


def customer_of(shop: Shop, customer_id: str) -> Customer:
    customer = shop.customer(customer_id, NOW)
    assert customer is not None
    return customer


def wrong_in(shop: Shop, customer_id: str | None, said: str, answer: Answer, before: Turn | None = None) -> list[str]:
    return wrong_facts(Turn(said, answer, NOW, before), shop.customer(customer_id, NOW), shop, POLICIES)


def template(text: str, **fields: Any) -> Answer:
    return Answer(text=text, source="template", finish_reason="stop", **fields)


# C1001: ZW880634295292 (jeans …, arrives tomorrow), ZW887780064888 (a backpack, ¥400.90, refunding), ZW885553019350.
TRUE_ANSWERS = [
    "您尾号5292的订单（暮色系列牛仔裤 豆沙粉等3件商品）的包裹运输中（圆通速递 YTO Express YT7038265384535）。",
    "您尾号5292的订单预计明天(11月23日)送达。",
    "Your order ending 5292 is in transit (YT7038265384535) and should arrive tomorrow (Mon 23 Nov).",
    "您尾号4888的订单的退款¥400.90正在处理，将退到账户余额。",
    "您是金卡会员，有5213积分，2张优惠券。",
    "Your order ending 5292 (Dusk Jeans, Dusty Pink and 2 more) is in transit.",
    "订单 ZW880634295292 共¥384.35，已发货。签收后7天内可以退货。",
]
FALSE_ANSWERS = [
    ("Your order ending 5292 should arrive on Wed 25 Nov.", "date"),
    ("Your order ending 5292 should arrive on Tue 23 Nov.", "date"),
    ("Your order ending 5292 (YT7038265384536) is in transit.", "tracking"),
    ("您尾号4888的订单的退款¥400.91正在处理。", "amount"),
    ("您尾号5292的订单的退款¥400.90正在处理。", "amount"),
    ("您尾号5292的订单已签收。", "state"),
    ("您尾号4888的订单（暮色系列牛仔裤 豆沙粉）已签收。", "names"),
    ("您尾号4889的订单运输中。", "tail"),
    ("取件码是3-8-4830。", "code"),
    ("您有5214积分。", "points"),
    ("You are a platinum member.", "tier"),
    ("您有3张优惠券。", "count"),
    ("可用优惠券3张。", "count"),
    ("尾号5292的订单（暮色系列牛仔裤 豆沙粉等4件商品）运输中。", "count"),
    ("Your order ending 5292 (Dusk Jeans, Dusty Pink and 3 more) is in transit.", "count"),
    ("尾号5292的订单预计明天(11月21日)送达。", "date"),
    ("您共有4个订单。", "count"),
    ("订单ZW885788752914运输中。", "order ZW885788752914"),
    ("包裹由中通快递 ZTO Express派送。", "names"),
    ("30天内可以退货。", "duration"),
]


@pytest.mark.parametrize("text", TRUE_ANSWERS)
def test_what_is_true_is_no_wrong_fact(shop: Shop, text: str) -> None:
    assert wrong_in(shop, "C1001", "我的订单", template(text)) == []


@pytest.mark.parametrize(("text", "what"), FALSE_ANSWERS)
def test_what_is_false_is_a_wrong_fact(shop: Shop, text: str, what: str) -> None:
    assert any(what in wrong for wrong in wrong_in(shop, "C1001", "我的订单", template(text)))


def test_a_true_answer_about_another_order_than_asked_is_a_wrong_fact(shop: Shop) -> None:
    answer = template("您尾号5292的订单运输中。")
    assert wrong_in(shop, "C1001", "ZW887780064888到哪了", answer)
    assert wrong_in(shop, "C1001", "双肩包到哪了", answer)
    assert not wrong_in(shop, "C1001", "牛仔裤到哪了", answer)


def test_a_strange_number_may_be_repeated_but_nothing_told_of_it(shop: Shop) -> None:
    said = "ZW885788752914到哪了"
    assert not wrong_in(shop, "C1001", said, template("您的账户里没有找到订单ZW885788752914。"))
    assert wrong_in(shop, "C1001", said, template("订单", cards=({"type": "order", "data": {"id": "ZW885788752914"}},)))
    assert wrong_in(shop, "C1001", said, template("您尾号5292的订单运输中。"))


def test_policy_figures_must_be_published(shop: Shop) -> None:
    entry = Answer("签收后7天内可退，满¥99.00包邮，客服09:00-22:00。", source="faq", citations=("return-policy",))
    assert wrong_in(shop, "C1001", "怎么退货", entry) == []
    for false in ("签收后8天内可退。", "满¥100.00包邮。", "客服09:00-23:00。", "您的订单ZW880634295292。"):
        assert wrong_in(shop, "C1001", "怎么退货", replace(entry, text=false)), false


def test_nobody_who_is_not_signed_in_is_told_anything_of_a_customer(shop: Shop) -> None:
    assert wrong_in(shop, None, "我的快递", template("您尾号5292的订单运输中，明天送达。"))
    assert not wrong_in(shop, None, "我的快递", template("请先登录后再问我。"))


def test_cards_and_choices_are_checked_too(shop: Shop) -> None:
    parcel = {
        "tracking_no": "YT7038265384535",
        "state": "in_transit",
        "order_id": "ZW880634295292",
        "estimated_date": "2026-11-23",
    }
    assert not wrong_in(shop, "C1001", "快递", template("运输中。", cards=({"type": "parcel", "data": parcel},)))
    for false in ({"state": "lost"}, {"estimated_date": "2026-11-29"}, {"tracking_no": "YT7038265384534"}):
        assert wrong_in(shop, "C1001", "快递", template("运输中。", cards=({"type": "parcel", "data": parcel | false},)))
    assert wrong_in(shop, "C1001", "快递", template("哪一个?", choices=(("ZW885788752914", "尾号2914"),)))


def test_an_ordinal_means_what_was_offered_before(shop: Shop) -> None:
    offered = template("哪一个?", choices=(("ZW887780064888", "…"), ("ZW880634295292", "…")))
    before = Turn("我的订单", offered, NOW)
    customer = customer_of(shop, "C1001")
    for said, order_id in (("第二个", "ZW880634295292"), ("the first one", "ZW887780064888"), ("最后一个", "ZW880634295292")):
        assert asked_orders(Turn(said, template(""), NOW, before), customer, shop) == {order_id}
    assert wrong_in(shop, "C1001", "第二个", template("您尾号4888的订单已签收。"), before)


# How a question ends


def ending(shop: Shop, customer_id: str | None, answer: Answer, language: str = "zh", **expect: Any) -> str:
    return judge(Turn("我的问题", answer, NOW), Expect.model_validate(expect), language, shop.customer(customer_id, NOW)).ending


def test_an_entry_must_be_the_right_one(shop: Shop) -> None:
    answer = template("运费由您承担。", citations=("return-freight",))
    assert ending(shop, None, answer, entry="return-freight") == "correct"
    assert ending(shop, None, answer, entry=["exchange-policy", "return-freight"]) == "correct"
    assert ending(shop, None, answer, entry="return-policy") == "wrong"
    assert ending(shop, None, answer, "en", entry="return-freight") == "wrong"
    assert ending(shop, None, answer, any=[{"handed_over": True}, {"entry": "return-freight"}]) == "correct"


def test_suggestions_and_hand_overs_are_no_answers(shop: Shop) -> None:
    offered = template("您是不是想问:", suggestions=(("return-freight", "退货运费谁出"),))
    verdict = judge(Turn("?", offered, NOW), Expect(entry="return-freight"), "zh", None)
    assert (verdict.ending, verdict.has_right) == ("suggested", True)
    called = replace(template("转接人工客服。"), finish_reason="handoff")
    assert ending(shop, None, called, entry="return-freight") == "handed_over"
    assert ending(shop, None, called, handed_over=True) == "correct"


@pytest.mark.parametrize(
    ("text", "shows", "ends"),
    [
        ("您尾号5292的订单运输中，预计明天送达。", ["eta", "parcel_state"], "correct"),
        ("您尾号5292的订单运输中。", ["eta"], "wrong"),
        ("您尾号5292的订单已签收。", ["parcel_state"], "wrong"),
        ("您尾号4888的订单运输中。", ["parcel_state"], "wrong"),
        ("您尾号5292的订单共¥384.35。", ["total"], "correct"),
        ("您尾号5292的订单由圆通速递承运。", ["carrier"], "correct"),
        ("您尾号5292的订单已付款。", ["payment"], "correct"),
        ("您尾号5292的订单还没有付款。", ["payment"], "wrong"),
    ],
)
def test_fields_are_told_or_they_are_not(shop: Shop, text: str, shows: list[str], ends: str) -> None:
    assert ending(shop, "C1001", template(text), order="ZW880634295292", shows=shows) == ends


def test_other_right_answers(shop: Shop) -> None:
    assert ending(shop, "C1001", template("您有5213积分。"), shows=["points"]) == "correct"
    assert ending(shop, "C1003", template("您还没有订单。"), none="order") == "correct"
    assert ending(shop, "C1003", template("您的账户里没有找到这个订单。"), not_found=True) == "correct"
    assert ending(shop, None, template("请先登录。"), sign_in=True) == "correct"
    choice = template("哪一个?", choices=(("ZW883323817989", ""), ("ZW880489772186", ""), ("ZW887567138224", "")))
    assert ending(shop, "C1005", choice, choices=["ZW880489772186", "ZW883323817989"]) == "correct"
    assert ending(shop, "C1005", choice, order="ZW880489772186", shows=["pickup_code"]) == "suggested"
    assert ending(shop, "C1001", replace(template("Sure!"), source="model"), "en", refused=True) == "wrong"


# The whole of it


async def test_it_asks_a_running_installation_and_says_what_came_of_it(
    tmp_path: Path, valkey_url: str, packaged_model: Path
) -> None:
    file = tmp_path / "own.jsonl"
    lines: list[dict[str, Any]] = [
        {"id": "hello", "language": "en", "turns": ["hello"], "expect": {"entry": "greeting"}},
        {"id": "anonymous", "language": "en", "turns": ["Where is my parcel?"], "expect": {"sign_in": True}},
        {
            "id": "own",
            "language": "en",
            "customer": "C1002",
            "turns": ["Where is my parcel?"],
            "expect": {"order": "ZW885788752914", "shows": ["parcel_state"]},
        },
        {
            "id": "hopeless",
            "language": "en",
            "turns": ["Where is my parcel?"],
            "expect": {"entry": "repair"},
            "tags": ["policy"],
        },
        {"id": "unjudged", "language": "zh", "customer": "C1005", "turns": ["我的快递到哪了", {"tap": 1}]},
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    failures = tmp_path / "failures.jsonl"
    async with serving(tmp_path / "home", valkey_url, packaged_model, saying()) as front:
        options = Namespace(url=front.url, key=front.key, data_dir=tmp_path / "home", failures=failures)
        result = await answers.run(options, read_questions(file))
    assert (result["n"], result["correct"], result["wrong"], result["not_judged"], result["wrong_fact"]) == (5, 3, 1, 1, 0)
    assert result["languages"]["en"]["correct"] == 3
    assert [json.loads(line)["id"] for line in failures.read_text().splitlines()] == ["hopeless"]


def test_days_hang_on_the_day_of_the_question(shop: Shop) -> None:
    later = Turn("快递", template("预计明天(11月24日)送达。"), NOW + timedelta(days=1))
    assert wrong_facts(later, shop.customer("C1002", later.at), shop, POLICIES) != []
