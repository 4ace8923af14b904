"""The facts as templates see them: typed values by name, and nothing else.

Whatever is not known (a field that is None or blank, a part that is missing) is undefined there: printing it or comparing it
stops the rendering, `is defined` asks for it. So a template can never say something of facts that it has not got.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from jinja2 import StrictUndefined, UndefinedError

from serve_app.domain.facts import Fact, Order
from serve_app.domain.scope import Scope
from serve_app.domain.slot_table import SLOTS, Slot
from serve_app.domain.slot_types import Kind
from serve_app.domain.wording import Money


class NotKnown(UndefinedError):
    """A slot has no value. `str()` is the slot: `parcel.eta`."""


class UnknownName(Exception):
    """There is no slot of that name: a slip in the template."""


class _Unknown(StrictUndefined):
    """What is within it is unknown, too, so that `parcel.latest.place is defined` is false and no error."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def unknown(slot: str) -> StrictUndefined:
    return _Unknown(hint=slot, exc=NotKnown)


class View:
    """One fact. Its attributes are the slots that the table gives to its kind."""

    __slots__ = ("_fact", "_path", "_scope")

    def __init__(self, fact: Fact, path: str, scope: Scope) -> None:
        self._fact = fact
        self._path = path
        self._scope = replace(scope, order=fact) if isinstance(fact, Order) else scope

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        path = f"{self._path}.{name}"
        slot = SLOTS[type(self._fact)].get(name)
        if slot is None:
            raise UnknownName(path)
        if slot.parts & self._scope.missing:
            return unknown(path)
        return seen(self._value(name, slot), path, self._scope)

    def _value(self, name: str, slot: Slot) -> object:
        if slot.read is not None:
            return slot.read(self._fact, self._scope)
        if slot.type.kind is not Kind.MONEY:
            return getattr(self._fact, name)
        minor = getattr(self._fact, f"{name}_minor")
        return None if minor is None else Money(minor, self._scope.currency)


def seen(value: object, slot: str, scope: Scope) -> Any:
    """A value as a template sees it: facts behind views, None and blank text as unknown."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return unknown(slot)
    if isinstance(value, Fact):
        return View(value, slot, scope)
    if isinstance(value, tuple):
        return tuple(seen(item, f"{slot}[]", scope) for item in cast("tuple[object, ...]", value))
    return value
