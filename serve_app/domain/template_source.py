"""Jinja's expressions as they are written, for messages."""

from __future__ import annotations

from jinja2 import nodes

_OPERATORS = {
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in",
}  # fmt: skip


def said(node: nodes.Node) -> str:
    """The source of an expression, in one way of writing it."""
    match node:
        case nodes.Name(name=name):
            return name
        case nodes.Getattr(node=inner, attr=attr):
            return f"{said(inner)}.{attr}"
        case nodes.Const(value=value):
            return str(value).lower() if isinstance(value, bool | None) else repr(value)
        case nodes.Filter(node=inner, name=name, args=args):
            given = f"({', '.join(map(said, args))})" if args else ""
            return f"{said(inner) if inner else ''} | {name}{given}"
        case nodes.Test(node=inner, name=name):
            return f"{said(inner)} is {name}"
        case nodes.Not(node=nodes.Test(node=inner, name=name)):
            return f"{said(inner)} is not {name}"
        case nodes.Not(node=inner):
            return f"not {_grouped(inner)}"
        case nodes.And(left=left, right=right):
            return f"{_grouped(left)} and {_grouped(right)}"
        case nodes.Or(left=left, right=right):
            return f"{said(left)} or {said(right)}"
        case nodes.Add(left=left, right=right):
            return f"{said(left)} + {said(right)}"
        case nodes.Sub(left=left, right=right):
            return f"{said(left)} - {said(right)}"
        case nodes.Compare(expr=first, ops=operands):
            return said(first) + "".join(f" {_OPERATORS[operand.op]} {said(operand.expr)}" for operand in operands)
        case nodes.Tuple(items=items) | nodes.List(items=items):
            return f"({', '.join(map(said, items))})"
        case nodes.CondExpr(test=test, expr1=yes, expr2=no):
            return f"{said(yes)} if {said(test)}" + (f" else {said(no)}" if no else "")
        case _:
            return type(node).__name__.lower()


def _grouped(node: nodes.Node) -> str:
    return f"({said(node)})" if isinstance(node, nodes.Or) else said(node)
