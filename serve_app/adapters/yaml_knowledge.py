"""Knowledge as YAML: `policies.yaml`, `templates.yaml`, and entries in every other file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, cast
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails

from serve_app.adapters.knowledge_fields import instant_of
from serve_app.domain.drafting import EntryPatch, Given, Place, Reading, Text, Unreadable
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, SourceVersion, Template, TemplateCase
from serve_app.domain.messages import Language
from serve_app.domain.policies import Policy, Unit
from serve_app.domain.publication import Publication
from serve_app.yaml_lines import line_at

# Deeper than anything that is written by hand; the parser would end the process.
_DEPTH_MAX = 50


def _instant(value: Any, info: ValidationInfo[str]) -> Any:
    """Without an offset in the shop's zone, which is the context; a day is its beginning."""
    if isinstance(value, str):
        return instant_of("it", value, info.context)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=ZoneInfo(info.context))
    return datetime(value.year, value.month, value.day, tzinfo=ZoneInfo(info.context)) if isinstance(value, date) else value


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _EntryText(_Form):
    questions: Annotated[tuple[_Text, ...], Field(min_length=1)]
    answer: _Text


class _EntryForm(_Form):
    id: _Text
    intent: Intent = Intent.OTHER
    zh: _EntryText
    en: _EntryText
    valid_from: _Instant | None = None
    valid_to: _Instant | None = None
    suggested: bool = True
    derived_from: dict[_Text, Annotated[int, Field(ge=1)]] = {}

    def patch(self) -> EntryPatch:
        given = Given(intent=self.intent, valid_from=self.valid_from, valid_to=self.valid_to, suggested=self.suggested)
        given["derived_from"] = tuple(SourceVersion(source_id, version) for source_id, version in self.derived_from.items())
        texts = {language: Text(text.questions, text.answer) for language, text in (("zh", self.zh), ("en", self.en))}
        return EntryPatch(self.id, cast("dict[Language, Text]", texts), given, whole=True)


class _CaseForm(_Form):
    when: str = ""
    zh: _Text
    en: _Text


class _TemplateForm(_Form):
    id: _Text
    intent: Intent
    cases: Annotated[tuple[_CaseForm, ...], Field(min_length=1)]

    def lines(self, node: yaml.Node) -> Mapping[tuple[str | int, ...], int]:
        """Of the parts of `node`, which it was read from, that a later check may find wrong."""
        cases = [("cases", number) for number in range(len(self.cases))]
        parts = [("intent",), *cases, *((*case, name) for case in cases for name in ("when", "zh", "en"))]
        return {part: line_at(node, part, 0) for part in parts}

    def template(self) -> Template:
        cases = tuple(TemplateCase(case.when, {"zh": case.zh, "en": case.en}) for case in self.cases)
        return Template(id=self.id, version=0, intent=self.intent, cases=cases)


class _PolicyForm(_Form):
    unit: Unit
    value: int | str
    currency: str | None = None


def read_yaml(name: str, text: str, time_zone: str) -> Reading:
    """What a file holds: policies in `policies.yaml`, templates in `templates.yaml`, entries in any other.

    `name` stands in the messages; local times are in `time_zone`. Raises Unreadable with every problem's line.
    """
    file = _File(name, text, time_zone)
    kind = name.rpartition("/")[2].rpartition(".")[0]
    if kind == "policies":
        policies = tuple(file.policies())
        reading = Reading(policies=policies, places=file.places)
    elif kind == "templates":
        templates = tuple(form.template() for form in file.items(_TemplateForm))
        reading = Reading(templates=templates, places=file.places)
    else:
        entries = tuple(form.patch() for form in file.items(_EntryForm))
        reading = Reading(entries, places=file.places)
    if file.problems:
        raise Unreadable(tuple(file.problems))
    return reading


def tree_of(publication: Publication) -> dict[str, Any]:
    """Lists of entries and templates, and policies by name, as the files hold them."""
    policies = {
        policy.id: _PolicyForm(unit=policy.unit, value=policy.value, currency=policy.currency)
        for policy in publication.policies
    }
    return {
        "entries": [_entry_tree(entry) for entry in publication.entries],
        "policies": {name: form.model_dump(exclude_none=True) for name, form in policies.items()},
        "templates": [_template_tree(template) for template in publication.templates],
    }


def yaml_of(publication: Publication) -> dict[str, str]:
    """Files, by name, that read back as this."""
    return {f"{part}.yaml": _written(tree) for part, tree in tree_of(publication).items()}


_F = TypeVar("_F", bound=_Form)


