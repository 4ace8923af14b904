"""What a question was understood to be, and what a conversation is about between its turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind, Language, Option, Suggestion


@dataclass(frozen=True, slots=True)
class Entities:
    order_ids: tuple[str, ...] = ()
    order_tails: tuple[str, ...] = ()  # 尾号1234
    sku_ids: tuple[str, ...] = ()
    tracking_nos: tuple[str, ...] = ()
    amounts_minor: tuple[int, ...] = ()
    dates: tuple[date, ...] = ()
    ordinal: int | None = None  # 1 is the first; -1 the last
    things: tuple[str, ...] = ()  # what was bought, as the customer calls it: all in one order
    marks: tuple[str, ...] = ()  # "unpaid", "lost": the order that is in this state
    # The words themselves, in which an order's items may be named. Not compared: a text alone names nothing yet.
    said: str = field(default="", compare=False)

    @property
    def names_an_order(self) -> bool:
        return bool(self.order_ids or self.order_tails or self.tracking_nos)


@dataclass(frozen=True, slots=True)
class Focus:
    """What the last turns were about: what 那运费呢, 第二个 and "that one" refer to."""

    language: Language | None = None
    intent: Intent | None = None
    entities: Entities = field(default_factory=Entities)
    order_id: str | None = None  # the order last spoken of
    offered: tuple[Option, ...] = ()  # the choices last offered; an option's id is an order's id
    suggested: tuple[Suggestion, ...] = ()
    misses: int = 0  # consecutive questions that nothing answered


@dataclass(frozen=True, slots=True)
class Understanding:
    """`canonical` is the self-contained question as a key; empty when there is none, and then the kind is personal."""

    text: str
    language: Language  # of the answer
    foreign: bool  # neither Chinese nor English: handed over in English
    intent: Intent
    confidence: float  # of the intent, 0 to 1
    entities: Entities
    kind: Kind
    canonical: str
    carried: bool = False  # intent or entities come from an earlier turn
    chosen_order_id: str | None = None  # an offered order, chosen by id or by words (第二个, 尾号1234)
    settled: bool = False  # it asks for this intent's rule and for nothing else, in whatever words

    @property
    def self_contained(self) -> bool:
        """Only then may a shared tier be read or written."""
        return bool(self.canonical)
