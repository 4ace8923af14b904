"""What is set aside, in this process's memory: a fake for tests, under the same contract tests as SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from serve_app.domain.aside import SET_ASIDE_MAX, Complaint, Decision, SetAside, State, after, decided, not_said


class MemorySetAsides:
    """The port `SetAsides`."""

    def __init__(self, most: int = SET_ASIDE_MAX) -> None:
        self._most = most
        self._rows: dict[str, dict[str, SetAside]] = {}
        self._versions: dict[str, int] = {}

    async def complain(self, tenant: str, complaint: Complaint) -> bool:
        rows = self._rows.setdefault(tenant, {})
        known = rows.get(complaint.id)
        if known is None and len(rows) >= self._most:
            restored = [row for row in rows.values() if row.state == "restored"]
            if not restored:
                return False
            del rows[min(restored, key=lambda row: (row.last_at, row.id)).id]
        self._keep(tenant, after(complaint, known))
        return True

    async def version(self, tenant: str) -> int:
        return self._versions.get(tenant, 0)

    async def not_said(self, tenant: str) -> frozenset[str]:
        return not_said(list(self._rows.get(tenant, {}).values()))

    async def list(self, tenant: str, states: Collection[State], limit: int) -> Sequence[SetAside]:
        found = [row for row in self._rows.get(tenant, {}).values() if row.state in states]
        return sorted(found, key=lambda row: (-row.count, row.id))[:limit]

    async def find(self, tenant: str, aside_id: str) -> SetAside | None:
        return self._rows.get(tenant, {}).get(aside_id)

    async def decide(self, tenant: str, aside_id: str, decision: Decision, by: str, now: datetime) -> SetAside:
        row = decided(await self.find(tenant, aside_id), aside_id, decision, by, now)
        self._keep(tenant, row)
        return row

    def _keep(self, tenant: str, row: SetAside) -> None:
        self._rows[tenant][row.id] = row
        self._versions[tenant] = self._versions.get(tenant, 0) + 1
