"""Proposed variants in this process's memory: a fake for tests, under the same contract tests as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from serve_app.domain.proposals import PROPOSED_MAX, Proposal, State, Variant, proposal_id


class MemoryProposals:
    """The port `Proposals`."""

    def __init__(self, most: int = PROPOSED_MAX) -> None:
        self._most = most
        self._kept: dict[tuple[str, str], Proposal] = {}

    async def keep(self, tenant: str, variant: Variant, now: datetime) -> None:
        key = (tenant, proposal_id(variant))
        if key not in self._kept and len(await self.list(tenant, "proposed", self._most)) == self._most:
            return
        known = self._kept.get(key) or Proposal(key[1], variant, 0, now, now)
        self._kept[key] = replace(known, count=known.count + 1, last_seen=now)

    async def list(self, tenant: str, state: State, limit: int) -> Sequence[Proposal]:
        found = [proposal for (owner, _), proposal in self._kept.items() if owner == tenant and proposal.state == state]
        return sorted(found, key=lambda proposal: (-proposal.count, proposal.id))[:limit]

    async def find(self, tenant: str, proposal_id: str) -> Proposal | None:
        return self._kept.get((tenant, proposal_id))

    async def decide(self, tenant: str, proposal_id: str, state: State, by: str, now: datetime) -> None:
        if proposal := self._kept.get((tenant, proposal_id)):
            self._kept[tenant, proposal_id] = replace(proposal, state=state, decided_by=by, decided_at=now)
