"""Answers that are set aside until a person has looked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from serve_app.domain.aside import Complaint, Decision, SetAside, State


class SetAsides(Protocol):
    """Complaints about answers, in the system of record: one row a question. Every method raises StoreFailed."""

    async def complain(self, tenant: str, complaint: Complaint) -> bool:
        """Keeps it as `domain.aside.after` says; whether it was kept.

        At most `SET_ASIDE_MAX` rows a tenant: a new one takes the place of the restored one that was longest not complained of,
        and is passed by where there is none.
        """
        ...

    async def version(self, tenant: str) -> int:
        """Grows whenever `not_said` may have changed; cheap, asked twice a second."""
        ...

    async def not_said(self, tenant: str) -> frozenset[str]:
        """The ids of what is said to nobody."""
        ...

    async def list(self, tenant: str, states: Collection[State], limit: int) -> Sequence[SetAside]:
        """Those in these states, the most often complained of first."""
        ...

    async def find(self, tenant: str, aside_id: str) -> SetAside | None: ...

    async def decide(self, tenant: str, aside_id: str, decision: Decision, by: str, now: datetime) -> SetAside:
        """Keeps what a person found, by whom and when. Raises NotFound, and Conflict: a published wording cannot be dropped
        here, its entry is edited or withdrawn."""
        ...
