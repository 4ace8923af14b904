"""`zerowait knowledge slots`: what a template may name."""

from __future__ import annotations

import sys

from serve_app.domain.slots_help import slots_help


def slots() -> None:
    """List what a template may name: conditions, slots with their types, filters; in English and Chinese."""
    sys.stdout.write(slots_help())
