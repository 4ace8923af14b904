"""What stands on its own: the customer's own thing, something to be done, or a rule of the shop."""

from __future__ import annotations

from serve_app.domain.intents import ACTIONS, Intent, kind_of
from serve_app.domain.messages import Kind
from serve_app.domain.question import Focus
from serve_app.domain.understanding import markers
from serve_app.domain.understanding.guessing import TOO_LONG_FOR_A_RULE, Guesser
from serve_app.domain.understanding.own_things import own_thing
from serve_app.domain.understanding.reading import Reading, continued_order
from serve_app.domain.understanding.said import Said
from serve_app.domain.understanding.topics import ANYONES, ANYONES_BEFOREHAND, fits, named_in

_TOLD_BY_WEEKDAYS = frozenset({Intent.SHIPPING_TIME, Intent.SUPPORT_HOURS, Intent.DELIVERY_SLOT, Intent.CAMPAIGN})


def standing(said: Said, focus: Focus, guesser: Guesser, plain: str | None = None) -> Reading:
    """A question read without what was said before it, except that it may go on about the same order.

    `plain` is what is to be read of it, if not all.
    """
    plain = plain or said.plain
    if guesser.mixes_topics(plain):
        return Reading(Intent.OTHER, 0.0, Kind.PERSONAL, said.form)
    ruled = own_thing(plain)
    if ruled is Intent.WITHDRAW_RETURN or (ruled is not None and fits(ruled, named_in(plain))):
        if ruled in ACTIONS - {Intent.WITHDRAW_RETURN} and markers.is_reversed(plain):
            return Reading(Intent.OTHER, 0.0, Kind.PERSONAL, said.form)
        order_id = continued_order(said, ruled, focus)
        canonical = f"@{ruled}" if order_id else said.form
        return Reading(ruled, 1.0, kind_of(ruled), canonical, carried=bool(order_id), chosen_order_id=order_id)
    intent, confidence, settled = guesser.guess(plain)
    asked = None if settled else guesser.asked_in_a_clause(plain)
    if asked is not None:
        intent, settled = asked, True
    return Reading(intent, confidence, _kind(said, plain, intent), said.form, settled=settled)


def _kind(said: Said, plain: str, intent: Intent) -> Kind:
    """What mixes own facts with a rule is personal; so is what asks of one order or product, or of one day."""
    kind = kind_of(intent)
    if kind is not Kind.PUBLIC:
        return kind
    anyones = intent in ANYONES or (intent in ANYONES_BEFOREHAND and not markers.asks_whether_done(plain))
    particular = (
        (markers.is_own(plain) and not anyones)
        or (said.entities.names_an_order and not said.attached)
        or (bool(said.entities.sku_ids) and not said.attached)
        or (said.attached and markers.asks_of_this_one(plain))
        or (bool(said.entities.dates) and intent not in _TOLD_BY_WEEKDAYS)
        or len(plain) > TOO_LONG_FOR_A_RULE
    )
    return Kind.PERSONAL if particular else Kind.PUBLIC
