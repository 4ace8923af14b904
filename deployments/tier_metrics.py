"""The tiers as Prometheus sees them, through Ray's metrics."""

from __future__ import annotations

import asyncio
from collections import Counter as Counts
from typing import cast

from ray.serve.metrics import Counter, Histogram

from serve_app.domain.sharing import Refusal, Stale
from serve_app.domain.tier_counts import Tally
from serve_app.ports import Eviction

# Counting in Ray takes some microseconds a count, which a question from memory would feel: what was counted is told in lots.
TOLD_EVERY_S = 1.0
AGES_S = [1.0, 10.0, 60.0, 600.0, 3600.0, 6 * 3600.0, 24 * 3600.0, 7 * 24 * 3600.0]

# Each counter's name, what it counts, and its labels. Tenants are those of the configuration.
_COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "zerowait_answers": ("New questions, by the tier that answered.", ("tenant", "tier", "source", "kind")),
    "zerowait_tier_eligible": ("New questions that the tier could have answered.", ("tenant", "tier")),
    "zerowait_head_answers": ("Questions of the published head, by the tier that answered.", ("tenant", "tier")),
    "zerowait_candidates_refused": ("Near entries that were not taken for the answer, by the gate.", ("gate",)),
    "zerowait_admissions": ("Finished answers to shareable questions, by what became of them.", ("outcome",)),
    "zerowait_stale_reads": ("Shared answers that were there and not said, by why.", ("why",)),
    "zerowait_regenerations": ("Questions of the shared tiers that were to be put to the model again, by how.", ("how",)),
    "zerowait_memory_evictions": ("Shared answers that left this process's memory, by why.", ("why",)),
}


class TierMetrics:
    """The port `TierCounts`. One a process; `run` tells Ray."""

    def __init__(self) -> None:
        self._counters = {
            # Ray's annotation says one label; it takes any number.
            name: Counter(name, description=about, tag_keys=cast(tuple[str], labels))
            for name, (about, labels) in _COUNTERS.items()
        }
        self._age = Histogram(
            "zerowait_shared_age_s",
            description="Age of a shared answer when it is said.",
            boundaries=AGES_S,
            tag_keys=("tier",),
        )
        self._untold: Counts[tuple[str, tuple[str, ...]]] = Counts()

    def answered(self, tally: Tally) -> None:
        tenant, tier = tally.tenant, tally.tier
        self._count("zerowait_answers", tenant, tier, tally.source, tally.kind)
        for eligible in tally.eligible:
            self._count("zerowait_tier_eligible", tenant, eligible)
        if tally.in_head:
            self._count("zerowait_head_answers", tenant, tier)
        for gate in tally.refused:
            self._count("zerowait_candidates_refused", gate)
        if tally.age_s is not None:
            self._age.observe(tally.age_s, tags={"tier": tier})

    def offered(self, refusal: Refusal | None) -> None:
        self._count("zerowait_admissions", refusal or "admitted")

    def not_said(self, why: Stale) -> None:
        self._count("zerowait_stale_reads", why)

    def evicted(self, why: Eviction) -> None:
        self._count("zerowait_memory_evictions", why)

    def regenerated(self, how: str) -> None:
        self._count("zerowait_regenerations", how)

    async def run(self) -> None:
        """Until cancelled; what was counted until then is told."""
        try:
            while True:
                await asyncio.sleep(TOLD_EVERY_S)
                self.tell()
        finally:
            self.tell()

    def tell(self) -> None:
        untold, self._untold = self._untold, Counts()
        for (name, values), count in untold.items():
            labels = _COUNTERS[name][1]
            self._counters[name].inc(count, tags=dict(zip(labels, values, strict=True)))

    def _count(self, name: str, *labels: str) -> None:
        self._untold[name, labels] += 1
