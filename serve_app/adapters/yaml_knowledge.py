"""Knowledge from a folder of YAML files: `policies.yaml`, `templates.yaml`, and entries in every other one."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from typing import Annotated, Any, TypeVar, cast

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from serve_app.domain.errors import ConfigError
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Template, TemplateCase
from serve_app.domain.policies import Policy, Unit
from serve_app.domain.publication import Publication

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _EntryText(_Form):
    questions: Annotated[tuple[_Text, ...], Field(min_length=1)]
    answer: _Text


class _EntryForm(_Form):
    id: _Text
    intent: Intent
    zh: _EntryText
    en: _EntryText
    valid_from: AwareDatetime | None = None
    valid_to: AwareDatetime | None = None
    suggested: bool = True

    def entry(self) -> Entry:
        return Entry(
            id=self.id,
            version=0,
            intent=self.intent,
            questions={"zh": self.zh.questions, "en": self.en.questions},
            answers={"zh": self.zh.answer, "en": self.en.answer},
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            suggested=self.suggested,
        )


class _CaseForm(_Form):
    when: str = ""
    zh: _Text
    en: _Text


class _TemplateForm(_Form):
    id: _Text
    intent: Intent
    cases: Annotated[tuple[_CaseForm, ...], Field(min_length=1)]

    def template(self) -> Template:
        cases = tuple(TemplateCase(case.when, {"zh": case.zh, "en": case.en}) for case in self.cases)
        return Template(id=self.id, version=0, intent=self.intent, cases=cases)


class _PolicyForm(_Form):
    unit: Unit
    value: int | str
    currency: str | None = None


def load_knowledge(folder: Traversable) -> Publication:
    """What a folder holds, as it is written. Raises ConfigError naming the file, the item and what is wrong with it."""
    policies: list[Policy] = []
    templates: list[Template] = []
    entries: list[Entry] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith((".yaml", ".yml")):
            continue
        content = _read(file)
        if file.name == "policies.yaml":
            policies += _policies(file.name, content)
        elif file.name == "templates.yaml":
            templates += [form.template() for form in _forms(file.name, content, _TemplateForm)]
        else:
            entries += [form.entry() for form in _forms(file.name, content, _EntryForm)]
    return Publication(tuple(entries), tuple(templates), tuple(policies))


def _read(file: Traversable) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file.name} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file.name} is not YAML: {error}") from error


def _policies(file_name: str, content: Any) -> list[Policy]:
    if not isinstance(content, dict):
        raise ConfigError(f"{file_name}: write policies as `name: {{unit: …, value: …}}`")
    named = cast("dict[Any, Any]", content)
    forms = ((str(name), _valid(_PolicyForm, value, f"{file_name}, policy {name}")) for name, value in named.items())
    return [Policy(name, form.unit, form.value, form.currency) for name, form in forms]


_F = TypeVar("_F", bound=_Form)


def _forms(file_name: str, content: Any, form: type[_F]) -> list[_F]:
    if not isinstance(content, list):
        raise ConfigError(f"{file_name}: write a list of items, each beginning with `- id:`")
    items = cast("list[Any]", content)
    return [_valid(form, item, f"{file_name}, {_name(item, number)}") for number, item in enumerate(items, start=1)]


def _name(item: Any, number: int) -> str:
    return f"item {number} ({item['id']})" if isinstance(item, dict) and "id" in item else f"item {number}"


def _valid(form: type[_F], value: Any, where: str) -> _F:
    try:
        return form.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where}: {field or 'the item'}: {first['msg']}") from error
