"""The demo shop's own declaration of its sources: the same form that any shop writes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from pydantic import TypeAdapter

from serve_app.source_settings import Source

SHOP_FILE = "shop.db"


def demo_sources() -> tuple[Source, ...]:
    declared: Any = yaml.safe_load(files("serve_app.demo").joinpath("sources.yaml").read_text(encoding="utf-8"))
    return TypeAdapter(tuple[Source, ...]).validate_python(declared["sources"])


def demo_url(data_dir: Path) -> str:
    """SQLAlchemy's URL of the demo shop's database, read-only: a shop that was not made yet is an error, not an empty file."""
    return f"sqlite+aiosqlite:///file:{quote(str(data_dir / SHOP_FILE))}?mode=ro&uri=true"
