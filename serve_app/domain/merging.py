"""What a customer sends in several messages before it is answered is one question: 在吗 / 我那个订单 / 怎么还没到."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

from serve_app.domain.messages import Ask

# So many messages are one question at most. Whoever goes on typing is answered in between.
MESSAGES_MAX = 8


@dataclass(frozen=True, slots=True)
class Question:
    """Messages that are answered together. `alone`: no further one may join."""

    parts: tuple[Ask, ...]
    alone: bool = False

    @property
    def ask(self) -> Ask:
        """One question under the first message's id, its texts joined by line breaks."""
        return reduce(_joined, self.parts)

    @property
    def message_ids(self) -> tuple[str, ...]:
        return tuple(part.message_id for part in self.parts)

    def apart(self) -> tuple[Question, ...]:
        """Each message by itself, never to be joined again."""
        return tuple(Question((part,), alone=True) for part in self.parts)


def together(earlier: Question, later: Question, chars_max: int) -> Question | None:
    """Both as one question; None when they must stay apart.

    A tap (`choice`) is always by itself, and so are messages that were asked from different orders or products, or by
    different callers. No question is longer than `chars_max` characters, or than `MESSAGES_MAX` messages.
    """
    if earlier.alone or later.alone or len(earlier.parts) + len(later.parts) > MESSAGES_MAX:
        return None
    first, second = earlier.ask, later.ask
    if first.question is None or second.question is None or first.caller != second.caller:
        return None
    if not _agree(first.order_id, second.order_id) or not _agree(first.sku_id, second.sku_id):
        return None
    if len(first.question) + 1 + len(second.question) > chars_max:
        return None
    return Question(earlier.parts + later.parts)


def gathered(waiting: list[Question], chars_max: int) -> tuple[Question, list[Question]]:
    """The next question, with all that directly follow it and may join it; and those that still wait."""
    question = waiting[0]
    for index, later in enumerate(waiting[1:], 1):
        joined = together(question, later, chars_max)
        if joined is None:
            return question, waiting[index:]
        question = joined
    return question, []


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _joined(first: Ask, second: Ask) -> Ask:
    return replace(
        first,
        question=f"{first.question}\n{second.question}",
        order_id=first.order_id or second.order_id,
        sku_id=first.sku_id or second.sku_id,
        locale=second.locale or first.locale,
        merged=(*first.merged, *second.message_ids),
    )
