"""Knowledge files: what is read, and what is said about files that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve_app.adapters.yaml_knowledge import load_knowledge
from serve_app.domain.errors import ConfigError
from serve_app.domain.policies import Policy

ENTRY = """
- id: returns
  intent: return_policy
  zh: {questions: [能退吗], answer: 可以。}
  en: {questions: [can I], answer: Yes.}
"""


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "policies.yaml").write_text("fee: {unit: minor, value: 800, currency: CNY}")
    (tmp_path / "returns.yaml").write_text(ENTRY)
    (tmp_path / "templates.yaml").write_text("- {id: tier, intent: tier, cases: [{zh: 好, en: ok}]}")
    (tmp_path / "notes.txt").write_text("not read")
    knowledge = load_knowledge(tmp_path)
    assert [entry.id for entry in knowledge.entries] == ["returns"]
    assert [template.id for template in knowledge.templates] == ["tier"]
    assert knowledge.policies == (Policy("fee", "minor", 800, "CNY"),)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("returns.yaml", "- id: [", "returns.yaml is not YAML"),
        ("returns.yaml", "id: returns", "returns.yaml: write a list"),
        ("returns.yaml", ENTRY.replace("can I", ""), "returns.yaml, item 1 (returns): en.questions: "),
        ("returns.yaml", ENTRY.replace("return_policy", "retrun_policy"), "returns.yaml, item 1 (returns): intent"),
        ("returns.yaml", ENTRY + "  colour: red", "returns.yaml, item 1 (returns): colour"),
        ("templates.yaml", "- {id: tier, intent: tier, cases: []}", "templates.yaml, item 1 (tier): cases"),
        ("policies.yaml", "- 1", "policies.yaml: write policies as"),
        ("policies.yaml", "fee: {unit: pounds, value: 1}", "policies.yaml, policy fee: unit"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as error:
        load_knowledge(tmp_path)
    assert complaint in str(error.value)
