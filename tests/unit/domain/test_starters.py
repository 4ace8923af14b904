"""The questions that a shop's chat page begins with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.starters import STARTERS, starters

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def entry(number: int) -> Entry:
    return Entry(
        id=f"e{number}",
        version=1,
        intent=Intent.OTHER,
        questions={"zh": (f"问{number}", "也问"), "en": (f"q{number}",)},
        answers={"zh": "答", "en": "a"},
    )


def template(intent: Intent) -> Template:
    return Template(id=intent, version=1, intent=intent, cases=())


def test_six_of_the_knowledge_in_its_order() -> None:
    found = starters([entry(number) for number in range(9)], [], NOW)
    assert found["zh"]["anonymous"] == [f"问{number}" for number in range(STARTERS)]
    assert found["en"]["customer"] == [f"q{number}" for number in range(STARTERS)]


def test_what_is_not_offered_or_not_valid_is_left_out() -> None:
    hidden = replace(entry(1), suggested=False)
    over = replace(entry(2), valid_to=NOW)
    to_come = replace(entry(3), valid_from=NOW + timedelta(seconds=1))
    assert starters([hidden, over, to_come, entry(4)], [], NOW)["zh"]["anonymous"] == ["问4"]


def test_a_customer_is_offered_their_own_things_where_there_is_a_template_for_them() -> None:
    templates = [template(Intent.TIER), template(Intent.PARCEL)]
    found = starters([entry(number) for number in range(9)], templates, NOW)
    assert found["zh"]["customer"] == ["我的快递到哪了？", "我是什么会员等级？", "问0", "问1", "问2", "问3"]
    assert "我的快递到哪了？" not in found["zh"]["anonymous"]


def test_a_shop_without_knowledge_offers_nothing() -> None:
    assert starters([], [], NOW)["zh"] == {"anonymous": [], "customer": []}
