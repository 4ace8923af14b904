"""Template texts with typed slots: `{parcel.eta}` prints a value by its type, in the answer's language.

The language is Jinja's, sandboxed, with `{` and `}` around slots: conditions are its expressions, `{% for %}` and `{% if %}`
its blocks, and nothing else of it may be used. A slot without a value stops the rendering (`NotKnown`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, meta, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import test_defined, test_undefined

from serve_app.domain.errors import ConfigError
from serve_app.domain.messages import Language
from serve_app.domain.scope import Scope
from serve_app.domain.template_filters import FILTERS
from serve_app.domain.template_print import SCOPE, printed, scope_in
from serve_app.domain.template_subject import ROOTS
from serve_app.domain.template_types import check_condition_types, check_text_types

TEXT_MAX = 20_000  # characters of a text or a condition
Roots = Callable[[str], Any]  # a root's value by its name
# What a sandboxed expression can raise besides Jinja's own errors.
SLIPS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)


@dataclass(frozen=True, slots=True)
class Text:
    """A compiled text. `names` are the roots that it speaks of, `reads` the parts of the facts."""

    template: Template
    names: frozenset[str]
    reads: frozenset[str] = frozenset()


def render(source: str, roots: Roots, scope: Scope) -> str:
    """The text with its slots filled. Raises NotKnown for a slot without a value, ConfigError if it is no template."""
    return filled_in(compiled_text(source, scope.locale.language), roots, scope)


def filled_in(text: Text, roots: Roots, scope: Scope, **more: object) -> str:
    """As `render`, of a compiled text; `more` are further values, which only what was added to its tree can name."""
    return text.template.render({name: roots(name) for name in text.names} | {SCOPE: scope} | more).strip()


def first_that_holds(conditions: tuple[str, ...], roots: Roots) -> int | None:
    """The number of the first condition that is true, as an empty one is; None: none is. Later ones are not looked at.

    Raises NotKnown when one that is looked at depends on something that is not known.
    """
    choice = compiled_choice(conditions)
    chosen = choice.template.render({name: roots(name) for name in choice.names})
    return int(chosen) if chosen else None


@functools.lru_cache(maxsize=4096)
def compiled_text(source: str, language: Language) -> Text:
    """Raises ConfigError, with what is wrong and where."""
    tree = parsed_text(source, language)
    return compiled_tree(tree, check_text_types(tree, language))


def compiled_tree(tree: nodes.Template, reads: frozenset[str] = frozenset()) -> Text:
    with _told("this template"):
        tree.set_environment(_environment())
        return Text(_environment().from_string(tree), _roots_in(tree), reads)


def parsed_text(source: str, language: Language) -> nodes.Template:
    """A text's syntax tree, its types checked. Raises ConfigError, with what is wrong and where."""
    with _told(repr(source)):
        tree = _environment().parse(_bounded(source))
        check_text_types(tree, language)
    return tree


@functools.lru_cache(maxsize=1024)
def compiled_choice(conditions: tuple[str, ...]) -> Text:
    """A template that prints the number of the first condition that holds. Raises ConfigError, with what is wrong and where."""
    parsed = [_parsed_condition(source) for source in conditions]
    branches = [
        nodes.If(test, [nodes.Output([nodes.TemplateData(str(number))])], [], []) for number, (test, _) in enumerate(parsed)
    ]
    if branches:
        branches[0].elif_ = branches[1:]
    reads = frozenset[str]().union(*(read for _, read in parsed))
    return compiled_tree(nodes.Template([*branches[:1]], lineno=1), reads)


def _parsed_condition(source: str) -> tuple[nodes.Expr, frozenset[str]]:
    """With the parts of the facts that it reads."""
    if not source:
        return nodes.Const(True), frozenset()
    with _told(f"the condition {source!r}"):
        tree = _environment().parse(f"{{% if {_bounded(source)} %}}{{% endif %}}")
        match tree.body:
            case [nodes.If(test=nodes.Expr() as test, body=[], elif_=[], else_=[])]:
                return test, check_condition_types(test)
            case _:
                raise ConfigError("write one expression, such as `order.is_delivered`")


def _roots_in(tree: nodes.Template) -> frozenset[str]:
    return frozenset(meta.find_undeclared_variables(tree)) & ROOTS.keys()


def _bounded(source: str) -> str:
    if len(source) > TEXT_MAX:
        raise ConfigError(f"it has {len(source)} characters, and {TEXT_MAX} may stand in a template")
    return source


@contextmanager
def _told(where: str) -> Generator[None]:
    """Whatever Jinja and Python say of a bad template, as our error."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{error}, in {_short(where)}") from error
    except (TemplateError, SyntaxError, *SLIPS) as error:
        raise ConfigError(f"{error} in {_short(where)}") from error
    except (RecursionError, MemoryError) as error:
        raise ConfigError(f"this is nested too deeply: {_short(where)}") from error


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"


@functools.cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        variable_start_string="{",
        variable_end_string="}",
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        undefined=StrictUndefined,
        finalize=_finalize,
    )
    environment.globals = dict[str, Any]()
    environment.filters = {name: found.run for name, found in FILTERS.items()}
    environment.tests = {"defined": test_defined, "undefined": test_undefined}
    return environment


@pass_context
def _finalize(context: Context, value: object) -> object:
    return printed(value, scope_in(context))
