"""What a question adds to the counts of the tiers: which tier answered it, and for which it was one that could."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from serve_app.domain.messages import AnswerSource, Kind, Tier

# Where an answer may come from that nobody is asked to think about.
SHARED_TIERS: frozenset[Tier] = frozenset({"memory", "redis", "faq"})
NO_TIERS: frozenset[Tier] = frozenset()


@dataclass(frozen=True, slots=True)
class Told:
    """How a new question was answered, up to the first piece of its answer.

    `source` is "error" when it failed before that. `shareable`: public and self-contained, so that it has an answer key.
    """

    tenant: str
    kind: Kind
    tier: Tier
    source: AnswerSource | Literal["error"]
    shareable: bool = False
    has_customer: bool = False
    model_may: bool = False
    in_head: bool = False
    created_at: datetime | None = None  # when the words were made, for a shared answer
    refused: tuple[str, ...] = ()  # the gates that refused near entries, one for each


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted. Every question has one tier, so that the counts by tier add up to all questions."""

    tenant: str
    tier: Tier
    source: str
    kind: Kind
    eligible: frozenset[Tier]
    in_head: bool
    age_s: float | None
    refused: tuple[str, ...]


def tally(told: Told, now: datetime) -> Tally:
    """The tier that answered is always among the eligible ones: a rate by tier is at most 1."""
    age_s = max(0.0, (now - told.created_at).total_seconds()) if told.created_at is not None else None
    return Tally(
        told.tenant, told.tier, told.source, told.kind, _eligible(told), told.in_head and _asks(told), age_s, told.refused
    )


def _asks(told: Told) -> bool:
    """While a person has the conversation no tier is asked."""
    return told.source != "agent"


def _eligible(told: Told) -> frozenset[Tier]:
    if not _asks(told):
        return NO_TIERS
    tiers: set[Tier] = set()
    if told.shareable:
        tiers |= SHARED_TIERS
    if told.kind is Kind.TEMPLATED and told.has_customer:
        tiers.add("template")
    if told.model_may:
        tiers.add("model")
    if told.tier != "none":
        tiers.add(told.tier)
    return frozenset(tiers)
