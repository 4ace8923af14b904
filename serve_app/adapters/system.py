"""The machine's clock and its source of ids."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    """The port `Clock`."""

    def now(self) -> datetime:
        return utc_now()

    def monotonic(self) -> float:
        return time.monotonic()


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """`ses_…`: 128 random bits, so that an id cannot be guessed."""
    return f"{prefix}_{secrets.token_urlsafe(16)}"
