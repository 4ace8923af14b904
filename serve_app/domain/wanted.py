"""Which parts of the facts an answer is made from, so that the shop's systems are asked for no others."""

from __future__ import annotations

from serve_app.domain.choosing import parts_that_tell
from serve_app.domain.errors import ConfigError
from serve_app.domain.intents import OF_PARCELS, Intent
from serve_app.domain.knowledge import Template
from serve_app.domain.messages import Language
from serve_app.domain.question import Entities
from serve_app.domain.slots import compiled_choice, compiled_text
from serve_app.domain.sources import PARTS

# Whether the shop knows the customer, and how many orders there are.
ALWAYS = frozenset({"customer"})
# To find out whose an order is.
OF_AN_ORDER = ALWAYS | {"orders"}


def parts_wanted(template: Template, entities: Entities, language: Language) -> frozenset[str]:
    """For a question that is answered from `template`: what tells which order is meant, and what its words and cards hold.

    Facts without the other parts give the same answer as facts that have them all.
    """
    try:
        words = [compiled_text(case.text[language], language).reads for case in template.cases]
        conditions = compiled_choice(template.conditions).reads
    except ConfigError:
        # It gives no answer, and that must not depend on what is read here.
        return frozenset(PARTS)
    return ALWAYS.union(conditions, *words, parts_that_tell(template.intent, entities), _on_cards(template.intent))


def _on_cards(intent: Intent) -> frozenset[str]:
    return frozenset({"parcels", "parcel_events"}) if intent in OF_PARCELS else frozenset()
