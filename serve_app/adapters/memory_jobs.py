"""What is to be made by a model, in this process's memory: a fake for tests, under the same contract tests as SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from serve_app.domain.pregeneration import Job, JobKind, JobState, Made


class MemoryJobs:
    """The port `Jobs`."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], Job] = {}
        self._due: dict[tuple[str, str], datetime] = {}

    async def put(self, new: Sequence[Job]) -> None:
        for job in new:
            key = (job.tenant, job.id)
            self._jobs[key] = replace(
                job, state="waiting", attempts=0, made=None, model="", made_at=None, reason="", decided_by=""
            )
            self._due[key] = job.created_at

    async def take(self, tenants: Collection[str], now: datetime, lease_s: float, limit: int) -> Sequence[Job]:
        due = [self._jobs[key] for key, at in self._due.items() if at <= now and key[0] in tenants]
        due.sort(key=lambda job: (job.kind != "renewal", -job.count, job.id))
        taken = [replace(job, attempts=job.attempts + 1) for job in due[:limit]]
        for job in taken:
            self._jobs[job.tenant, job.id] = job
            self._due[job.tenant, job.id] = now + timedelta(seconds=lease_s)
        return taken

    async def give_back(self, taken: Sequence[Job], now: datetime) -> None:
        for job in taken:
            if known := self._waiting(job):
                self._jobs[job.tenant, job.id] = replace(known, attempts=known.attempts - 1)
                self._due[job.tenant, job.id] = now

    async def make(self, job: Job, made: Made, model: str, note: str, now: datetime) -> None:
        if known := self._waiting(job):
            del self._due[job.tenant, job.id]
            done = replace(known, state="made", made=made, model=model, made_at=now, reason=note)
            self._jobs[job.tenant, job.id] = done

    async def fail(self, job: Job, reason: str, again_at: datetime | None) -> None:
        known = self._waiting(job)
        if known is None:
            return
        if again_at is None:
            del self._due[job.tenant, job.id]
            self._jobs[job.tenant, job.id] = replace(known, state="failed", reason=reason)
        else:
            self._due[job.tenant, job.id] = again_at
            self._jobs[job.tenant, job.id] = replace(known, reason=reason)

    async def find(self, tenant: str, job_id: str) -> Job | None:
        return self._jobs.get((tenant, job_id))

    async def read(self, tenant: str, job_ids: Collection[str]) -> Mapping[str, Job]:
        return {key[1]: job for key, job in self._jobs.items() if key[0] == tenant and key[1] in job_ids}

    async def list(self, tenant: str, kinds: Collection[JobKind], states: Collection[JobState], limit: int) -> Sequence[Job]:
        found = [job for job in self._jobs.values() if job.tenant == tenant and job.kind in kinds and job.state in states]
        return sorted(found, key=lambda job: (-job.count, job.id))[:limit]

    async def edit(self, tenant: str, job_id: str, made: Made) -> None:
        if job := self._jobs.get((tenant, job_id)):
            self._jobs[tenant, job_id] = replace(job, made=made, state="made", reason="")

    async def decide(self, tenant: str, job_id: str, state: JobState, by: str) -> None:
        if job := self._jobs.get((tenant, job_id)):
            self._jobs[tenant, job_id] = replace(job, state=state, decided_by=by)

    async def drop_renewals(self, tenant: str, before: datetime, revision: str | None = None) -> None:
        for key, job in list(self._jobs.items()):
            is_its = job.revision == revision and job.state == "waiting"
            if job.tenant == tenant and job.kind == "renewal" and (job.created_at < before or is_its):
                del self._jobs[key]
                self._due.pop(key, None)

    def _waiting(self, job: Job) -> Job | None:
        known = self._jobs.get((job.tenant, job.id))
        return known if known is not None and known.state == "waiting" else None
