"""Strings at which a text ends, found while it grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StopStep:
    """`text` belongs to the answer. When `stopped`, nothing more does."""

    text: str
    stopped: bool = False


class StopStrings:
    """Ends a text before the first of some strings that is complete; of two that end together, before the longer one.

    Only the longest tail that may become one is held back. How the text is cut into pieces makes no difference.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        """`stops`: none of them empty."""
        self._stops = stops
        self._held_max = max(map(len, stops), default=1) - 1
        self._held: str = ""
        self._stopped = False

    def feed(self, text: str) -> StopStep:
        if self._stopped:
            return StopStep("", stopped=True)
        text = self._held + text
        found = [(start + len(stop), start) for stop in self._stops if (start := text.find(stop)) >= 0]
        if found:
            self._held, self._stopped = "", True
            return StopStep(text[: min(found)[1]], stopped=True)
        until = self._certain(text)
        self._held = text[until:]
        return StopStep(text[:until])

    def end(self) -> str:
        """What was held back, when the text has ended."""
        held, self._held = self._held, ""
        return held

    def _certain(self, text: str) -> int:
        for start in range(max(0, len(text) - self._held_max), len(text)):
            if any(stop.startswith(text[start:]) for stop in self._stops):
                return start
        return len(text)
