"""Knowledge files: what is read, and what is said about files that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from serve_app.adapters.knowledge_file import load_knowledge, read_file
from serve_app.adapters.yaml_knowledge import read_yaml, yaml_of
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.drafting import Unreadable, located
from serve_app.domain.errors import ConfigError
from serve_app.domain.policies import Policy
from serve_app.domain.publication import Unpublishable, filled

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
        ("returns.yaml", "- id: [", ": this is not YAML"),
        ("returns.yaml", "id: returns", "returns.yaml:1: write a list"),
        ("returns.yaml", ENTRY.replace("can I", ""), "returns.yaml:5: returns: en.questions: "),
        (
            "returns.yaml",
            ENTRY.replace("return_policy", "retrun_policy"),
            "intent: there is no such intent: did you mean return_policy?",
        ),
        ("returns.yaml", ENTRY + "  colour: red", "returns.yaml:6: returns: colour"),
        ("returns.yaml", ENTRY + ENTRY, "returns.yaml:7: returns stands on line 2 already"),
        ("returns.yaml", ENTRY + "  zh: {questions: [q], answer: a}", "returns.yaml:6: 'zh' is there twice"),
        ("returns.yaml", ENTRY.replace("{questions: [能退吗], answer: 可以。}", "yes"), "returns.yaml:4: returns: zh: write"),
        ("returns.yaml", ENTRY + "  valid_to: soon", "returns.yaml:6: returns: valid_to: it is 'soon': write it as 2026-12-10"),
        ("policies.yaml", "a: {unit: days, value: 1}\na: {unit: days, value: 2}", "policies.yaml:2: 'a' is there twice"),
        ("returns.yaml", "[" * 10_000, "returns.yaml:1: this is not YAML: it is nested too deeply"),
        ("templates.yaml", "- {id: tier, intent: tier, cases: []}", "templates.yaml:1: tier: cases"),
        ("templates.yaml", "- {id: tier, intent: tier, cases: x}", "templates.yaml:1: tier: cases: write a list under it"),
        ("policies.yaml", "- 1", "policies.yaml:1: write policies as"),
        ("policies.yaml", "\nfee: {unit: pounds, value: 1}", "policies.yaml:2: policy fee: unit"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as error:
        load_knowledge(tmp_path)
    assert complaint in str(error.value)


def test_every_slip_of_a_template_is_told_with_its_place() -> None:
    text = """
- id: tier
  intent: tier
  cases: [{zh: "{customer.tier_name}", en: ok}]
- id: mine
  intent: my_orders
  cases:
    - {when: no_orders, zh: 好, en: ok}
    - zh: |
        {order_count}
      en: "{order_cuont}"
"""
    reading = read_yaml("templates.yaml", text, "UTC")
    with pytest.raises(Unpublishable) as error:
        filled(reading.publication())
    told = located(error.value, reading.places).problems
    assert [problem.partition(": there")[0] for problem in told] == [
        "templates.yaml:8: template mine, case 1",
        "templates.yaml:11: template mine, case 2, en",
    ]
    assert "did you mean no_order?" in told[0]
    assert "did you mean order_count?" in told[1]


def test_every_bad_item_is_told_at_once() -> None:
    with pytest.raises(Unreadable) as error:
        read_file(
            "returns.yaml", (ENTRY.replace("return_policy", "x") + ENTRY.replace("returns", "other") + "  y: 1").encode(), "UTC"
        )
    assert [problem.split(": ")[0] for problem in error.value.problems] == ["returns.yaml:3", "returns.yaml:11"]


def test_what_is_written_reads_back() -> None:
    knowledge = demo_knowledge()
    files = yaml_of(knowledge)
    entries = read_yaml("entries.yaml", files["entries.yaml"], "UTC")
    assert tuple(patch.onto(None) for patch in entries.entries) == knowledge.entries
    assert read_yaml("templates.yaml", files["templates.yaml"], "UTC").templates == knowledge.templates
    assert read_yaml("policies.yaml", files["policies.yaml"], "UTC").policies == knowledge.policies


@pytest.mark.parametrize("written", ["2026-12-10", "2026-12-10 00:00", "2026-12-10 00:00:00", "2026-12-09T16:00:00Z"])
def test_times_without_an_offset_are_the_shops(written: str) -> None:
    (patch,) = read_yaml("returns.yaml", f"{ENTRY}  valid_from: {written}\n", "Asia/Shanghai").entries
    assert patch.given.get("valid_from") == datetime(2026, 12, 9, 16, tzinfo=UTC)


def test_what_an_entry_was_derived_from_is_written_and_read() -> None:
    text = ENTRY + "  derived_from: {freight: 3}\n"
    publication = read_yaml("returns.yaml", text, "UTC").publication()
    assert [(source.id, source.version) for source in publication.entries[0].derived_from] == [("freight", 3)]
    assert read_yaml("entries.yaml", yaml_of(publication)["entries.yaml"], "UTC").publication() == publication
