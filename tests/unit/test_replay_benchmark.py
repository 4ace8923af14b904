"""The parts of `benchmarks.cache_replay` that say what is right: canaries, the day's truth, the endless cache."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.replay.canaries import (
    CUSTOMERS_MAX,
    customers_canary,
    customers_in,
    customers_order_id,
    customers_points,
    questions_canary,
    quoted,
    sources_canary,
    sources_in,
)
from benchmarks.replay.driving import shown_of
from benchmarks.replay.engine import Parrot
from benchmarks.replay.judging import GRACE, Answer, Judge
from benchmarks.replay.processes import DayClock, Process
from benchmarks.replay.publications import (
    BEFORE_CAMPAIGN,
    BEGINS,
    CAMPAIGN,
    MIDNIGHT,
    NOON,
    WITHDRAWN,
    Truth,
    afternoon,
    morning,
    truth,
)
from benchmarks.replay.questions import Question, Zipf, make_pools
from benchmarks.replay.rewriting import rewritten
from benchmarks.replay.shop import make_shop
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.answering.course import Course
from serve_app.domain.generation import Generate, Sampling, Tokens
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Ask, Card, Choices, Delta, Done, Kind, Option, Tier
from serve_app.domain.normalise import canonical_form
from serve_app.domain.publication import filled
from serve_app.domain.question import Entities, Understanding

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def true() -> Truth:
    return truth()


@given(st.integers(0, 159_999), st.text(max_size=20), st.text(max_size=20))
def test_a_customers_canary_is_found_wherever_it_stands(number: int, before: str, after: str) -> None:
    assert number in customers_in(f"{before} {customers_canary(number)} {after}")


def test_a_customers_canary_is_found_between_chinese_words() -> None:
    assert customers_in(f"由顺丰 {customers_canary(7)}承运，{customers_canary(8)}的驿站") == {7, 8}


def test_a_customer_is_known_by_his_orders_and_points_as_well() -> None:
    order, points = customers_order_id(12, 3), customers_points(CUSTOMERS_MAX)
    assert customers_in(f"订单{order}已发货") == customers_in(f"{order}-1") == {12}
    assert customers_in(f"您尾号{order[-4:]}的订单") == customers_in(f"Your order ending {order[-4:]} (shoes)") == {12}
    assert customers_in(f"当前积分{points}。") == {CUSTOMERS_MAX}
    assert customers_in("ZW8812345, 129900, 900000, SF900000345123, 1234") == set()


def test_what_is_quoted_holds_every_canary_once_and_nothing_else() -> None:
    text = f"a {customers_canary(7)}, b {sources_canary('return-policy', 'a')} c {customers_canary(7)}"
    assert quoted(text).split() == ["[[return-policy.a]]", customers_canary(7)]
    assert sources_in(quoted(text)) == {("return-policy", "a")}


def test_every_customer_has_facts_with_his_canary_and_with_no_one_elses(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    assert len(make_shop(path, 30)) == 30
    with sqlite3.connect(path) as shop:
        names = dict(shop.execute("SELECT id, name FROM customers").fetchall())
        addresses = shop.execute("SELECT customer_id, address FROM orders").fetchall()
        orders = dict(shop.execute("SELECT id, customer_id FROM orders").fetchall())
        lines = shop.execute("SELECT id, order_id FROM order_lines").fetchall()
        points = dict(shop.execute("SELECT id, points FROM customers").fetchall())
    assert {customer: customers_in(name) for customer, name in names.items()} == {f"C{1000 + n}": {n} for n in range(1, 31)}
    assert all(customers_in(address) == {int(customer[1:]) - 1000} for customer, address in addresses)
    assert all(customers_in(order) == {int(customer[1:]) - 1000} for order, customer in orders.items())
    assert all(line.startswith(order) and order in orders for line, order in lines)
    assert all(customers_in(str(had)) == {int(customer[1:]) - 1000} for customer, had in points.items())


def test_the_day_can_be_published_and_changes_at_noon_what_it_says(true: Truth) -> None:
    before, after = filled(morning()), filled(afternoon())
    assert {entry.id for entry in before.entries} - {entry.id for entry in after.entries} == {WITHDRAWN}
    said = {entry.id: entry.answers["en"] for entry in after.entries}
    assert "10 days" in said["return-policy"]
    assert sources_in(said["return-policy"]) == {("return-policy", "b")}
    for publication, at in ((before, MIDNIGHT - timedelta(hours=1)), (before, MIDNIGHT), (after, NOON)):
        for entry in publication.entries:
            for words in sources_in(entry.answers["zh"]) if entry.is_valid(at) else ():
                assert not true.is_stale(words, at, GRACE)


def test_words_are_stale_a_second_after_they_ended_and_until_they_begin(true: Truth) -> None:
    old, new, withdrawn = ("return-policy", "a"), ("return-policy", "b"), (WITHDRAWN, "a")
    assert not true.is_stale(old, NOON + SECOND, GRACE)
    assert true.is_stale(old, NOON + SECOND * 1.001, GRACE)
    assert true.is_stale(withdrawn, NOON + 2 * SECOND, GRACE)
    assert true.is_stale(new, NOON - SECOND, GRACE)
    assert true.is_stale((CAMPAIGN, "a"), MIDNIGHT - SECOND, GRACE)
    assert true.is_stale((BEFORE_CAMPAIGN, "a"), MIDNIGHT + 2 * SECOND, GRACE)
    assert true.is_stale(("unheard-of", "a"), NOON, GRACE)


def test_a_question_of_the_campaign_changes_its_owner_at_midnight(true: Truth) -> None:
    form = canonical_form("双十二有什么活动")
    assert true.owner(form, MIDNIGHT - SECOND) == BEFORE_CAMPAIGN
    assert true.owner(form, MIDNIGHT) == CAMPAIGN
    assert true.owner(canonical_form("no such question"), NOON) is None


def test_other_dress_keeps_every_word() -> None:
    rng = Random(1)
    dressed = {rewritten("运费怎么算", "zh", rng) for _ in range(200)}
    assert len(dressed) > 50
    assert all("运费怎么算" in text or "運費怎麼算" in text for text in dressed)


def test_the_second_of_a_ranking_is_asked_as_often_as_its_rank_says() -> None:
    rng, pool = Random(2), Zipf([Question(str(rank), "en", "head") for rank in range(3)])
    drawn = [pool.draw(rng).text for _ in range(20_000)]
    assert drawn.count("1") / drawn.count("0") == pytest.approx(2**-0.9, rel=0.06)


def test_of_the_campaign_both_wordings_and_details_of_it_are_asked(true: Truth) -> None:
    pools = make_pools(morning().entries, true, lambda _: KEY)
    for zipf in pools.campaign.values():
        assert {question.sort for question in zipf.questions[:4]} == {"head", "open"}


# The judge

KEY = Understanding("q", "en", False, Intent.OTHER, 1.0, Entities(), Kind.PUBLIC, "q")


def answered(
    at: datetime, tier: Tier, *, shown: str = "", sources: Sequence[str] = ("warranty",), customer: int | None = None
) -> Answer:
    question = Question("a question in no wording", "en", "open")
    source = {"model": "model", "none": "template"}.get(tier, "cache")
    return Answer(question, at, customer, tier, source, Kind.PUBLIC, "stop", shown, tuple(sources))


def judged(true: Truth, *answers: Answer) -> Judge:
    judge = Judge(true, lambda _: KEY)
    for answer in answers:
        judge.hear(answer)
    return judge


MORNING = NOON - timedelta(hours=2)


def test_an_endless_cache_answers_what_was_asked_before(true: Truth) -> None:
    judge = judged(
        true,
        answered(MORNING, "model"),
        answered(MORNING + SECOND, "model"),  # still being generated: an endless cache without delay would have it
        answered(MORNING + 5 * SECOND, "redis"),
    )
    assert judge.endless() == {"asked": 3, "could": 2, "hits": 1}


def test_an_endless_cache_forgets_what_a_publication_changed_and_nothing_else(true: Truth) -> None:
    changed = judged(true, answered(MORNING, "model", sources=["return-policy"]), answered(NOON + SECOND, "model"))
    kept = judged(true, answered(MORNING, "model"), answered(NOON + SECOND, "model"))
    assert (changed.endless()["could"], kept.endless()["could"]) == (0, 1)


def test_what_nobody_answered_could_not_be_kept(true: Truth) -> None:
    assert judged(true, answered(MORNING, "none", sources=()), answered(MORNING + SECOND, "model")).endless()["could"] == 0


def test_another_customers_canary_is_a_leak_and_ones_own_is_none(true: Truth) -> None:
    mine, others = customers_canary(3), customers_canary(4)
    answers = [
        answered(MORNING, "template", shown=text, customer=customer)
        for text, customer in ((mine, 3), (others, 3), (mine, None))
    ]
    assert len(judged(true, *answers).leaks) == 2


def test_old_words_are_a_stale_answer(true: Truth) -> None:
    old = sources_canary("return-policy", "a")
    judge = judged(true, answered(NOON - SECOND, "memory", shown=old), answered(NOON + 2 * SECOND, "memory", shown=old))
    assert [answer.asked_at for answer in judge.stale] == [NOON + 2 * SECOND]


def test_what_a_customer_found_wrong_is_not_given_again_a_second_later_and_an_endless_cache_has_it_no_more(true: Truth) -> None:
    first = answered(MORNING, "model", shown=questions_canary("q"))
    judge = judged(true, first)
    assert judge.may_complain(first)
    judge.complain(first, MORNING + 2 * SECOND)
    assert not judge.may_complain(first)
    for seconds in (2.5, 3.5):
        judge.hear(answered(MORNING + seconds * SECOND, "redis", shown=questions_canary("q")))
    judge.hear(answered(MORNING + 4 * SECOND, "model", shown=questions_canary("q")))
    assert [answer.asked_at for answer in judge.set_aside] == [MORNING + 3.5 * SECOND]
    assert judge.endless()["could"] == 0


def test_only_a_models_answer_that_others_could_get_is_complained_of(true: Truth) -> None:
    made = questions_canary("q")
    answers = [
        answered(MORNING, "model", shown=made),
        answered(MORNING, "none", shown=made),
        answered(MORNING, "model", shown=made, sources=()),
    ]
    assert [judged(true).may_complain(answer) for answer in answers] == [True, False, False]


def test_words_that_were_said_to_another_question_are_found(true: Truth) -> None:
    told = judged(
        true,
        answered(MORNING, "memory", shown=questions_canary("q")),
        answered(MORNING, "memory", shown=questions_canary("another")),
    ).told()
    assert told["answers_of_other_questions"] == 1


def test_everything_that_is_shown_is_searched() -> None:
    card = Card("parcel", {"events": [{"text": f"已揽收 {customers_canary(5)}"}], "carrier": "a"})
    choices = Choices("Which?", (Option(customers_order_id(6, 0), "shoes"),))
    shown = shown_of([Delta("half of "), Delta("a sentence"), card, choices, Done("stop")])
    assert "half of a sentence" in shown
    assert customers_in(shown) == {5, 6}


def test_a_hit_of_the_head_counts_where_it_is_the_right_entrys(true: Truth) -> None:
    question = Question("How long is the warranty?", "en", "head", "warranty")
    given: list[tuple[Tier, str]] = [("memory", "warranty"), ("memory", "repair"), ("model", "warranty")]
    answers = [Answer(question, MORNING, None, tier, "faq", Kind.PUBLIC, "stop", "", (cited,)) for tier, cited in given]
    told = judged(true, *answers).told()
    assert (told["head_hit_rate"], told["head_wrong"], told["head_questions"]) == (0.3333, 1, 3)


# The processes' heartbeats


class Beats:
    def __init__(self) -> None:
        self.clock = DayClock()
        self.at: list[datetime] = []
        self.process = Process(cast("Course", None), self.no_complaint, self.beat, self.clock, phase_s=0.125)

    async def no_complaint(self, ask: Ask, answer_id: str) -> None:
        raise AssertionError

    async def beat(self) -> None:
        self.at.append(self.clock.now())


async def test_a_process_sees_news_at_its_first_heartbeat_after_them() -> None:
    beats = Beats()
    beats.process.news(10.0)
    for seconds in (9.9, 10.1):
        await beats.process.reach(seconds)
    assert beats.at == []
    await beats.process.reach(17.0)
    assert beats.at == [BEGINS + timedelta(seconds=10.125)]
    assert beats.clock.now() == BEGINS + timedelta(seconds=17)
    await beats.process.reach(18.0)
    assert len(beats.at) == 1


async def test_a_process_beats_once_in_ten_minutes_without_news() -> None:
    beats = Beats()
    for seconds in range(0, 3000, 70):
        await beats.process.reach(float(seconds))
    assert 4 <= len(beats.at) <= 5


# The fake model


async def said_by_the_parrot(parrot: Parrot, prompt: list[int], tokenizer: HfTokenizer) -> str:
    request = Generate("r1", prompt, Sampling(), "ses_1", "demo", 30.0)
    pieces = [piece async for piece in parrot.generate(request)]
    return "".join(tokenizer.decode(piece.token_ids) for piece in pieces if isinstance(piece, Tokens))


async def test_the_fake_model_repeats_what_a_turn_appends_and_looks_at_the_rest(packaged_model: Path) -> None:
    tokenizer = HfTokenizer.load(packaged_model)
    old, new, other = sources_canary("old", "a"), sources_canary("new", "a"), customers_canary(4)
    parrot = Parrot(tokenizer, {"ses_1": 3}.get, lambda said: said[0] == "old")

    def message(role: str, text: str) -> list[int]:
        return tokenizer.encode(f"<|im_start|>{role}\n{text}<|im_end|>\n")

    past = [*message("user", "q"), *message("assistant", f"{old} {other}")]
    asked = [*message("user", f"{new} {customers_canary(3)}"), *tokenizer.encode("<|im_start|>assistant\n")]
    said = await said_by_the_parrot(parrot, [*message("system", "rules"), *past, *asked], tokenizer)
    assert (sources_in(said), customers_in(said)) == ({("new", "a")}, {3})
    assert (parrot.outdated_pasts, parrot.leaking_prompts, parrot.stale_prompts) == (1, 1, 0)
    await said_by_the_parrot(parrot, [*message("system", old), *asked], tokenizer)
    assert (parrot.outdated_pasts, parrot.leaking_prompts, parrot.stale_prompts) == (1, 1, 1)
