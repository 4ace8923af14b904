"""What the README says that code can check."""

from __future__ import annotations

from pathlib import Path

from serve_app.config_reference import with_reference

ROOT = Path(__file__).parents[2]


def test_the_configuration_reference_is_the_codes() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_reference(readme) == readme, "run `python -m serve_app.config_reference README.md`"


def test_the_languages_link_to_each_other_first() -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[0] == "[中文](README.zh-CN.md)"
    assert (ROOT / "README.zh-CN.md").read_text(encoding="utf-8").splitlines()[0] == "[English](README.md)"
