"""What `zerowait knowledge slots` and docs/templates.md say of templates is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serve_app.adapters.yaml_knowledge import read_yaml
from serve_app.cli.knowledge import app
from serve_app.domain.intents import TEMPLATED
from serve_app.domain.slot_table import SLOTS
from serve_app.domain.slot_types import THINGS, Kind
from serve_app.domain.slots import compiled_choice, compiled_text
from serve_app.domain.slots_help import slots_help
from serve_app.domain.template_check import check_template
from serve_app.domain.template_filters import FILTERS
from serve_app.domain.template_subject import ROOTS

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")


def test_the_command_prints_it() -> None:
    result = CliRunner().invoke(app, ["slots"])
    assert result.exit_code == 0
    assert result.stdout == slots_help()


def test_the_page_holds_it() -> None:
    assert PAGE.endswith(slots_help()), "write the end of docs/templates.md anew: `zerowait knowledge slots`"


def test_every_slot_condition_and_filter_is_there() -> None:
    said = slots_help()
    names = [*ROOTS, *(f"{THINGS[fact]}.{name}" for fact, slots in SLOTS.items() for name in slots)]
    assert [name for name in names if f"| `{name}` |" not in said] == []
    assert [name for name in FILTERS if f"\\| {name}" not in said] == []
    assert not re.search(r"\| *\|", said), "an empty cell"


def test_the_filters_examples_work() -> None:
    for name, found in FILTERS.items():
        example = found.example.partition(", {n")[0]
        compiled_text(example, "en")
        assert name in example


@pytest.mark.parametrize("name", [name for name, root in ROOTS.items() if root.type.kind is Kind.CONDITION])
def test_a_condition_by_name_is_a_condition(name: str) -> None:
    compiled_choice((f"{name} and not {name}",))


def test_the_pages_template_may_be_published() -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    templates = read_yaml("templates.yaml", found[1], "Asia/Shanghai").templates
    assert templates
    check_template(templates[0])


def test_the_page_names_every_intent() -> None:
    assert [intent for intent in TEMPLATED if f"`{intent}`" not in PAGE] == []
