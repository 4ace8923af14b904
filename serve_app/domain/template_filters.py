"""Filters of templates: what each takes, gives and says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.runtime import Context, Undefined

from serve_app.domain import wording
from serve_app.domain.errors import ConfigError
from serve_app.domain.messages import Language
from serve_app.domain.scope import Scope
from serve_app.domain.slot_types import DATE, NUMBER, PRINTED, TEXT, Kind, SlotType
from serve_app.domain.template_print import printed, scope_in
from serve_app.domain.template_source import said
from serve_app.domain.template_subject import slots_of
from serve_app.domain.template_view import unknown
from serve_app.domain.wording import Money


@dataclass(frozen=True, slots=True)
class Filter:
    """`takes`: what it may be put to. `arguments`: the least and the most texts in its brackets."""

    takes: frozenset[Kind]
    gives: SlotType
    run: Callable[..., Any]
    example: str
    meaning: str
    zh: str
    arguments: tuple[int, int] = (0, 0)


def result_of(node: nodes.Filter, given: SlotType, language: Language) -> SlotType:
    """The type of what a filter gives. Raises ConfigError for an unknown one, a wrong type or wrong arguments."""
    found = FILTERS.get(node.name)
    inner = said(node.node) if node.node else ""
    if found is None:
        raise ConfigError(f"there is no filter {node.name!r}: use {', '.join(FILTERS)}")
    if given.kind not in found.takes:
        wanted = " or ".join(str(SlotType(kind)) for kind in Kind if kind in found.takes)
        raise ConfigError(f"`{node.name}` takes {wanted}, and {inner} is {given}")
    least, most = found.arguments
    texts = [arg for arg in node.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str) and arg.value.strip()]
    if len(texts) != len(node.args) or node.kwargs or node.dyn_args or node.dyn_kwargs or not least <= len(texts) <= most:
        raise ConfigError(f"write `{node.name}` as in {found.example}")
    if node.name == "plural" and language == "zh":
        raise ConfigError(f"Chinese has no plural: write the number and a measure word, such as {{{inner}}}个")
    if node.name == "join":
        _check_join(inner, given, [str(text.value) for text in texts])
    return found.gives


def _check_join(inner: str, given: SlotType, attributes: Sequence[str]) -> None:
    element = given.of
    if element is None:
        return
    slots = slots_of(element)
    if not attributes:
        if element.kind not in PRINTED:
            such = f"{{{inner} | join('{next(iter(slots), '')}')}}"
            raise ConfigError(f"{inner} is {given}: say which of their slots, such as {such}")
    elif attributes[0] not in slots:
        raise ConfigError(f"there is no {attributes[0]!r} in {inner}: use one of {', '.join(slots)}")
    elif slots[attributes[0]].kind not in PRINTED:
        raise ConfigError(f"`join` cannot print {slots[attributes[0]]}, as {attributes[0]!r} in {inner} is")


@pass_context
def _money(context: Context, value: Money) -> str:
    return wording.money(value.minor, scope_in(context).locale, value.currency)


@pass_context
def _on(context: Context, value: date | datetime) -> str:
    scope = scope_in(context)
    return wording.on_day(value, scope.locale, scope.today)


@pass_context
def _day(context: Context, value: date | datetime) -> date:
    return wording.today(value, scope_in(context).locale.time_zone) if isinstance(value, datetime) else value


@pass_context
def _time(context: Context, value: datetime) -> str:
    return wording.time_of_day(value, scope_in(context).locale)


def _plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or plural_of(one)}"


@pass_context
def _join(context: Context, values: Sequence[Any], attribute: str | None = None) -> str | Undefined:
    scope: Scope = scope_in(context)
    shown = [str(printed(getattr(value, attribute) if attribute else value, scope)) for value in values]
    # Nothing joined is no value: a sentence with a hole in it is not said.
    return wording.listed(shown, scope.locale) if shown else unknown("a list without things, joined,")


def plural_of(noun: str) -> str:
    """The regular English plural: parcels, boxes, companies."""
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}s"


_LISTS = frozenset({Kind.LIST})
FILTERS: Mapping[str, Filter] = {
    "length": Filter(_LISTS, NUMBER, len, "{order.parcels | length}", "how many there are", "个数"),
    "count": Filter(_LISTS, NUMBER, len, "{order.parcels | count}", "the same", "个数"),
    "on": Filter(
        frozenset({Kind.DATE, Kind.INSTANT}),
        TEXT,
        _on,
        "{parcel.delivered_at | on}",
        "with the English preposition: on Tue 24 Nov, but tomorrow (Tue 24 Nov); in Chinese as it is",
        "英文日期加介词",
    ),
    "day": Filter(
        frozenset({Kind.DATE, Kind.INSTANT}), DATE, _day, "{parcel.delivered_at | day}", "the day alone", "只显示日期"
    ),
    "date": Filter(frozenset({Kind.DATE, Kind.INSTANT}), DATE, _day, "{parcel.delivered_at | date}", "the same", "只显示日期"),
    "time": Filter(frozenset({Kind.INSTANT}), TEXT, _time, "{parcel.delivered_at | time}", "the time: 14:20", "只显示时间"),
    "money": Filter(
        frozenset({Kind.MONEY}), TEXT, _money, "{order.total | money}", "an amount, as it is printed anyway", "金额"
    ),
    "plural": Filter(
        frozenset({Kind.NUMBER}),
        TEXT,
        _plural,
        "{order.parcels | length | plural('parcel')}, {n | plural('child', 'children')}",
        "English only, the number with its noun: 1 parcel, 2 parcels; an irregular plural as second text",
        "英文复数(中文直接写量词)",
        (1, 2),
    ),
    "join": Filter(
        _LISTS,
        TEXT,
        _join,
        "{order.lines | join('title')}",
        "one slot of each thing of a list: a, b and c; a、b和c",
        "连接成一句",
        (0, 1),
    ),
}
