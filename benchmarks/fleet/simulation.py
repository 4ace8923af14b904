"""One run: a trace through routers and replicas, with every message a hop late."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Any

from benchmarks.fleet.engine import EngineFigures, Job, ReplicaModel
from benchmarks.fleet.requests import Request, Trace
from benchmarks.fleet.routers import FleetRouter, Router, World
from serve_app.domain.routing import Bound
from serve_app.fleet import TOKENS_PER_STREAM

HOP_S = 0.003  # from an ingress to a replica, or back
BEAT_S = 0.5  # of a request that waits for its first token
SAMPLE_S = 0.1
DRAIN_S = 30.0  # after the last arrival


class _Kind(IntEnum):
    WAKE = 0
    LOADED = 1
    ARRIVED = 2  # at the replica
    TOLD = 3  # to the process: accepted, begun, ended or a beat
    BEAT = 4
    NEWS = 5
    SAMPLE = 6


@dataclass(slots=True)
class Outcome:
    """Of the requests that arrived after the warm-up."""

    requests: int = 0
    ttft_s: list[float] = field(default_factory=list[float])
    prompt_tokens: int = 0
    cached_tokens: int = 0
    routes: dict[str, int] = field(default_factory=dict[str, int])
    max_over_mean: list[float] = field(default_factory=list[float])
    excess: list[float] = field(default_factory=list[float])
    cut_short: bool = False

    def ttft(self, share: float) -> float:
        """By nearest rank. What has had no first token when the run ends is late for ever."""
        rank = math.ceil(share * self.requests) - 1
        return sorted(self.ttft_s)[rank] if rank < len(self.ttft_s) and not self.cut_short else math.inf


class Simulation:
    def __init__(
        self,
        figures: EngineFigures,
        replicas: int,
        routers: Callable[[World], Sequence[Router]],
        *,
        processes: int = 4,
        bound: Bound | None = None,
    ) -> None:
        """`bound`: how far true loads exceed it is noted at each decision."""
        self._world = World(replicas, processes)
        self._routers = routers(self._world)
        self._replicas = [ReplicaModel(figures) for _ in range(replicas)]
        self._bound = bound
        self._tells = any(isinstance(router, FleetRouter) for router in self._routers)
        self._news: set[tuple[int, int]] = set()  # on their way: of which replica, to which process
        self._events: list[tuple[float, int, _Kind, Any, Any]] = []
        self._numbers = count()
        self._loads = [0.0] * replicas  # true, in streams, from dispatch to end
        self._weights: dict[str, float] = {}

    def run(self, trace: Trace, *, give_up_s: float = math.inf) -> Outcome:
        """Ends as soon as TTFT p99 is above `give_up_s` for certain."""
        self._remember(trace.history)
        outcome = Outcome(requests=sum(request.arrives_s >= trace.warm_up_s for request in trace.requests))
        late_allowed = outcome.requests / 100
        late = 0
        arrivals = iter(trace.requests)
        arriving = next(arrivals, None)
        end_s = trace.requests[-1].arrives_s + DRAIN_S + trace.objective_s
        self._at(trace.warm_up_s, _Kind.SAMPLE, None, None)
        last_s = trace.requests[-1].arrives_s
        while self._events or arriving is not None:
            if arriving is not None and (not self._events or arriving.arrives_s <= self._events[0][0]):
                self._world.now = arriving.arrives_s
                self._dispatch(arriving, outcome if arriving.arrives_s >= trace.warm_up_s else None)
                arriving = next(arrivals, None)
                continue
            now, _, kind, one, other = heapq.heappop(self._events)
            if now > end_s:
                break
            self._world.now = now
            if kind is _Kind.WAKE:
                replica = self._replicas[one]
                if replica.wake_s != now:
                    continue  # it was put off or brought forward since
                happened = replica.wake(now)
                self._next(one)
                for job in happened.begun:
                    self._begun(job)
                    if job.request.arrives_s >= trace.warm_up_s:
                        ttft_s = job.first_token_s + HOP_S - job.request.arrives_s
                        outcome.ttft_s.append(ttft_s)
                        outcome.prompt_tokens += job.request.prompt_tokens
                        outcome.cached_tokens += job.cached_tokens
                        late += ttft_s > give_up_s
                        if late > late_allowed:
                            outcome.cut_short = True
                            return outcome
                for job in happened.ended:
                    self._ended(job)
            elif kind is _Kind.TOLD:
                other[0](*other[1:])
            elif kind is _Kind.ARRIVED:
                self._arrived(one)
            elif kind is _Kind.LOADED:
                self._replicas[one].loaded(now, other)
                self._next(one)
            elif kind is _Kind.BEAT:
                self._beat(one)
            elif kind is _Kind.NEWS:
                self._token(one, other)
            elif now <= last_s:
                mean = sum(self._loads) / len(self._loads)
                if mean:
                    outcome.max_over_mean.append(max(self._loads) / mean)
                self._at(now + SAMPLE_S, _Kind.SAMPLE, None, None)
        return outcome

    def _remember(self, history: Sequence[Request]) -> None:
        """Each is routed and answered at once: caches and routers know it, and no load is left of it."""
        for request in history:
            self._world.now = request.arrives_s
            router = self._routers[request.process]
            job = Job(request, f"h{next(self._numbers)}")
            job.replica = router.route(request, job.dispatch_id)[0]
            job.length_told = 1
            router.accepted(job)
            router.begun(job)
            router.ended(job)
            cache, chunks = self._replicas[job.replica].cache, (*request.prompt, request.answer)
            cache.acquire(chunks)
            cache.release(chunks)

    def _at(self, when: float, kind: _Kind, one: Any, other: Any) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), kind, one, other))

    def _tell(self, when: float, *call: Any) -> None:
        self._at(when + HOP_S, _Kind.TOLD, None, call)

    def _dispatch(self, request: Request, outcome: Outcome | None) -> None:
        job = Job(request, str(next(self._numbers)), sent_s=self._world.now)
        job.replica, why = self._routers[request.process].route(request, job.dispatch_id)
        weight = 1.0 + request.new_tokens / TOKENS_PER_STREAM
        if outcome is not None:
            outcome.routes[why] = outcome.routes.get(why, 0) + 1
            if self._bound is not None and why != "least-loaded":
                anew = (request.prompt_tokens - request.new_tokens) / TOKENS_PER_STREAM
                most = self._bound.of((sum(self._loads) + weight) / len(self._loads), weight + anew)
                outcome.excess.append((self._loads[job.replica] + weight) / most - 1.0)
        self._loads[job.replica] += weight
        self._weights[job.dispatch_id] = weight
        self._at(self._world.now + HOP_S, _Kind.ARRIVED, job, None)

    def _arrived(self, job: Job) -> None:
        now, process = self._world.now, job.request.process
        counted = self._world.counted[job.replica][process]
        counted.streams += 1
        counted.waiting_tokens += job.request.new_tokens
        job.length_told = self._world.ongoing(job.replica)
        self._tell(now, self._routers[process].accepted, job)
        self._report(job.replica, process)
        self._replicas[job.replica].arrive(now, job)
        self._next(job.replica)
        self._changed(job)
        self._at(now + BEAT_S, _Kind.BEAT, job, None)

    def _beat(self, job: Job) -> None:
        if math.isnan(job.first_token_s):
            self._report(job.replica, job.request.process)
            self._at(self._world.now + BEAT_S, _Kind.BEAT, job, None)

    def _changed(self, job: Job) -> None:
        """Every other process hears of it with the next token that it gets from there, if it gets any."""
        if not self._tells:
            return
        replica, step_s = job.replica, self._replicas[job.replica].step_s
        for process, counted in enumerate(self._world.counted[replica]):
            if counted.streams and process != job.request.process and (replica, process) not in self._news:
                self._news.add((replica, process))
                self._at(self._world.now + step_s, _Kind.NEWS, replica, process)

    def _token(self, replica: int, process: int) -> None:
        self._news.discard((replica, process))
        self._report(replica, process)

    def _begun(self, job: Job) -> None:
        self._world.counted[job.replica][job.request.process].waiting_tokens -= job.request.new_tokens
        self._loads[job.replica] += 1.0 - self._weights[job.dispatch_id]
        self._weights[job.dispatch_id] = 1.0
        self._tell(job.first_token_s, self._routers[job.request.process].begun, job)
        self._changed(job)

    def _ended(self, job: Job) -> None:
        self._world.counted[job.replica][job.request.process].streams -= 1
        self._loads[job.replica] -= self._weights.pop(job.dispatch_id)
        self._report(job.replica, job.request.process)
        self._tell(self._world.now, self._routers[job.request.process].ended, job)
        self._changed(job)

    def _report(self, replica: int, process: int) -> None:
        router = self._routers[process]
        if isinstance(router, FleetRouter):
            self._tell(self._world.now, router.report, self._world.report(replica, process))

    def _next(self, replica: int) -> None:
        model = self._replicas[replica]
        if model.wake_s < math.inf:
            self._at(model.wake_s, _Kind.WAKE, replica, None)
        for ready_s, job in model.loads:
            self._at(ready_s, _Kind.LOADED, replica, job)
        model.loads.clear()
