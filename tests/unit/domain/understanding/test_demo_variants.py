"""A published variant answers only if it is understood as a public question that stands on its own."""

from datetime import date
from importlib import resources
from typing import Any

import yaml

from serve_app.domain.messages import Kind
from serve_app.domain.normalise import canonical_form
from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander


def test_the_demo_shops_variants_reach_their_entries(understander: Understander, today: date):
    entries: list[dict[str, Any]] = []
    for file in (resources.files("serve_app.demo") / "knowledge").iterdir():
        if file.name.endswith(".yaml"):
            loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
            entries += [item for item in loaded if "questions" in item.get("zh", {})] if isinstance(loaded, list) else []
    astray: list[str] = []
    for entry in entries:
        for language in ("zh", "en"):
            for question in entry[language]["questions"]:
                understood = understander.understand(question, Focus(), today)
                keys = (canonical_form(question), f"@{entry['intent']}")
                if understood.kind is not Kind.PUBLIC or understood.canonical not in keys:
                    astray.append(question)
    assert astray == []
