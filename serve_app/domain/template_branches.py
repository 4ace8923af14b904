"""Which branches of a template's text are taken: each `{% if %}`, `{% else %}` and `{% for %}` is given a mark."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass

from jinja2 import nodes

from serve_app.domain.messages import Language
from serve_app.domain.scope import Scope
from serve_app.domain.slots import Roots, Text, compiled_tree, filled_in, parsed_text
from serve_app.domain.template_source import said

_MARK = "_taken"  # not reachable from a template: only roots may be named


@dataclass(frozen=True, slots=True)
class Marked:
    """A text that tells which of its branches are taken. `branches` are their sources, in the order of the text."""

    text: Text
    branches: tuple[str, ...]

    def render(self, roots: Roots, scope: Scope) -> tuple[str, frozenset[int]]:
        """The text, and the numbers of the branches that were taken for it. Raises as `slots.render`."""
        taken: set[int] = set()

        def take(branch: int, value: object = None) -> object:
            taken.add(branch)
            return value

        return filled_in(self.text, roots, scope, **{_MARK: take}), frozenset(taken)


@functools.lru_cache(maxsize=1024)
def marked(source: str, language: Language) -> Marked:
    """Raises ConfigError, with what is wrong and where."""
    tree = parsed_text(source, language)
    marker = _Marker()
    marker.statements(tree)
    return Marked(compiled_tree(tree), tuple(marker.branches))


class _Marker:
    """Changes a syntax tree in place."""

    def __init__(self) -> None:
        self.branches: list[str] = []
        self._seen: Counter[str] = Counter()

    def statements(self, tree: nodes.Template) -> None:
        for node in list(tree.find_all(nodes.If)):
            self._if(node)
        for loop in list(tree.find_all(nodes.For)):
            self._for(loop)
        for either in list(tree.find_all(nodes.CondExpr)):
            self._either(either)

    def _if(self, node: nodes.If) -> None:
        test = said(node.test)
        self._mark(node.body, f"{{% if {test} %}}")
        if node.else_:
            self._mark(node.else_, f"the {{% else %}} of {{% if {test} %}}")

    def _for(self, loop: nodes.For) -> None:
        head = f"{{% for {said(loop.target)} in {said(loop.iter)} %}}"
        self._mark(loop.body, head)
        if loop.else_:
            self._mark(loop.else_, f"the {{% else %}} of {head}")

    def _either(self, node: nodes.CondExpr) -> None:
        source = said(node)
        node.expr1 = self._call(source, node.expr1)
        if node.expr2 is not None:
            node.expr2 = self._call(f"the other case of {source}", node.expr2)

    def _mark(self, body: list[nodes.Node], branch: str) -> None:
        body.insert(0, nodes.ExprStmt(self._call(branch), lineno=1))

    def _call(self, branch: str, *values: nodes.Expr) -> nodes.Call:
        self._seen[branch] += 1
        self.branches.append(branch if self._seen[branch] == 1 else f"{branch} ({self._seen[branch]})")
        number = nodes.Const(len(self.branches) - 1, lineno=1)
        return nodes.Call(nodes.Name(_MARK, "load", lineno=1), [number, *values], [], None, None, lineno=1)
