"""The number-and-date guard: a figure that stands in no source stops a model's answer before it reaches the customer."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from serve_app.domain.figures import FIGURE, OPEN, Match, Reading, allowed_by, plain, readings_of

# How much of what was released is kept: the longest look behind of a figure's pattern.
_CONTEXT_CHARS = 48


@dataclass(frozen=True, slots=True)
class GuardStep:
    """`text` may be shown. When `tripped`, nothing more may: the next thing is an untold figure."""

    text: str
    tripped: bool = False


class FigureGuard:
    """Streams a text and stops it before the first figure that is in none of `allowed_texts`. Figures compare by meaning.

    Only a tail that may be a figure, or part of one, is held back. The counters of a list are let through where they count: at
    the start of a line, from 1, one after the other up to 9. How the text is cut into pieces makes no difference.
    """

    def __init__(self, allowed_texts: Iterable[str], today: date | None = None) -> None:
        """With `today`, the shop's day, 明天 and Monday also pass where their date stands in the sources."""
        self._today = today
        self._allowed: set[Reading] = set()
        for text in allowed_texts:
            self._allowed |= allowed_by(text)
        self._context = "\n"  # what came before, for the patterns: a text begins as a line does
        self._pending = ""
        self._tripped = False
        self._counted = 0

    def feed(self, text: str) -> GuardStep:
        self._pending += text
        return self._release(ended=False)

    def end(self) -> GuardStep:
        """Whatever was held back, when the text has ended."""
        return self._release(ended=True)

    def _release(self, *, ended: bool) -> GuardStep:
        if self._tripped:
            return GuardStep("", tripped=True)
        text = self._context + plain(self._pending)
        position = len(self._context)
        until = len(text) if ended else _open_from(text, position)
        # A figure that begins before the open tail is whole: more text would not change what it is.
        while (found := FIGURE.search(text, position)) is not None and found.start() < until:
            if not self._is_told(found, text):
                self._tripped = True
                until = found.start()
                break
            position = found.end()
            until = max(until, position)
        count = until - len(self._context)
        shown, self._pending = self._pending[:count], self._pending[count:]
        self._context = text[max(0, until - _CONTEXT_CHARS) : until]
        return GuardStep(shown, self._tripped)

    def _is_told(self, found: Match, text: str) -> bool:
        readings = readings_of(found, text, self._today)
        if readings is None:
            return True
        if found.lastgroup == "list":
            return self._counts_on(found.group()[0])
        return not readings.isdisjoint(self._allowed)

    def _counts_on(self, counter: str) -> bool:
        number = unicodedata.digit(counter)
        if number not in (1, self._counted + 1):
            return ("n", number) in self._allowed
        self._counted = number
        return True


def _open_from(text: str, position: int) -> int:
    found = OPEN.search(text, position, partial=True)
    return found.start() if found else len(text)
