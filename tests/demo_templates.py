"""The demo's templates, asked in tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.facts import Facts, OrderState, ParcelState
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Template
from serve_app.domain.messages import Language
from serve_app.domain.publication import filled
from serve_app.domain.question import Entities
from serve_app.domain.templates import NeedsChoice, NotMeant, NoValue, Rendered, answer_from
from serve_app.domain.wording import Locale
from tests.making_facts import NOW, facts, order, parcel

# What it is called, the question, the facts, what is said in Chinese, in English.
Row = tuple[str, Intent, Facts, str, str]


@cache
def templates() -> dict[Intent, Template]:
    return {template.intent: template for template in filled(demo_knowledge()).templates}


def answer(
    intent: Intent, known: Facts, language: Language = "zh", entities: Entities | None = None
) -> Rendered | NeedsChoice | NoValue | NotMeant:
    return answer_from(
        templates()[intent], known, entities=entities or Entities(), chosen_order_id=None, locale=Locale(language), now=NOW
    )


def say(intent: Intent, known: Facts, language: Language, entities: Entities | None = None) -> str:
    said = answer(intent, known, language, entities)
    assert isinstance(said, Rendered), said
    return said.text


def told(rows: list[Row]) -> dict[str, Any]:
    """For parametrize."""
    return {"argvalues": [row[1:] for row in rows], "ids": [f"{row[1]}: {row[0]}" for row in rows]}


def shipped(state: ParcelState, **fields: Any) -> Facts:
    """One order with one parcel."""
    return facts(order(1, OrderState.SHIPPED, parcel(state, **fields)))
