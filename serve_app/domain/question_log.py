"""What is asked, counted: public questions by their meaning, without who asked them.

The head of the log is what is worth answering before it is asked again, and what a new replica wants in its memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import SourceVersion
from serve_app.domain.messages import NO_ASIDES, Ask, Kind, Language, Tier
from serve_app.domain.normalise import clean
from serve_app.domain.proposals import may_be_kept
from serve_app.domain.question import Understanding

# Of a tenant. Nobody pre-generates more, and a tail of questions that were asked once must not fill the record.
LOGGED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a tenant in one language, and how often it was asked.

    `text` is as it was first asked; a templated question has none, because it may hold what is its customer's own: it is
    counted under its intent. `tier` and `sources` (ids) are of the last answer.
    """

    tenant: str
    kind: Kind
    language: Language
    canonical: str
    text: str
    intent: Intent
    tier: Tier
    sources: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    count: int = 1

    @property
    def id(self) -> str:
        """The same for all that mean the same in a language, within a tenant."""
        return asked_id(self.kind, self.language, self.canonical)


def asked_id(kind: Kind, language: Language, canonical: str) -> str:
    """32 hexadecimal digits."""
    return hashlib.blake2b("\0".join((kind, language, canonical)).encode(), digest_size=16).hexdigest()


def counted_as(ask: Ask, understood: Understanding, *, from_client: bool) -> str | None:
    """The canonical question under which an answered question is counted; None for one that is nobody else's.

    `from_client`: the question stands in a transcript that only its client knows.
    """
    if understood.foreign or from_client or (ask.asides is not NO_ASIDES and ask.asides != NO_ASIDES):
        return None
    if understood.kind is Kind.TEMPLATED:
        return f"@{understood.intent}"
    return understood.canonical if understood.kind is Kind.PUBLIC and _stands_alone(ask, understood) else None


def asked_of(
    ask: Ask, text: str, understood: Understanding, canonical: str, tier: Tier, sources: Sequence[SourceVersion], at: datetime
) -> Asked | None:
    """The question, asked once; None when its words may hold somebody's own things."""
    text = "" if understood.kind is Kind.TEMPLATED else clean(text)
    if understood.kind is Kind.PUBLIC and not may_be_kept(text):
        return None
    ids = tuple(dict.fromkeys(source.id for source in sources))
    return Asked(ask.caller.tenant, understood.kind, understood.language, canonical, text, understood.intent, tier, ids, at, at)


def _stands_alone(ask: Ask, understood: Understanding) -> bool:
    """Its words are the whole question: nothing was carried over, and nothing is attached."""
    return understood.self_contained and not understood.carried and ask.order_id is None and ask.sku_id is None


def counted_again(known: Asked, later: Asked) -> Asked:
    """The same question, asked `later.count` times more."""
    return replace(
        known, count=known.count + later.count, last_at=later.last_at, tier=later.tier, sources=later.sources or known.sources
    )


def headed(asked: Iterable[Asked]) -> list[Asked]:
    """The most often asked first; of equals the one that was asked last."""
    return sorted(asked, key=lambda one: (-one.count, -one.last_at.timestamp(), one.id))
