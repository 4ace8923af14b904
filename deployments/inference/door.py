"""The front of an engine that is an application of its own."""

from __future__ import annotations


class Door:
    """Serve wants a front for every application and, behind HAProxy, none with a router of its own. Nobody knocks here: a
    gateway asks `Inference`, which stands behind it, by name."""

    def __init__(self, engine: object) -> None:
        self._engine = engine
