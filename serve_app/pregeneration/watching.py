"""How jobs stand, for whoever waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from time import monotonic

from serve_app.ports import Jobs

LOOK_EVERY_S = 0.5
# A server that has room takes a job within a second.
NOBODY_S = 8.0


@dataclass(frozen=True, slots=True)
class Progress:
    """`nobody`: after some seconds no server had taken any of them."""

    total: int
    made: int
    failed: int
    nobody: bool = False

    @property
    def is_over(self) -> bool:
        return self.made + self.failed >= self.total

    def __str__(self) -> str:
        return f"{self.made} of {self.total} made" + (f", {self.failed} failed" if self.failed else "")


async def watched(
    jobs: Jobs,
    tenant: str,
    job_ids: Collection[str],
    say: Callable[[str], None],
    *,
    within_s: float = float("inf"),
    nobody_s: float | None = None,
) -> Progress:
    """Waits until all are made or have failed, `within_s` have passed, or nobody has taken any for `nobody_s` (`NOBODY_S`).
    Raises StoreFailed."""
    begun_at, nobody_s = monotonic(), NOBODY_S if nobody_s is None else nobody_s
    last: Progress | None = None
    while True:
        known = (await jobs.read(tenant, job_ids)).values()
        failed = sum(job.state == "failed" for job in known)
        made = sum(job.state not in ("waiting", "failed") for job in known)
        waited_s = monotonic() - begun_at
        untouched = all(job.state == "waiting" and not job.attempts for job in known)
        now = Progress(len(known), made, failed, nobody=bool(known) and untouched and waited_s >= nobody_s)
        if now != last and not now.nobody:
            say(str(now))
        last = now
        if now.is_over or now.nobody or waited_s >= within_s:
            return now
        await asyncio.sleep(min(LOOK_EVERY_S, max(0.0, within_s - waited_s)))
