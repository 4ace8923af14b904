"""The set-up, for real: an environment that cannot be completed leaves one line and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve_app.bootstrap import Setup
from serve_app.domain.errors import ConfigError

_HASH = "--hash=sha256:" + "0" * 64


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No package source answers."""
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")


@pytest.mark.usefixtures("nowhere")
def test_a_download_that_fails_is_one_line_and_nothing_is_left(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements"
    requirements.mkdir()
    (requirements / "cpu.txt").write_text(f"nosuchpackage==1.0 {_HASH}\n")
    (requirements / "torch-cpu.txt").write_text("torch\n")
    setup = Setup(tmp_path / ".venv", requirements, "cpu", "http://127.0.0.1:9/whl")
    with pytest.raises(ConfigError) as raised:
        setup.make()
    message = str(raised.value)
    assert "nosuchpackage==1.0" in message
    assert "PIP_INDEX_URL" in message
    assert "\n" not in message
    assert not setup.venv.exists()
    assert not setup.is_complete()
    assert "nosuchpackage" in setup.log.read_text()
