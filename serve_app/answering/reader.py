"""What was asked, as it is understood in its conversation and its shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from serve_app.domain.id_formats import DEMO_FORMATS, Formats
from serve_app.domain.messages import Ask
from serve_app.domain.question import Focus, Understanding
from serve_app.domain.session import Session
from serve_app.domain.understanding import Understander, refocus
from serve_app.domain.wording import today
from serve_app.ports import Clock

# How far back a conversation's topic is looked for when only the client knows it. Understanding a question takes a millisecond.
RETOLD_TURNS = 6


@dataclass(frozen=True, slots=True)
class Shop:
    """What the course needs to know of a tenant."""

    time_zone: str
    currency: str
    formats: Formats = DEMO_FORMATS


class Reader:
    def __init__(self, understander: Understander, shops: Mapping[str, Shop], clock: Clock) -> None:
        self._understander = understander
        self._shops = shops
        self._clock = clock

    def read(self, ask: Ask, text: str, focus: Focus, *, things: bool = True) -> Understanding:
        shop = self._shops[ask.caller.tenant]
        return self._understander.understand(
            text,
            focus,
            today(self._clock.now(), shop.time_zone),
            order_id=ask.order_id,
            sku_id=ask.sku_id,
            locale=ask.locale,
            formats=shop.formats,
            things=things,
        )

    def retold(self, ask: Ask, session: Session) -> Session:
        """A conversation that only the client knows is about what its customer last asked."""
        if not session.from_client or session.focus != Focus():
            return session
        focus = Focus()
        for turn in session.turns[-RETOLD_TURNS:]:
            focus = refocus(focus, self.read(ask, turn.question.text, focus))
        return replace(session, focus=focus)
