"""Secrets that this machine makes for itself, in files that only their owner may read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from serve_app.domain.errors import ConfigError


def read(path: Path) -> str | None:
    """The secret in `path`, or None when there is no such file (or an empty one). Raises ConfigError."""
    try:
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"the secret in {path} cannot be read: {error.strerror}") from error


def write(path: Path, secret: str) -> None:
    """Puts `secret` into `path`, whole or not at all, mode 0600. Raises ConfigError."""
    try:
        _put(path, secret, os.replace)
    except OSError as error:
        raise ConfigError(f"the secret in {path} cannot be written: {error.strerror}") from error


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The secret in `path`, made when there is none. Of several processes that try at once one makes it. Raises ConfigError."""
    secret = read(path)
    if secret is not None:
        return secret
    try:
        # A link, unlike a rename, fails when another process was quicker.
        _put(path, make(), os.link)
    except FileExistsError:
        if read(path) is None:
            raise ConfigError(f"the secret in {path} is empty: remove the file") from None
    except OSError as error:
        raise ConfigError(f"the secret in {path} cannot be written: {error.strerror}") from error
    return read_or_make(path, make)


def _put(path: Path, secret: str, place: Callable[[str, Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Made with mode 0600 and under another name, so that nobody ever sees half of it.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
        place(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
