"""ZeroWait's router in the model: the very `Fleet` that a process has, told what it would be told, when it would be told."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from benchmarks.fleet.engine import Job
from benchmarks.fleet.requests import Request
from serve_app.domain.generation import Generate, LoadReport, Sampling
from serve_app.domain.routing import Bound
from serve_app.fleet import Fleet

REPLICA_IDS = tuple(f"replica-{number:02}" for number in range(64))
_NUMBER = {replica_id: number for number, replica_id in enumerate(REPLICA_IDS)}


class Router(Protocol):
    """What one ingress process has for a router. Times are the model's, in seconds."""

    def route(self, request: Request, dispatch_id: str) -> tuple[int, str]:
        """The replica, and why."""
        ...

    def accepted(self, job: Job) -> None:
        """The replica's first word, a round trip after the dispatch."""
        ...

    def begun(self, job: Job) -> None: ...

    def ended(self, job: Job) -> None: ...


@dataclass(slots=True)
class Counted:
    """What a replica has under way for one process."""

    streams: int = 0
    waiting_tokens: int = 0


class World:
    """The truth, which routers see only by what they probe or are told."""

    def __init__(self, replicas: int, processes: int) -> None:
        self.now = 0.0
        self.replicas = replicas
        self.processes = processes
        # By replica and process, from arrival to end.
        self.counted = [[Counted() for _ in range(processes)] for _ in range(replicas)]
        self._reports = [0] * replicas

    def ongoing(self, replica: int) -> int:
        return sum(each.streams for each in self.counted[replica])

    def report(self, replica: int, process: int) -> LoadReport:
        """What the replica carries for other processes."""
        self._reports[replica] += 1
        others = [each for number, each in enumerate(self.counted[replica]) if number != process]
        return LoadReport(
            REPLICA_IDS[replica],
            self._reports[replica],
            sum(each.streams for each in others),
            sum(each.waiting_tokens for each in others),
        )


class FleetRouter:
    """Sees its own requests at once, and others' with the next message of any kind that the replica has for it."""

    def __init__(self, world: World, bound: Bound) -> None:
        self._fleet = Fleet(lambda: world.now, bound)
        self._fleet.renew(REPLICA_IDS[: world.replicas])

    def route(self, request: Request, dispatch_id: str) -> tuple[int, str]:
        self._fleet.expect(dispatch_id)
        prompt = _tokens(request.prompt_tokens)
        generate = Generate(dispatch_id, prompt, _SAMPLING, request.session, "", 60.0, request.new_tokens)
        decision = self._fleet.route(generate)
        if decision is None:
            raise RuntimeError("a fleet without replicas")
        return _NUMBER[decision.replica_id], decision.route

    def accepted(self, job: Job) -> None:
        pass

    def begun(self, job: Job) -> None:
        self._fleet.has_begun(job.dispatch_id)

    def ended(self, job: Job) -> None:
        self._fleet.ended(job.dispatch_id)

    def report(self, report: LoadReport) -> None:
        self._fleet.report(report)


@lru_cache(maxsize=1 << 15)
def _tokens(count: int) -> list[int]:
    return [0] * count


_SAMPLING = Sampling()
