"""What is remembered of an understanding is what reading the question anew would give."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from serve_app.adapters.language import FastTextDetector
from serve_app.adapters.linear_classifier import LinearClassifier
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Option, Suggestion
from serve_app.domain.question import Entities, Focus
from serve_app.domain.understanding import RememberingUnderstander, Understander
from serve_app.domain.understanding.reading import OWN_INTENTS

DAY = date(2026, 11, 24)
ORDER = "ZW202611220001"
RULES = [intent for intent in Intent if intent not in OWN_INTENTS]


@pytest.fixture(scope="module")
def remembering(classifier: LinearClassifier) -> RememberingUnderstander:
    return RememberingUnderstander(classifier.classify, FastTextDetector().detect)


def anew(understander: Understander, text: str, focus: Focus, day: date = DAY):
    return Understander.understand(understander, text, focus, day)


def published() -> list[str]:
    return [q for entry in demo_knowledge().entries for wordings in entry.questions.values() for q in wordings]


def odd(dice: random.Random) -> list[str]:
    """Wordings put together, broken off, and made to lean on something."""
    some = dice.sample(published(), 40)
    glued = [f"{a}，{b}" for a, b in zip(some[:15], some[15:30], strict=True)]
    leaning = [*(f"{q}呢" for q in some[30:36]), *(f"那{q}" for q in some[30:36]), *(f"and {q}" for q in some[30:36])]
    return [
        *glued,
        *leaning,
        *(q[: len(q) // 2] for q in some),
        *(q[len(q) // 2 :] for q in some),
        "第二个",
        "好的",
        "1",
        "ok",
        ORDER,
    ]


def focuses(dice: random.Random) -> list[Focus]:
    about_rules = [
        Focus(
            language=dice.choice(["zh", "en"]),
            intent=dice.choice(RULES),
            entities=Entities(amounts_minor=(9900,)),
            order_id=dice.choice([None, ORDER]),
            misses=dice.choice([0, 1]),
        )
        for _ in range(3)
    ]
    about_orders = Focus(language="zh", intent=dice.choice(sorted(OWN_INTENTS)), order_id=ORDER)
    offered = Focus(language="en", intent=Intent.PARCEL, offered=(Option(ORDER, "保温杯"), Option("ZW202611220002", "耳机")))
    suggested = Focus(language="zh", suggested=(Suggestion("shipping-fee", "运费怎么算"),))
    return [Focus(), *about_rules, about_orders, offered, suggested]


def test_it_is_what_reading_anew_gives_in_any_conversation(remembering: RememberingUnderstander) -> None:
    dice = random.Random(5)
    for text in [*dice.sample(published(), 60), *odd(dice)]:
        for focus in focuses(dice):
            for _ in range(2):
                assert remembering.understand(text, focus, DAY) == anew(remembering, text, focus), (text, focus)


def test_most_published_wordings_stand_alone(remembering: RememberingUnderstander) -> None:
    dice = random.Random(6)
    texts = dice.sample(published(), 200)
    assert sum(remembering.leaning(anew(remembering, text, Focus())) == "nothing" for text in texts) > 100


def test_what_depends_on_the_day_or_on_what_came_along_is_read_for_each(remembering: RememberingUnderstander) -> None:
    text = "明天能到吗"
    first, second = (remembering.understand(text, Focus(), DAY + timedelta(days=days)) for days in (0, 1))
    assert first.entities.dates != second.entities.dates
    with_order = remembering.understand("能退吗", Focus(), DAY, order_id=ORDER)
    assert with_order.entities.order_ids == (ORDER,)
    assert remembering.understand("能退吗", Focus(), DAY).entities.order_ids == ()


def test_a_question_is_read_once(remembering: RememberingUnderstander) -> None:
    read: list[str] = []

    def classify(text: str):
        read.append(text)
        return [(Intent.OTHER, 1.0)]

    understander = RememberingUnderstander(classify, lambda _: ("zh", 1.0))
    text = "你们的仓库里有没有一只会唱歌的猫和一条会跳舞的鱼"
    understander.understand(text, Focus(), DAY)
    before = len(read)
    understander.understand(text, Focus(), DAY)
    assert len(read) == before
