"""What is to be made by a model, and what was made, in the system of record."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import BigInteger, Column, Index, Integer, RowMapping, String, Table, Text, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.knowledge_tables import ENTRY, TEMPLATE, connection_to, instant_of, microseconds, upsert
from serve_app.adapters.record import metadata
from serve_app.domain.intents import Intent
from serve_app.domain.pregeneration import Job, JobKind, JobState, Made, Renewal

logger = logging.getLogger(__name__)

# `due_at_us`: a job that waits may be taken from then on; NULL for any other.
jobs = Table(
    "pregeneration_jobs",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("language", String(2), nullable=False),
    Column("canonical", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("intent", String(32), nullable=False),
    Column("count", Integer, nullable=False),
    Column("revision", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("made", Text),
    Column("model", Text, nullable=False),
    Column("made_at_us", BigInteger),
    Column("reason", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("due_at_us", BigInteger),
    Index("pregeneration_jobs_due", "due_at_us"),
)
_FORMS: dict[str, TypeAdapter[Any]] = {"answer": ENTRY, "template": TEMPLATE, "renewal": TypeAdapter(Renewal)}
_REASON_CHARS = 1000


class SqlJobs:
    """The port `Jobs`. Its table is made by `record.create_tables`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(self, new: Sequence[Job]) -> None:
        """See the port."""
        if not new:
            return
        rows = [_row(job) for job in sorted(new, key=lambda job: (job.tenant, job.id))]
        async with connection_to(self._engine) as connection:
            added = upsert(connection, jobs)
            anew = {name: added.excluded[name] for name in rows[0] if name not in ("tenant", "id")}
            await connection.execute(added.on_conflict_do_update(index_elements=["tenant", "id"], set_=anew), rows)
            await connection.commit()

    async def take(self, tenants: Collection[str], now: datetime, lease_s: float, limit: int) -> Sequence[Job]:
        """See the port. Taking counts as an attempt, so that a job which ends its maker is not tried for ever."""
        due = jobs.c.due_at_us <= microseconds(now)
        first = (jobs.c.kind != "renewal", jobs.c["count"].desc(), jobs.c.id)
        chosen = select(jobs.c.tenant, jobs.c.id).where(due, jobs.c.tenant.in_(tenants)).order_by(*first).limit(limit)
        leased = {"attempts": jobs.c.attempts + 1, "due_at_us": microseconds(now + timedelta(seconds=lease_s))}
        taken: list[Job] = []
        async with connection_to(self._engine) as connection:
            rows = (await connection.execute(chosen.with_for_update(skip_locked=True))).all()
            for row in rows:
                # On SQLite nothing was locked: whoever comes second finds it taken.
                taking = update(jobs).where(due, jobs.c.tenant == row.tenant, jobs.c.id == row.id).values(leased)
                found = (await connection.execute(taking.returning(jobs))).mappings().one_or_none()
                taken += [_job(found)] if found else []
            await connection.commit()
        return taken

    async def give_back(self, taken: Sequence[Job], now: datetime) -> None:
        """See the port."""
        for job in taken:
            await self._change(job, {"due_at_us": microseconds(now), "attempts": jobs.c.attempts - 1})

    async def make(self, job: Job, made: Made, model: str, note: str, now: datetime) -> None:
        """See the port."""
        done = {"state": "made", "made": _json(job.kind, made), "model": model, "made_at_us": microseconds(now)}
        await self._change(job, {**done, "due_at_us": None, "reason": note[:_REASON_CHARS]})

    async def fail(self, job: Job, reason: str, again_at: datetime | None) -> None:
        """See the port."""
        again = {"due_at_us": None, "state": "failed"} if again_at is None else {"due_at_us": microseconds(again_at)}
        await self._change(job, {**again, "reason": reason[:_REASON_CHARS]})

    async def find(self, tenant: str, job_id: str) -> Job | None:
        """See the port."""
        return (await self.read(tenant, (job_id,))).get(job_id)

    async def read(self, tenant: str, job_ids: Collection[str]) -> Mapping[str, Job]:
        """See the port."""
        query = select(jobs).where(jobs.c.tenant == tenant, jobs.c.id.in_(job_ids))
        async with connection_to(self._engine) as connection:
            return {row["id"]: _job(row) for row in (await connection.execute(query)).mappings()}

    async def list(self, tenant: str, kinds: Collection[JobKind], states: Collection[JobState], limit: int) -> Sequence[Job]:
        """See the port."""
        query = select(jobs).where(jobs.c.tenant == tenant, jobs.c.kind.in_(kinds), jobs.c.state.in_(states))
        query = query.order_by(jobs.c["count"].desc(), jobs.c.id).limit(limit)
        async with connection_to(self._engine) as connection:
            return [_job(row) for row in (await connection.execute(query)).mappings()]

    async def edit(self, tenant: str, job_id: str, made: Made) -> None:
        """See the port."""
        is_it = (jobs.c.tenant == tenant) & (jobs.c.id == job_id)
        async with connection_to(self._engine) as connection:
            kind = (await connection.execute(select(jobs.c.kind).where(is_it))).scalar_one_or_none()
            if kind is not None:
                await connection.execute(update(jobs).where(is_it).values(made=_json(kind, made), state="made", reason=""))
            await connection.commit()

    async def decide(self, tenant: str, job_id: str, state: JobState, by: str) -> None:
        """See the port."""
        change = update(jobs).where(jobs.c.tenant == tenant, jobs.c.id == job_id)
        async with connection_to(self._engine) as connection:
            await connection.execute(change.values(state=state, decided_by=by))
            await connection.commit()

    async def drop_renewals(self, tenant: str, before: datetime, revision: str | None = None) -> None:
        """See the port."""
        is_old = jobs.c.created_at_us < microseconds(before)
        is_its = (jobs.c.revision == revision) & (jobs.c.state == "waiting")
        async with connection_to(self._engine) as connection:
            await connection.execute(delete(jobs).where(jobs.c.tenant == tenant, jobs.c.kind == "renewal", or_(is_old, is_its)))
            await connection.commit()

    async def _change(self, job: Job, values: Mapping[str, Any]) -> None:
        """Of a job that still waits."""
        is_it = (jobs.c.tenant == job.tenant) & (jobs.c.id == job.id) & (jobs.c.state == "waiting")
        async with connection_to(self._engine) as connection:
            await connection.execute(update(jobs).where(is_it).values(**values))
            await connection.commit()


