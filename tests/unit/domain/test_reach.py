"""Published questions that their entries will never answer are told."""

from __future__ import annotations

from datetime import date

import pytest

from serve_app.adapters.language import FastTextDetector
from serve_app.adapters.linear_classifier import LinearClassifier, load_utterances
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry
from serve_app.domain.question import Focus, Understanding
from serve_app.domain.reach import READ_MAX, unreached
from serve_app.domain.understanding import Understander


@pytest.fixture(scope="module")
def understander() -> Understander:
    return Understander(LinearClassifier.train(load_utterances()).classify, FastTextDetector().detect)


def entry(*questions: str, intent: Intent = Intent.OTHER) -> Entry:
    return Entry("faq", 1, intent, {"zh": questions}, {"zh": "答"})


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("我的快递到哪了", "the customer's own things (parcel)"),
        ("Where is my parcel?", "the customer's own things (parcel)"),
        ("帮我取消订单", "something to be done (cancel_order)"),
        ("转人工", "the wish for a person"),
        ("那运费呢", "what was said before it"),
        ("この商品はいつ届きますか", "neither Chinese nor English"),
        ("你好", "the entry of the intent greeting"),
        ("刻字" * 150, "too long"),
    ],
)
def test_what_leads_elsewhere_is_told(question: str, why: str, understander: Understander) -> None:
    (told,) = unreached([entry(question)], lambda text: understander.understand(text, Focus(), date(2026, 11, 22)))
    verb = "answers everybody's" if "(parcel)" in why else "will not answer"
    assert told.startswith(f"faq {verb} {question!r}: it is ")
    assert why in told


def test_what_answers_is_not_told(understander: Understander) -> None:
    def understand(text: str) -> Understanding:
        return understander.understand(text, Focus(), date(2026, 11, 22))

    assert (
        list(unreached([entry("可以刻字吗", "你们每年办帽子派对吗"), entry("你好", intent=Intent.GREETING)], understand)) == []
    )
    assert list(unreached(demo_knowledge().entries[:20], understand)) == []


def test_only_so_many_are_read(understander: Understander) -> None:
    def understand(text: str) -> Understanding:
        return understander.understand("可以刻字吗", Focus(), date(2026, 11, 22))

    (told,) = unreached([entry(*(f"问{number}" for number in range(READ_MAX + 1)))], understand)
    assert told == "of 1,001 changed questions, only the first 1,000 were read as a customer's"
