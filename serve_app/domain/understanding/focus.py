"""What a conversation is about after a turn."""

from __future__ import annotations

from serve_app.domain.intents import REPLIES, Intent
from serve_app.domain.messages import Kind, Option, Suggestion
from serve_app.domain.normalise import canonical_form
from serve_app.domain.question import Entities, Focus, Understanding

# Said between two questions; the topic stays.
_NO_TOPIC = REPLIES | {
    Intent.GREETING,
    Intent.THANKS,
    Intent.GOODBYE,
    Intent.HUMAN,
    Intent.CRISIS,
    Intent.COMPLAINT,
    Intent.CHITCHAT,
}


def refocus(
    focus: Focus,
    understanding: Understanding,
    *,
    order_id: str | None = None,
    offered: tuple[Option, ...] = (),
    suggested: tuple[Suggestion, ...] = (),
    missed: bool = False,
) -> Focus:
    """The next turn's focus. `order_id` is the order that was answered about; `offered` and `suggested` what was shown."""
    # A question that nothing understood changes no topic.
    not_understood = understanding.intent is Intent.OTHER or (understanding.kind is Kind.PUBLIC and not understanding.settled)
    keeps_topic = understanding.intent in _NO_TOPIC or (missed and not_understood)
    keeps_lists = not offered and not suggested and (keeps_topic or _picked_from(focus, understanding))
    return Focus(
        language=focus.language if understanding.foreign else understanding.language,
        intent=focus.intent if keeps_topic else understanding.intent,
        entities=_entities(focus, understanding, keeps_topic=keeps_topic),
        order_id=order_id or understanding.chosen_order_id or _only(understanding.entities.order_ids) or focus.order_id,
        offered=focus.offered if keeps_lists else offered,
        suggested=focus.suggested if keeps_lists else suggested,
        misses=focus.misses + 1 if missed else 0,
    )


def _picked_from(focus: Focus, understanding: Understanding) -> bool:
    """A second pick from the same list may follow."""
    if understanding.chosen_order_id is not None:
        return any(option.id == understanding.chosen_order_id for option in focus.offered)
    return understanding.carried and any(canonical_form(item.question) == understanding.canonical for item in focus.suggested)


def _entities(focus: Focus, understanding: Understanding, *, keeps_topic: bool) -> Entities:
    if understanding.entities == Entities() and (keeps_topic or understanding.carried):
        return focus.entities
    return understanding.entities


def _only(order_ids: tuple[str, ...]) -> str | None:
    return order_ids[0] if len(order_ids) == 1 else None
