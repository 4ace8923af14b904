"""The types that slots have. A template is checked by them before it is published, and prints by them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from serve_app.domain.facts import AfterSale, Coupon, Customer, Fact, Invoice, Line, Order, Parcel, ParcelEvent


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    INSTANT = "instant"  # a day and a time
    STATE = "state"  # one of a few, printed by its name
    CONDITION = "condition"  # yes or no
    LIST = "list"
    THING = "thing"  # an order, a parcel: what has slots of its own
    LOOP = "loop"  # Jinja's `loop`


PRINTED = frozenset({Kind.TEXT, Kind.NUMBER, Kind.MONEY, Kind.DATE, Kind.INSTANT, Kind.STATE})
ORDERED = frozenset({Kind.NUMBER, Kind.MONEY, Kind.DATE, Kind.INSTANT})  # what `<` may stand between


@dataclass(frozen=True, slots=True)
class SlotType:
    """`states` belongs to a state, `fact` to a thing, `of` to a list: the type of its elements."""

    kind: Kind
    states: type[StrEnum] | None = None
    fact: type[Fact] | None = None
    of: SlotType | None = None

    def __str__(self) -> str:
        """For messages: a date, a list of parcels."""
        if self.kind is Kind.THING and self.fact:
            return _articled(THINGS[self.fact])
        if self.kind is Kind.LIST and self.of:
            return f"a list of {THINGS[self.of.fact]}s" if self.of.fact else f"a list of {self.of.kind}s"
        return str(self.kind) if self.kind is Kind.MONEY else _articled(self.kind)

    @property
    def name(self) -> str:
        """For tables: `date`, `list of parcels`."""
        return str(self).removeprefix("an ").removeprefix("a ")


THINGS: dict[type[Fact], str] = {
    Customer: "customer",
    Order: "order",
    Line: "line",
    Parcel: "parcel",
    ParcelEvent: "event",
    AfterSale: "after_sale",
    Invoice: "invoice",
    Coupon: "coupon",
}
TEXT, NUMBER, MONEY = SlotType(Kind.TEXT), SlotType(Kind.NUMBER), SlotType(Kind.MONEY)
DATE, INSTANT, CONDITION = SlotType(Kind.DATE), SlotType(Kind.INSTANT), SlotType(Kind.CONDITION)
LOOP = SlotType(Kind.LOOP)


def state(states: type[StrEnum]) -> SlotType:
    return SlotType(Kind.STATE, states=states)


def thing(fact: type[Fact]) -> SlotType:
    return SlotType(Kind.THING, fact=fact)


def list_of(element: SlotType) -> SlotType:
    return SlotType(Kind.LIST, of=element)


def _articled(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
