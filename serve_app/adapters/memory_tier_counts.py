"""The tiers' counts in memory, for tests and benchmarks."""

from __future__ import annotations

from collections import Counter

from serve_app.domain.messages import Tier
from serve_app.domain.sharing import Refusal, Stale
from serve_app.domain.tier_counts import Tally
from serve_app.ports import Eviction


class MemoryTierCounts:
    """The port `TierCounts`. Everything may be read."""

    def __init__(self) -> None:
        self.answers: Counter[Tier] = Counter()
        self.sources: Counter[str] = Counter()
        self.eligible: Counter[Tier] = Counter()
        self.head: Counter[Tier] = Counter()
        self.gates: Counter[str] = Counter()
        self.ages_s: list[float] = []
        self.offers: Counter[str] = Counter()
        self.stale: Counter[Stale] = Counter()
        self.evictions: Counter[Eviction] = Counter()
        self.regenerations: Counter[str] = Counter()

    def answered(self, tally: Tally) -> None:
        self.answers[tally.tier] += 1
        self.sources[tally.source] += 1
        self.eligible.update(tally.eligible)
        if tally.in_head:
            self.head[tally.tier] += 1
        if tally.age_s is not None:
            self.ages_s.append(tally.age_s)
        self.gates.update(tally.refused)

    def offered(self, refusal: Refusal | None) -> None:
        self.offers[refusal or "admitted"] += 1

    def not_said(self, why: Stale) -> None:
        self.stale[why] += 1

    def evicted(self, why: Eviction) -> None:
        self.evictions[why] += 1

    def regenerated(self, how: str) -> None:
        self.regenerations[how] += 1
