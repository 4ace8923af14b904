"""What is published, and what customers' taps and ratings say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from serve_app.domain.feedback import Feedback
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.proposals import Proposal, State, Variant


class KnowledgeRecord(Protocol):
    """Published knowledge in the system of record."""

    async def published(self, tenant: str) -> tuple[Sequence[Entry], Sequence[Template]]: ...

    async def version(self, tenant: str) -> int:
        """Grows with every publication, and when an entry's validity begins or ends; cheap, asked twice a second."""
        ...

    async def versions(self, tenant: str) -> Mapping[str, int]:
        """The current version of every published source, by id; a policy's id is `policy.NAME`."""
        ...


class Proposals(Protocol):
    """Proposed variants in the system of record. Every method raises StoreFailed."""

    async def keep(self, tenant: str, variant: Variant, now: datetime) -> None:
        """Counts it once more, whatever was decided about it. A new one is passed by while `PROPOSED_MAX` wait already."""
        ...

    async def list(self, tenant: str, state: State, limit: int) -> Sequence[Proposal]:
        """Those in the state, the most often asked first."""
        ...

    async def find(self, tenant: str, proposal_id: str) -> Proposal | None: ...

    async def decide(self, tenant: str, proposal_id: str, state: State, by: str, now: datetime) -> None:
        """Keeps what was decided, by whom and when."""
        ...


class Ratings(Protocol):
    """Customers' feedback in the system of record. Every method raises StoreFailed."""

    async def keep(self, tenant: str, feedback: Feedback) -> None:
        """A later one on the same subject takes the place of the earlier."""
        ...

    async def latest(self, tenant: str, limit: int) -> Sequence[Feedback]:
        """The newest first."""
        ...