class _File:
    """One file, with the lines of its items. `problems` gathers what is wrong."""

    def __init__(self, name: str, text: str, time_zone: str) -> None:
        self._name = name
        self._time_zone = time_zone
        self.places: dict[str, Place] = {}
        self.problems: list[str] = []
        loader = yaml.CSafeLoader(text)
        try:
            _check_depth(text)
            node: Any = loader.get_single_node()
            self._tree: Any = None if node is None else loader.construct_document(node)  # pyright: ignore[reportUnknownMemberType]
        except (yaml.YAMLError, ValueError) as error:
            mark: yaml.Mark | None = getattr(error, "problem_mark", None)
            place = Place(name, mark.line + 1 if mark else 1)
            raise Unreadable((f"{place}: this is not YAML: {getattr(error, 'problem', None) or error}",)) from error
        finally:
            loader.dispose()
        self._items = list(_items(node))
        for line, key in _repeated(node, set()):
            self._wrong(line, f"{key!r} is there twice: keep one")

    def policies(self) -> Iterable[Policy]:
        tree = self._tree
        if not isinstance(tree, dict):
            self._wrong(1, "write policies as `name: {unit: …, value: …}`")
            return
        for (line, node), (name, value) in zip(self._items, cast("dict[Any, Any]", tree).items(), strict=False):
            form = self._valid(_PolicyForm, value, line, node, f"policy {name}: ")
            if form is not None:
                policy = Policy(str(name), form.unit, form.value, form.currency)
                self.places[policy.source_id] = Place(self._name, line)
                yield policy

    def items(self, form: type[_F]) -> Iterable[_F]:
        tree = self._tree
        if not isinstance(tree, list):
            self._wrong(1, "write a list of items, each beginning with `- id:`")
            return
        for (line, node), item in zip(self._items, cast("list[Any]", tree), strict=True):
            item_id = str(cast("dict[Any, Any]", item).get("id", "")) if isinstance(item, dict) else ""
            found = self._valid(form, item, line, node, f"{item_id}: " if item_id else "")
            if item_id in self.places:
                self._wrong(line, f"{item_id} stands on line {self.places[item_id].line} already")
            elif found is not None:
                known = isinstance(found, _TemplateForm)
                self.places[item_id] = Place(self._name, line, found.lines(node)) if known else Place(self._name, line)
                yield found

    def _valid(self, form: type[_F], value: Any, line: int, node: yaml.Node, where: str) -> _F | None:
        try:
            return form.model_validate(value, context=self._time_zone)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                field = ".".join(str(part) for part in found["loc"])
                self._wrong(line_at(node, found["loc"], line), f"{where}{field or 'the item'}: {_said(found)}")
            return None

    def _wrong(self, line: int, message: str) -> None:
        self.problems.append(f"{Place(self._name, line)}: {message}")


_MESSAGES = {
    "missing": "it must be there",
    "extra_forbidden": "there is no such field",
    "model_type": "write its fields under it, as `name: value`",
    "tuple_type": "write a list under it, each item beginning with `- `",
    "string_type": "write a text; in quotation marks if it looks like a number, a date, yes or no",
}


def _said(found: ErrorDetails) -> str:
    if found["type"] == "enum" and found["loc"] == ("intent",):
        close = get_close_matches(str(found["input"]), [str(intent) for intent in Intent], n=1)
        return f"there is no such intent{f': did you mean {close[0]}?' if close else ''}"
    return _MESSAGES.get(found["type"]) or found["msg"].removeprefix("Value error, ")


def _check_depth(text: str) -> None:
    """Raises ValueError. Events, unlike nodes, come without recursion."""
    depth = 0
    for event in cast("Iterable[Any]", yaml.parse(text, Loader=yaml.CSafeLoader)):  # pyright: ignore[reportUnknownMemberType]
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH_MAX:
            raise ValueError("it is nested too deeply")


def _items(node: yaml.Node | None) -> Iterator[tuple[int, yaml.Node]]:
    """Those of a list, or the values of a mapping, each with the line where it begins."""
    if isinstance(node, yaml.MappingNode):
        yield from ((key.start_mark.line + 1, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((item.start_mark.line + 1, item) for item in cast("list[yaml.Node]", node.value))


def _repeated(node: Any, seen: set[int]) -> Iterator[tuple[int, str]]:
    """The keys that stand twice in a mapping, of which the parser keeps the last; each with its line."""
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in cast("list[tuple[Any, Any]]", node.value):
            if isinstance(key, yaml.ScalarNode) and key.value in keys:
                yield key.start_mark.line + 1, key.value
            keys.add(str(key.value))
            yield from _repeated(value, seen)
        return
    for part in cast("list[Any]", node.value):
        yield from _repeated(part, seen)


def _written(tree: Any) -> str:
    return yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False, width=120)


def _entry_tree(entry: Entry) -> dict[str, Any]:
    tree: dict[str, Any] = {"id": entry.id}
    if entry.intent is not Intent.OTHER:
        tree["intent"] = str(entry.intent)
    for language, questions in sorted(entry.questions.items(), reverse=True):
        tree[language] = {"questions": list(questions), "answer": entry.answers.get(language, "")}
    for name, border in (("valid_from", entry.valid_from), ("valid_to", entry.valid_to)):
        if border is not None:
            tree[name] = border.isoformat()
    if entry.derived_from:
        tree["derived_from"] = {source.id: source.version for source in entry.derived_from}
    return tree if entry.suggested else tree | {"suggested": False}


def _template_tree(template: Template) -> dict[str, Any]:
    cases = [
        ({"when": case.when} if case.when else {}) | {"zh": case.text["zh"], "en": case.text["en"]} for case in template.cases
    ]
    return {"id": template.id, "intent": str(template.intent), "cases": cases}
