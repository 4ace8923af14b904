"""Whether a template's expressions fit the types of its slots. Only what is named here may stand in a template at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from jinja2 import nodes

from serve_app.domain.errors import ConfigError
from serve_app.domain.messages import Language
from serve_app.domain.slot_types import CONDITION, LOOP, NUMBER, ORDERED, PRINTED, TEXT, Kind, SlotType
from serve_app.domain.template_filters import result_of
from serve_app.domain.template_source import said
from serve_app.domain.template_subject import ROOTS, reads_of, slots_of

LOOPS_DEEP = 3
_IN_LOOP: Mapping[str, SlotType] = {"index": NUMBER, "first": CONDITION, "last": CONDITION}
_STATEMENTS = "write {% if %}, {% elif %}, {% else %} and {% for … in … %} only"
_Names = Mapping[str, SlotType]


def check_text_types(tree: nodes.Template, language: Language) -> frozenset[str]:
    """The parts of the facts that the text speaks of. Raises ConfigError for the first expression that cannot be, naming the
    types."""
    checker = _Checker(language)
    checker.statements(tree.body, {name: root.type for name, root in ROOTS.items()}, 0)
    return frozenset(checker.parts)


def check_condition_types(condition: nodes.Node) -> frozenset[str]:
    """As `check_text_types`."""
    checker = _Checker("en")
    checker.condition(condition, {name: root.type for name, root in ROOTS.items()})
    return frozenset(checker.parts)


class _Checker:
    def __init__(self, language: Language) -> None:
        self._language: Language = language
        self.parts: set[str] = set()

    def statements(self, body: Iterable[nodes.Node], names: _Names, depth: int) -> None:
        for node in body:
            match node:
                case nodes.Output(nodes=parts):
                    for part in parts:
                        if not isinstance(part, nodes.TemplateData):
                            self._printed(part, names)
                case nodes.If(test=test, body=inside, elif_=others, else_=rest):
                    self.condition(test, names)
                    self.statements([*inside, *others, *rest], names, depth)
                case nodes.For():
                    self._loop(node, names, depth + 1)
                case _:
                    raise ConfigError(f"{{% {type(node).__name__.lower()} %}} is not known here: {_STATEMENTS}")

    def condition(self, node: nodes.Node, names: _Names) -> None:
        found = self.type_of(node, names)
        if found.kind not in (Kind.CONDITION, Kind.LIST):
            how = {
                Kind.THING: f"write `{said(node)} is defined`",
                Kind.NUMBER: f"write `{said(node)} > 0`",
            }.get(found.kind, "compare it with a value, or ask whether it `is defined`")
            raise ConfigError(f"{said(node)} is {found}, which is neither true nor false: {how}")

    def type_of(self, node: nodes.Node, names: _Names) -> SlotType:
        match node:
            case nodes.Name(name=name):
                return self._root(name, names)
            case nodes.Getattr(node=inner, attr=attr):
                return self._slot(node, self.type_of(inner, names), attr)
            case nodes.Const(value=value):
                return _constant(value)
            case nodes.Neg(node=nodes.Const(value=int())):
                return NUMBER
            case nodes.Filter(node=nodes.Expr() as inner):
                given = self.type_of(inner, names)
                found = result_of(node, given, self._language)
                # `join` names a slot of the list's things.
                for each in node.args:
                    if given.of is not None and isinstance(each, nodes.Const) and each.value in slots_of(given.of):
                        self.parts |= reads_of(given.of, each.value)
                return found
            case nodes.Test(node=inner, name=name):
                self.type_of(inner, names)
                if name not in ("defined", "undefined"):
                    raise ConfigError(f"there is no test `is {name}`: only `is defined` and `is not defined`")
                return CONDITION
            case nodes.Not(node=inner):
                self.condition(inner, names)
                return CONDITION
            case nodes.And(left=left, right=right) | nodes.Or(left=left, right=right):
                self.condition(left, names)
                self.condition(right, names)
                return CONDITION
            case nodes.Compare(expr=first, ops=operands):
                self._compared(first, operands, names)
                return CONDITION
            case nodes.Add(left=left, right=right) | nodes.Sub(left=left, right=right):
                self._calculated(node, (left, right), names)
                return NUMBER
            case nodes.CondExpr(test=test, expr1=yes, expr2=no):
                return self._either(node, test, yes, no, names)
            case _:
                raise ConfigError(_refused(node))

    def _printed(self, node: nodes.Expr, names: _Names) -> None:
        found = self.type_of(node, names)
        if found.kind in PRINTED:
            return
        how = {
            Kind.LIST: "go through it with {% for %}, or print it with `| join` or `| length`",
            Kind.CONDITION: "put the words into {% if %}",
        }.get(found.kind, "print one of its slots")
        some = next((name for name, slot in slots_of(found).items() if slot.kind in PRINTED), None)
        such = f", such as {{{said(node)}.{some}}}" if some else ""
        raise ConfigError(f"a slot cannot print {found}, as {said(node)} is: {how}{such}")

    def _loop(self, loop: nodes.For, names: _Names, depth: int) -> None:
        found = self.type_of(loop.iter, names)
        if found.kind is not Kind.LIST or found.of is None:
            raise ConfigError(f"{said(loop.iter)} is {found}: {{% for %}} goes through a list")
        if not isinstance(loop.target, nodes.Name) or loop.target.name == "loop" or loop.target.name.startswith("_"):
            raise ConfigError("write {% for NAME in LIST %} with one name for each of its things")
        if loop.recursive or depth > LOOPS_DEEP:
            raise ConfigError(f"loops may stand {LOOPS_DEEP} deep in each other, no deeper")
        within = {**names, loop.target.name: found.of}
        if loop.test is not None:
            self.condition(loop.test, within)
        self.statements(loop.body, {**within, "loop": LOOP}, depth)
        self.statements(loop.else_, names, depth)

    def _root(self, name: str, names: _Names) -> SlotType:
        if name not in names:
            raise ConfigError(f"there is no {name!r} here{_near(name, names, 'a template may name')}")
        # A loop's own name hides no root that would want more than the loop does.
        if name in ROOTS:
            self.parts |= ROOTS[name].reads
        return names[name]

    def _slot(self, node: nodes.Getattr, owner: SlotType, name: str) -> SlotType:
        slots = _IN_LOOP if owner is LOOP else slots_of(owner)
        if name in slots:
            self.parts |= reads_of(owner, name)
            return slots[name]
        if owner.kind is Kind.LIST:
            raise ConfigError(f"{said(node.node)} is {owner}: {{% for %}} goes through it, and each of its things has slots")
        if not slots:
            raise ConfigError(f"{said(node.node)} is {owner} and has no slots of its own: there is no {said(node)}")
        raise ConfigError(f"there is no slot {said(node)}{_near(name, slots, f'{owner} has')}")

    def _compared(self, first: nodes.Expr, operands: Sequence[nodes.Operand], names: _Names) -> None:
        left = first
        for operand in operands:
            right = operand.expr
            if operand.op in ("in", "notin"):
                self._within(left, right, names)
            else:
                self._alike(left, right, operand.op, names)
            left = right

    def _within(self, left: nodes.Expr, right: nodes.Expr, names: _Names) -> None:
        if isinstance(right, nodes.Tuple | nodes.List):
            for item in right.items:
                self._alike(left, item, "eq", names)
            return
        one, other = self.type_of(left, names), self.type_of(right, names)
        if not one.kind == other.kind == Kind.TEXT:
            raise ConfigError(
                f"{said(left)} is {one} and {said(right)} is {other}: after `in` stands a list of values such as ('a', 'b')"
            )

    def _alike(self, left: nodes.Expr, right: nodes.Expr, operator: str, names: _Names) -> None:
        one, other = self.type_of(left, names), self.type_of(right, names)
        if (one.kind is Kind.STATE and _is_text(right)) or (other.kind is Kind.STATE and _is_text(left)):
            _check_state(*((left, one, right) if one.kind is Kind.STATE else (right, other, left)))
            comparable = operator in ("eq", "ne")
        elif operator in ("eq", "ne"):
            comparable = one == other and one.kind in PRINTED | {Kind.CONDITION}
        else:
            comparable = one.kind == other.kind and one.kind in ORDERED
        if not comparable:
            hint = _compare_hint(left, one) or _compare_hint(right, other)
            raise ConfigError(f"{said(left)} is {one} and {said(right)} is {other}: they cannot be compared so{hint}")

    def _calculated(self, node: nodes.Expr, operands: Iterable[nodes.Expr], names: _Names) -> None:
        for operand in operands:
            found = self.type_of(operand, names)
            if found.kind is not Kind.NUMBER:
                raise ConfigError(f"{said(node)}: {said(operand)} is {found}; only numbers are added and subtracted")

    def _either(
        self, node: nodes.CondExpr, test: nodes.Expr, yes: nodes.Expr, no: nodes.Expr | None, names: _Names
    ) -> SlotType:
        self.condition(test, names)
        if no is None:
            raise ConfigError(f"{said(node)}: say after `else` what is printed otherwise")
        one, other = self.type_of(yes, names), self.type_of(no, names)
        if one.kind not in PRINTED or other.kind not in PRINTED:
            raise ConfigError(f"{said(node)}: {one} or {other} cannot be printed")
        return one if one == other else TEXT


def _constant(value: object) -> SlotType:
    match value:
        case bool():
            return CONDITION
        case int():
            return NUMBER
        case str():
            return TEXT
        case _:
            raise ConfigError(f"{value!r} may not stand here: write a text in quotes or a whole number")


def _is_text(node: nodes.Expr) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, str)


def _check_state(node: nodes.Expr, found: SlotType, constant: nodes.Expr) -> None:
    states = [str(value) for value in found.states or ()]
    value = constant.value if isinstance(constant, nodes.Const) else None
    if value not in states:
        raise ConfigError(f"{said(node)} is never {value!r}{_near(str(value), states, 'it is one of')}")


def _compare_hint(node: nodes.Expr, found: SlotType) -> str:
    if found.kind is Kind.MONEY and isinstance(node, nodes.Getattr):
        return f"; {said(node)}_minor is a number, in minor units (129900 is 1,299.00)"
    return "; dates have conditions: parcel.is_late, parcel.is_expected" if found.kind in (Kind.DATE, Kind.INSTANT) else ""


def _near(name: str, known: Iterable[str], otherwise: str) -> str:
    """The known name that was meant, else all of them after the words `otherwise`."""
    close = get_close_matches(name, list(known), n=1)
    return f": did you mean {close[0]}?" if close else f": {otherwise} {', '.join(known)}"


def _refused(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getitem | nodes.Call):
        return "write slots as names with dots: {order.total}; no brackets, no calls"
    return f"{said(node)} may not stand in a template: compare slots, join conditions with `and`, `or`, `not`"
