"""What is asked most, and what is made before it is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from serve_app.domain.messages import Kind, Language
from serve_app.domain.pregeneration import Job, JobKind, JobState, Made
from serve_app.domain.question_log import Asked


class QuestionLog(Protocol):
    """How often what is asked, in the system of record. Every method raises StoreFailed."""

    async def add(self, asked: Sequence[Asked]) -> None:
        """Adds their counts, of any tenants. Beyond `LOGGED_MAX` of a tenant the rarest go, and the counts of the others are
        halved, so that what was asked last year does not stay at the head."""
        ...

    async def head(
        self, tenant: str, limit: int, kind: Kind = Kind.PUBLIC, language: Language | None = None
    ) -> Sequence[Asked]:
        """The most often asked first."""
        ...


class Jobs(Protocol):
    """Things to be made by a model, in the system of record: whoever serves takes them. Every method raises StoreFailed."""

    async def put(self, new: Sequence[Job]) -> None:
        """They wait to be taken, also those that are known already."""
        ...

    async def take(self, tenants: Collection[str], now: datetime, lease_s: float, limit: int) -> Sequence[Job]:
        """Jobs that wait, renewals and the most often asked first. Nobody else gets them within the lease."""
        ...

    async def give_back(self, taken: Sequence[Job], now: datetime) -> None:
        """They were taken, and not begun or not ended: others may take them at once."""
        ...

    async def make(self, job: Job, made: Made, model: str, note: str, now: datetime) -> None:
        """It is made. `note`: what a person should know of it. Nothing happens if it is not waiting any more."""
        ...

    async def fail(self, job: Job, reason: str, again_at: datetime | None) -> None:
        """`again_at` None: it is not tried again."""
        ...

    async def find(self, tenant: str, job_id: str) -> Job | None: ...

    async def read(self, tenant: str, job_ids: Collection[str]) -> Mapping[str, Job]:
        """Those that there are, by id."""
        ...

    async def list(self, tenant: str, kinds: Collection[JobKind], states: Collection[JobState], limit: int) -> Sequence[Job]:
        """The most often asked first."""
        ...

    async def edit(self, tenant: str, job_id: str, made: Made) -> None:
        """What was made, as a person would have it."""
        ...

    async def decide(self, tenant: str, job_id: str, state: JobState, by: str) -> None: ...

    async def drop_renewals(self, tenant: str, before: datetime, revision: str | None = None) -> None:
        """Renewals that were put in before then go; those of `revision` that wait, too."""
        ...
