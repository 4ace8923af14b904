"""Understanding that remembers what it has read: the head of the questions is asked again and again.

What is remembered is the value of a pure function, so it never grows old; the least recently asked goes first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache

from serve_app.domain.id_formats import DEMO_FORMATS, Formats
from serve_app.domain.question import Focus, Understanding
from serve_app.domain.understanding.guessing import Classify
from serve_app.domain.understanding.subjects import SUBJECTS
from serve_app.domain.understanding.understander import TOO_LONG_TO_READ, Leaning, Understander

# Questions, each as it is read without a conversation; and as many within one. A kilobyte each.
REMEMBERED = 8192
_NO_FOCUS = Focus()


class RememberingUnderstander(Understander):
    def __init__(self, classify: Classify, detect: Callable[[str], tuple[str, float]], remembered: int = REMEMBERED) -> None:
        super().__init__(classify, detect)
        self._alone = lru_cache(remembered)(self._read_alone)
        self._within = lru_cache(remembered)(self._read_within)

    def understand(
        self,
        text: str,
        focus: Focus,
        today: date,
        *,
        order_id: str | None = None,
        sku_id: str | None = None,
        locale: str | None = None,
        formats: Formats = DEMO_FORMATS,
        things: bool = True,
    ) -> Understanding:
        """See `Understander`."""
        if len(text) > TOO_LONG_TO_READ:
            return self._read_within(text, focus, today, order_id, sku_id, locale, formats, things)
        alone, leaning = self._alone(text, today, order_id, sku_id, locale, formats, things)
        if focus == _NO_FOCUS:
            return alone
        looked_at = Focus(
            focus.language,
            focus.intent,
            order_id=focus.order_id,
            offered=focus.offered,
            suggested=focus.suggested,
            misses=min(focus.misses, 1),
        )
        if leaning != "conversation" and self.is_about_a_rule(focus):
            if leaning == "nothing" or focus.intent not in SUBJECTS:
                return alone
            looked_at = Focus(intent=focus.intent)
        return self._within(text, looked_at, today, order_id, sku_id, locale, formats, things)

    def _read_alone(
        self,
        text: str,
        today: date,
        order_id: str | None,
        sku_id: str | None,
        locale: str | None,
        formats: Formats,
        things: bool,
    ) -> tuple[Understanding, Leaning]:
        """The understanding, and on what it leans after another rule."""
        understood = self._read_within(text, _NO_FOCUS, today, order_id, sku_id, locale, formats, things)
        return understood, self.leaning(understood)

    def _read_within(
        self,
        text: str,
        focus: Focus,
        today: date,
        order_id: str | None,
        sku_id: str | None,
        locale: str | None,
        formats: Formats,
        things: bool,
    ) -> Understanding:
        return super().understand(
            text, focus, today, order_id=order_id, sku_id=sku_id, locale=locale, formats=formats, things=things
        )