def _json(kind: str, made: Made) -> str:
    return _FORMS[kind].dump_json(made).decode()


def _row(job: Job) -> dict[str, Any]:
    """As one that waits to be taken."""
    return {
        "tenant": job.tenant,
        "id": job.id,
        "kind": job.kind,
        "language": job.language,
        "canonical": job.canonical,
        "text": job.text,
        "intent": str(job.intent),
        "count": job.count,
        "revision": job.revision,
        "state": "waiting",
        "attempts": 0,
        "made": None,
        "model": "",
        "made_at_us": None,
        "reason": "",
        "decided_by": "",
        "created_at_us": microseconds(job.created_at),
        "due_at_us": microseconds(job.created_at),
    }


def _made(row: RowMapping) -> Made | None:
    """None also for what another version of the program made, in a form that this one does not read."""
    if row["made"] is None:
        return None
    try:
        return _FORMS[row["kind"]].validate_json(row["made"])
    except ValidationError as error:
        logger.warning("what was made as %s cannot be read: %s", row["id"], error)
        return None


def _job(row: RowMapping) -> Job:
    return Job(
        tenant=row["tenant"],
        kind=row["kind"],
        language=row["language"],
        canonical=row["canonical"],
        text=row["text"],
        intent=Intent(row["intent"]),
        count=row["count"],
        created_at=instant_of(row["created_at_us"]),
        revision=row["revision"],
        state=row["state"],
        attempts=row["attempts"],
        made=_made(row),
        model=row["model"],
        made_at=None if row["made_at_us"] is None else instant_of(row["made_at_us"]),
        reason=row["reason"],
        decided_by=row["decided_by"],
    )
