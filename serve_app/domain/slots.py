"""Template texts with typed slots: `{parcel.eta}` prints a value by its type, in the answer's language.

The language is Jinja's, sandboxed, with `{` and `}` around slots: conditions are its expressions, `{% for %}` and `{% if %}`
its blocks. A slot without a value stops the rendering (`NotKnown`). Filters: `on` ("on Tue 24 Nov"), `day` (an instant's date),
`length`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateRuntimeError, Undefined, meta, nodes, pass_context
from jinja2.environment import TemplateExpression
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from serve_app.domain import wording
from serve_app.domain.errors import ConfigError
from serve_app.domain.template_view import Scope, kind, names
from serve_app.domain.wording import Money

# What a template may speak of.
ROOTS = frozenset(
    {"customer", "order", "parcel", "after_sale", "orders", "order_count", "orders_seen", "open_count", "open_seen"}
)
_LOOP = frozenset({"index", "first", "last"})  # Jinja's `loop`
_SCOPE = "_scope"  # not reachable from a template: only ROOTS may be named


class NotPrintable(TemplateRuntimeError):
    """A slot names something that is no text, number, money, date or state."""


def render(source: str, context: Mapping[str, object], scope: Scope) -> str:
    """The text with its slots filled. Raises NotKnown for a slot without a value, ConfigError if it is no template."""
    return compiled_text(source).render({**context, _SCOPE: scope}).strip()


def holds(source: str, context: Mapping[str, object]) -> bool:
    """Whether a condition is true; an empty one is. Raises NotKnown when it depends on something that is not known."""
    return not source or bool(compiled_condition(source)(**context))


@functools.lru_cache(maxsize=4096)
def compiled_text(source: str) -> Template:
    """Raises ConfigError, with what is wrong and where."""
    try:
        _refuse_unknown_names(_environment().parse(source))
        return _environment().from_string(source)
    except TemplateError as error:
        raise ConfigError(f"{error} in {source!r}") from error


@functools.lru_cache(maxsize=4096)
def compiled_condition(source: str) -> TemplateExpression:
    """Raises ConfigError, with what is wrong and where."""
    try:
        _refuse_unknown_names(_environment().parse(f"{{% if {source} %}}{{% endif %}}"))
        return _environment().compile_expression(source, undefined_to_none=False)
    except TemplateError as error:
        raise ConfigError(f"{error} in the condition {source!r}") from error


def _refuse_unknown_names(tree: nodes.Template) -> None:
    """A misspelt name in a branch that is rarely taken must not wait for a customer."""
    unknown = meta.find_undeclared_variables(tree) - ROOTS
    if unknown:
        raise ConfigError(f"there is no {sorted(unknown)[0]!r} here: a template may name {', '.join(sorted(ROOTS))}")
    for node in tree.find_all(nodes.Getattr):
        if node.attr not in names() | _LOOP:
            raise ConfigError(f"nothing has a value called {node.attr!r}")
    if tree.find(nodes.Getitem) or tree.find(nodes.Call):
        raise ConfigError("write slots as names with dots: {order.total}; no brackets, no calls")


@functools.cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        variable_start_string="{",
        variable_end_string="}",
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        undefined=StrictUndefined,
        finalize=_printed,
    )
    environment.globals = dict[str, Any]()
    environment.filters = {"length": len, "on": _on, "day": _day}
    return environment


@pass_context
def _printed(context: Context, value: object) -> object:
    """A slot's value as text, by its type."""
    scope = _scope(context)
    match value:
        case StrEnum():
            return wording.name_of(value, scope.locale.language)
        case Money():
            return wording.money(value.minor, scope.locale, value.currency)
        case datetime():
            return wording.instant(value, scope.locale, scope.today)
        case date():
            return wording.day(value, scope.locale, scope.today)
        case str() | Undefined():  # an undefined one raises NotKnown when it is printed
            return value
        case int() if not isinstance(value, bool):
            return str(value)
        case _:
            raise NotPrintable(f"a slot cannot print a {kind(value)}")


@pass_context
def _on(context: Context, value: date | datetime) -> str:
    scope = _scope(context)
    return wording.on_day(value, scope.locale, scope.today)


@pass_context
def _day(context: Context, value: datetime) -> date:
    return wording.today(value, _scope(context).locale.time_zone)


def _scope(context: Context) -> Scope:
    scope = context[_SCOPE]
    assert isinstance(scope, Scope)
    return scope
