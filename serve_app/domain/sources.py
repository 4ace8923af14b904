"""What the declared sources must be asked in which order: parts of the facts, and needs as paths over them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, get_args

from pydantic import BaseModel

from serve_app.domain.errors import ConfigError
from serve_app.domain.facts import AfterSale, Coupon, Customer, Fact, Facts, Invoice, Line, Order, Parcel, ParcelEvent

Part = Literal["customer", "coupons", "orders", "lines", "parcels", "parcel_events", "after_sales", "invoices"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True, slots=True)
class Shape:
    """A part's rows. `nested` fields come from other parts; `extras` say what a row belongs to and are no fact themselves."""

    model: type[Fact]
    at: str  # where its facts stand among `Facts`
    nested: frozenset[str] = frozenset()
    extras: tuple[str, ...] = ("customer_id",)

    @property
    def names(self) -> frozenset[str]:
        """Every field that a mapping may name."""
        return frozenset(self.model.model_fields) - self.nested | frozenset(self.extras)

    @property
    def dates(self) -> frozenset[str]:
        annotations: dict[str, Any] = {name: info.annotation for name, info in self.model.model_fields.items()}
        return frozenset(name for name, annotation in annotations.items() if annotation in (date, date | None))


# `order_count`: how many orders the customer has in all. `named`: the source itself found that the query named this order.
SHAPES: Mapping[Part, Shape] = {
    "customer": Shape(Customer, "customer", frozenset({"coupons"}), ("order_count",)),
    "coupons": Shape(Coupon, "customer.coupons[]"),
    "orders": Shape(Order, "orders[]", frozenset({"lines", "parcels", "invoices"}), ("order_count", "named")),
    "lines": Shape(Line, "orders[].lines[]", frozenset({"after_sales"}), ("order_id", "customer_id")),
    "parcels": Shape(Parcel, "orders[].parcels[]", frozenset({"events"}), ("order_id", "customer_id")),
    "parcel_events": Shape(ParcelEvent, "orders[].parcels[].events[]", extras=("parcel_id", "tracking_no", "customer_id")),
    "after_sales": Shape(AfterSale, "orders[].lines[].after_sales[]", extras=("order_id", "customer_id")),
    "invoices": Shape(Invoice, "orders[].invoices[]", extras=("order_id", "customer_id")),
}


@dataclass(frozen=True, slots=True)
class Need:
    """A path over the facts (`orders[].parcels[].tracking_no`) and the parts that must be there to follow it."""

    path: str
    parts: frozenset[Part]
    steps: tuple[tuple[str, bool], ...] = field(init=False, repr=False, compare=False)  # a field, and whether it is a list

    def __post_init__(self) -> None:
        steps = ((step.removesuffix("[]"), step.endswith("[]")) for step in self.path.split("."))
        object.__setattr__(self, "steps", tuple(steps))

    @property
    def is_list(self) -> bool:
        return "[]" in self.path


@dataclass(frozen=True, slots=True)
class Step:
    """A source's place in the plan: asked as soon as the sources named in `after` have ended."""

    name: str
    part: Part
    needs: Mapping[str, Need] = field(default_factory=dict[str, Need])  # parameter -> need
    after: frozenset[str] = frozenset()


def parse_need(path: str) -> Need:
    """Raises ConfigError, naming the paths there are."""
    place, _, name = path.rpartition(".")
    for shape in SHAPES.values():
        if shape.at == place and name in set(shape.model.model_fields) - shape.nested:
            parts = frozenset[Part](part for part, other in SHAPES.items() if f"{place}.".startswith(f"{other.at}."))
            return Need(path, parts)
    known = ", ".join(f"{shape.at}.…" for shape in SHAPES.values())
    raise ConfigError(f"needs: {path} is no path over the facts; there are {known}")


def plan(sources: Sequence[tuple[str, Part, Mapping[str, str]]]) -> tuple[Step, ...]:
    """The sources (name, part, needs) in an order in which each stands behind those it needs.

    Raises ConfigError: two of one name, an unknown path, a need that no source meets, a circle.
    """
    by_part: dict[Part, set[str]] = {}
    for name, part, _ in sources:
        if any(name in names for names in by_part.values()):
            raise ConfigError(f"two sources have the name {name}: give each its own")
        by_part.setdefault(part, set()).add(name)
    steps: dict[str, Step] = {}
    for name, part, needs in sources:
        parsed = {parameter: parse_need(path) for parameter, path in needs.items()}
        for need in parsed.values():
            if absent := need.parts - set(by_part):
                raise ConfigError(f"source {name} needs {need.path}, but no source gives {', '.join(sorted(absent))}")
        after = frozenset(other for need in parsed.values() for part_ in need.parts for other in by_part[part_])
        steps[name] = Step(name, part, parsed, after)
    try:
        order = tuple(TopologicalSorter({step.name: step.after for step in steps.values()}).static_order())
    except CycleError as error:
        raise ConfigError(f"these sources need each other in a circle: {' -> '.join(error.args[1])}") from error
    return tuple(steps[name] for name in order)


def needed_for(steps: Sequence[Step], parts: Collection[str]) -> frozenset[str]:
    """The names of the steps that give `parts`, and of those before them."""
    names = {step.name for step in steps if step.part in parts}
    # Each stands behind those it needs.
    for step in reversed(steps):
        if step.name in names:
            names |= step.after
    return frozenset(names)


def values_at(facts: Facts, need: Need) -> Any:
    """What a need asks for: each value once, in order, for a path through lists; else the one value, or None."""
    found: list[Any] = [facts]
    for name, is_list in need.steps:
        reached = [getattr(item, name) for item in found if item is not None]
        found = [item for items in reached for item in items] if is_list else reached
    present = list(dict.fromkeys(value for value in found if value is not None and not isinstance(value, BaseModel)))
    return present if need.is_list else next(iter(present), None)
