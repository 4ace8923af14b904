"""What was said: one turn's question and answer, as the API gives it, and what the question itself names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from benchmarks.answering.claims import claims, numeral
from benchmarks.answering.shop import Customer, Shop


@dataclass(frozen=True)
class Answer:
    """`error` is set, and all else empty, when the API refused."""

    text: str = ""
    source: str = ""
    finish_reason: str = ""
    is_demo_model: bool = False
    citations: tuple[str, ...] = ()
    cards: tuple[dict[str, Any], ...] = ()
    choices: tuple[tuple[str, str], ...] = ()  # id, label
    suggestions: tuple[tuple[str, str], ...] = ()  # id, question
    degraded: tuple[str, ...] = ()  # what was late or down
    error: str = ""

    @property
    def is_policy(self) -> bool:
        """A published entry's own words."""
        return bool(self.citations) and self.source != "model"

    @property
    def is_handed_over(self) -> bool:
        return self.finish_reason == "handoff" or self.source == "agent"


def read_answer(body: dict[str, Any]) -> Answer:
    """From the JSON of `POST /v1/ask`."""
    choices = (body.get("choices") or {}).get("options", [])
    return Answer(
        text=body["text"],
        source=body.get("source") or "",
        finish_reason=body.get("finish_reason") or "",
        is_demo_model=bool(body.get("demo")),
        citations=tuple(citation["id"] for citation in body.get("citations", ())),
        cards=tuple(body.get("cards", ())),
        choices=tuple((option["id"], option["label"]) for option in choices),
        degraded=tuple(body.get("degraded", ())),
        suggestions=tuple((one["id"], one["question"]) for one in body.get("suggestions", ())),
    )


@dataclass(frozen=True)
class Turn:
    """A question as it was asked at `at`, and its answer; `before` is the turn before it."""

    said: str
    answer: Answer
    at: datetime
    before: Turn | None = None
    tapped: str | None = None

    @property
    def all_said(self) -> str:
        """All that the customer has said so far."""
        return (f"{self.before.all_said}\n" if self.before else "") + self.said

    def option(self, place: int) -> str | None:
        """The id of what the turn before offered at this place (1 is the first, -1 the last)."""
        offered = self.before.answer.choices if self.before else ()
        index = place - 1 if place > 0 else place
        return offered[index][0] if -len(offered) <= index < len(offered) else None


def named_orders(answer: Answer, customer: Customer | None) -> frozenset[str]:
    """The orders that text and cards name: by number, or by the last four digits of one of the customer's."""
    tails = {claim.value for claim in claims(answer.text, date(2000, 1, 1)) if claim.kind == "tail"}
    by_tail = {order.id for order in (customer.orders if customer else ()) if order.id[-4:] in tails}
    return order_ids(answer.text) | by_tail | frozenset[str]().union(*map(ids_in, answer.cards))


def order_ids(text: str) -> frozenset[str]:
    return frozenset(claim.value for claim in claims(text, date(2000, 1, 1)) if claim.kind == "order")


def ids_in(card: dict[str, Any]) -> frozenset[str]:
    return frozenset(found for _, value in leaves(card) if isinstance(value, str) for found in order_ids(value))


def leaves(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a JSON tree, with the name of the field that it stands under."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, str(key))
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from leaves(value, name)
    else:
        yield name, tree


def asked_orders(turn: Turn, customer: Customer, shop: Shop) -> frozenset[str]:
    """The order that the turn names: by number, tracking number, last four digits, a tap, a place among what was offered
    before, or a thing that only one of the customer's orders holds. Empty when it names none, or could mean several."""
    if turn.tapped and customer.order(turn.tapped):
        return frozenset([turn.tapped])
    said = turn.said
    compact = re.sub(r"[ -]", "", said).upper()
    numbers = set(re.findall(r"ZW\d{12}", compact))
    numbers |= {
        shop.tracking[number] for number in re.findall(r"(?:SF|YT|JD|ZTO)\d{12,13}", compact) if number in shop.tracking
    }
    tails = set(re.findall(r"(?<!\d)\d{4}(?!\d)", said))
    mine = {order.id for order in customer.orders}
    named = numbers | {order_id for order_id in mine if order_id[-4:] in tails}
    if named:
        return frozenset(named)
    place = _place(said)
    if place is not None and (chosen := turn.option(place)) in mine and chosen is not None:
        return frozenset([chosen])
    return _holding(said, customer)


def _place(said: str) -> int | None:
    """第二个, the second one, last, number 3, 2: the place it names."""
    said = said.strip().lower()
    if re.search(r"最后|\blast\b|倒数第一", said):
        return -1
    if match := re.search(r"第\s?([一二三四五六七八九十\d]{1,2})", said):
        return numeral(match[1])
    if match := re.search(r"\b(first|second|third|fourth|fifth)\b", said):
        return ("first", "second", "third", "fourth", "fifth").index(match[1]) + 1
    if match := re.fullmatch(r"(?:number |no\.? ?|#)?(\d)(?:号|个)?", said):
        return int(match[1])
    return None


def _holding(said: str, customer: Customer) -> frozenset[str]:
    """The one order that holds a thing whose name the customer said."""
    lowered = said.lower()
    holding = {
        order.id
        for order in customer.orders
        for line in order.lines
        if any(name in said for name in _names_zh(line["title_zh"]))
        or any(re.search(rf"\b{re.escape(name)}\b", lowered) for name in _names_en(line["title_en"]))
    }
    return frozenset(holding) if len(holding) == 1 else frozenset()


def _names_zh(title: str) -> tuple[str, ...]:
    """云朵系列蓝牙耳机 米白 → 蓝牙耳机, 耳机."""
    thing = title.partition("系列")[2].partition(" ")[0]
    return (thing, thing[-2:]) if thing else ()


def _names_en(title: str) -> tuple[str, ...]:
    """Cloud Wireless Earbuds, Off-White → wireless earbuds, earbuds (and without the plural's s)."""
    words = title.partition(",")[0].lower().split()
    last = words[-1]
    # In that case, in the box: these say nothing alone.
    alone = () if last in ("case", "box", "set") else (last, last.removesuffix("s") if len(last) > 4 else last)
    return (" ".join(words[-2:]), *alone)
