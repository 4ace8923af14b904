"""A slot's value as text, by its type, in the answer's language."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from jinja2 import TemplateRuntimeError, Undefined
from jinja2.runtime import Context

from serve_app.domain import wording
from serve_app.domain.scope import Scope
from serve_app.domain.wording import Money

SCOPE = "_scope"  # not reachable from a template: only roots may be named


class NotPrintable(TemplateRuntimeError):
    """A slot names something that is no text, number, money, date or state."""


def printed(value: object, scope: Scope) -> object:
    """The text of a value; an undefined one as it is, which raises NotKnown when it is printed. Raises NotPrintable."""
    match value:
        case StrEnum():
            return wording.name_of(value, scope.locale.language)
        case Money():
            return wording.money(value.minor, scope.locale, value.currency)
        case datetime():
            return wording.instant(value, scope.locale, scope.today)
        case date():
            return wording.day(value, scope.locale, scope.today)
        case str() | Undefined():
            return value
        case int() if not isinstance(value, bool):
            return str(value)
        case _:
            raise NotPrintable(f"a slot cannot print a {type(value).__name__.lower()}")


def scope_in(context: Context) -> Scope:
    """The scope that a template is rendered with."""
    scope = context[SCOPE]
    assert isinstance(scope, Scope)
    return scope
