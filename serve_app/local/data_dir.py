"""The data folder of a local start."""

from __future__ import annotations

from pathlib import Path

from serve_app.domain.errors import ConfigError


def make_data_dir(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError(f"the data folder {folder} cannot be written: {error.strerror}; name another: --data-dir") from error
