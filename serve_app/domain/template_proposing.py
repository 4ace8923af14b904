"""Templates that a model proposes: what it is told, and what is read of its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from serve_app.domain.facts import Facts
from serve_app.domain.guard import FigureGuard
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Template, TemplateCase
from serve_app.domain.messages import Language
from serve_app.domain.policies import Policy
from serve_app.domain.pregeneration import CannotMake
from serve_app.domain.question import Entities
from serve_app.domain.sample_facts import SAMPLE_NOW
from serve_app.domain.situations import situations
from serve_app.domain.slots_help import slots_help
from serve_app.domain.templates import NoValue, answer_from
from serve_app.domain.wording import Locale

_EXAMPLE = (
    '{"cases": [{"when": "no_parcel", "zh": "您{order.label}还没有发货。", "en": "Your {order.label} is not shipped yet."}]}'
)
_TASK = (
    "You write answer templates for an online shop's customer service. A template has cases, tried in order: the first whose "
    "condition `when` holds is said, in Chinese or in English. `{slot}` stands for a fact, `{slot | filter}` for one that is "
    "written in a certain way, `{% if condition %}…{% endif %}` for words that depend on one. Use only the names below. Guard "
    "a slot that may have no value with `{% if slot is defined %}`. Never write a number, a date or an amount yourself: use "
    "slots and policies. Both languages say the same, in one or two short, polite sentences."
)
_ASKED = {
    "parcel": "where the parcel is and when it comes",
    "order_status": "how the order stands",
    "refund_progress": "how a refund or an after-sale gets on",
    "tier": "the customer's membership tier, points and coupons",
    "my_orders": "how many orders the customer has, and which",
}


def instructions() -> str:
    """The same for every template."""
    return f"{_TASK}\n\n{slots_help()}\nReply with JSON alone, in this form:\n{_EXAMPLE}"


def wish(
    intent: Intent, known: Template | None, uncovered: Sequence[str], policies: Iterable[Policy], problems: str = ""
) -> str:
    """What a template is asked for with. `uncovered`: situations in which nothing is said yet; `problems`: of what was proposed
    before."""
    about = _ASKED.get(intent, intent.replace("_", " "))
    lines = [f"The customer asks about: {about}."]
    names = ", ".join(f"{{policy.{policy.id}}} ({policy.unit})" for policy in policies)
    if names:
        lines.append(f"The shop's figures: {names}.")
    if known is not None:
        cases = [{"when": case.when, **case.text} for case in known.cases]
        lines.append(f"These cases are there already; do not repeat them: {orjson.dumps(cases).decode()}")
    if uncovered:
        lines.append(f"Write cases for these situations: {'; '.join(uncovered)}.")
    if problems:
        lines.append(f"What you wrote before cannot be published. Mend this, and write all of your cases again:\n{problems}")
    return "\n".join(lines)


class _Case(BaseModel):
    model_config = ConfigDict(extra="forbid")

    when: str = ""
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class _Cases(BaseModel):
    cases: list[_Case] = Field(min_length=1, max_length=40)


def proposed(said: str, intent: Intent, known: Template | None) -> Template:
    """The template that the model's words hold; its cases come after those that are `known`. Raises CannotMake."""
    found = re.search(r"\{.*\}", said, re.DOTALL)
    if found is None:
        raise CannotMake("what the model wrote holds no JSON object")
    try:
        cases = _Cases.model_validate_json(found[0]).cases
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise CannotMake(
            f"what the model wrote is not of the form that it was told: {where or 'JSON'}: {first['msg']}"
        ) from None
    added = tuple(TemplateCase(case.when.strip(), _texts(case)) for case in cases)
    for case in added:
        _refuse_figures(case)
    start = known if known is not None else Template(str(intent).replace("_", "-"), 0, intent, ())
    return replace(start, version=0, cases=(*start.cases, *added))


def uncovered_by(template: Template) -> tuple[str, ...]:
    """The sample situations in which a template says nothing, and a person is asked."""
    locale, asked = Locale("en"), Entities()

    def answers(facts: Facts) -> bool:
        said = answer_from(template, facts, entities=asked, chosen_order_id=None, locale=locale, now=SAMPLE_NOW)
        return not isinstance(said, NoValue)

    return tuple(situation.name for situation in situations() if not answers(situation.facts))


def _texts(case: _Case) -> dict[Language, str]:
    return {"zh": case.zh.strip(), "en": case.en.strip()}


def _refuse_figures(case: TemplateCase) -> None:
    """A figure in the words would be the model's own, and would stay when the shop's changes."""
    for text in case.text.values():
        guard = FigureGuard(())
        if guard.feed(_SLOTS.sub("", text)).tripped or guard.end().tripped:
            raise CannotMake(f"the words hold a figure that is neither a slot nor a policy: {text}")


_SLOTS = re.compile(r"\{%.*?%\}|\{[^{}]*\}", re.DOTALL)
