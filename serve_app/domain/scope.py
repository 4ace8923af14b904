"""What the words about a fact depend on besides the fact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from serve_app.domain.facts import Order
from serve_app.domain.wording import Locale, today


@dataclass(frozen=True, slots=True)
class Scope:
    """`now` is an aware instant; `missing` names the parts of the facts of which something may be lacking."""

    locale: Locale
    now: datetime
    missing: frozenset[str] = frozenset()
    order: Order | None = None  # the one that the fact belongs to

    @property
    def today(self) -> date:
        return today(self.now, self.locale.time_zone)

    @property
    def currency(self) -> str:
        return self.order.currency if self.order else self.locale.currency
