"""Public questions after a detail that no entry names: the head of what the model is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import yaml

from serve_app.domain.messages import Language


def details(language: Language, about: Literal["patterns", "campaign"] = "patterns") -> Iterator[str]:
    """Every pattern of `details.yaml` with each of its words; or those about the campaign."""
    told: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("details.yaml").read_text(encoding="utf-8"))[language]
    for pattern in told[about]:
        name = pattern.partition("{")[2].partition("}")[0]
        for word in told[name]:
            yield pattern.format(**{name: word})
