"""The questions that the chat page of a shop offers to begin with: ones that its own knowledge answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.messages import Language

STARTERS = 6
# Of a customer's starters, how many are about their own things.
OWN_MOST = 3
LANGUAGES: tuple[Language, ...] = ("zh", "en")

_OWN: Mapping[Intent, Mapping[Language, str]] = {
    Intent.PARCEL: {"zh": "我的快递到哪了？", "en": "Where is my parcel?"},
    Intent.ORDER_STATUS: {"zh": "我的订单什么状态？", "en": "What is the status of my order?"},
    Intent.REFUND_PROGRESS: {"zh": "我的退款到哪了？", "en": "Where is my refund?"},
    Intent.TIER: {"zh": "我是什么会员等级？", "en": "What is my membership tier?"},
}


def starters(entries: Sequence[Entry], templates: Collection[Template], now: datetime) -> dict[Language, dict[str, list[str]]]:
    """By language, for an `anonymous` visitor and for a `customer`: at most six each, in the order of the knowledge.

    An entry is asked by the first of its questions, which answers by itself; a customer's own things only where there is a
    template for them.
    """
    shown = [entry for entry in entries if entry.suggested and entry.is_valid(now)]
    intents = {template.intent for template in templates}
    made: dict[Language, dict[str, list[str]]] = {}
    for language in LANGUAGES:
        public = [entry.questions[language][0] for entry in shown if entry.questions.get(language)][:STARTERS]
        own = [words[language] for intent, words in _OWN.items() if intent in intents][:OWN_MOST]
        made[language] = {"anonymous": public, "customer": [*own, *public][:STARTERS]}
    return made
