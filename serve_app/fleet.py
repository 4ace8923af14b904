"""What one process knows of the model's replicas, and where its requests went.

Load is counted here from dispatch to the stream's end, so that a burst sees itself; what other processes sent is known from the
replicas' reports, which come with the streams' first and last messages and their beats. The bound on a replica's load is exact
within a process. Several exceed it by what they sent at the same time: of 2 to 8 processes, 1 to 3 % of the decisions, by less
than 1 stream at p99 and 2.6 at most (`python -m benchmarks.bound`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from serve_app.domain.generation import Generate, LoadReport
from serve_app.domain.ring import Ring
from serve_app.domain.routing import Bound, Decision, RouteName, decide

# Waiting tokens that weigh as much as one running stream. Measured (`python -m benchmarks.routing`): from 30 to 200 it makes no
# difference, at 1000 what waits is not seen beside what runs.
TOKENS_PER_STREAM = 100
# A report that is older says nothing any more: its streams have ended since.
REPORT_TTL_S = 10.0


class Counts(Protocol):
    """What an operator sees of the decisions. Called from any thread."""

    def decided(self, route: RouteName) -> None:
        """A replica has taken a request."""
        ...

    def ejected(self) -> None:
        """A replica gets nothing from now on."""
        ...


class NoCounts:
    def decided(self, route: RouteName) -> None: ...

    def ejected(self) -> None: ...


@dataclass(slots=True)
class _Replica:
    """Of this process's requests. Whole numbers: what is added and taken away again leaves nothing."""

    streams: int = 0
    waiting_tokens: int = 0
    ejected: bool = False
    report: LoadReport | None = None
    seq: int = -1  # of the newest report, also when that is forgotten

    def load(self) -> float:
        streams, tokens = self.streams, self.waiting_tokens
        if self.report is not None:
            streams, tokens = streams + self.report.streams, tokens + self.report.waiting_tokens
        return streams + tokens / TOKENS_PER_STREAM


@dataclass(slots=True, eq=False)
class _Generation:
    """What runs at a replica, or will, until the last of those of this process that share it has ended."""

    replica_id: str
    waiting_tokens: int
    join_key: str | None
    sharers: int = 0


@dataclass(slots=True)
class _Dispatch:
    """A request on its way. `generation` None: not routed yet."""

    decision: Decision | None = None
    generation: _Generation | None = None
    request: Generate | None = None
    decided_at: float = 0.0


@dataclass(slots=True, eq=False, weakref_slot=True)
class Fleet:
    """Thread-safe: Serve's router runs on a thread of its own. A decision and its counting are one step under the one lock.

    A request's way: `expect`, `route` (perhaps again), `routed`, `has_begun`, `ended`. `monotonic` gives seconds.
    """

    monotonic: Callable[[], float]
    bound: Bound = field(default_factory=Bound)
    counts: Counts = field(default_factory=NoCounts)
    _ring: Ring = field(default_factory=lambda: Ring(()))
    _replicas: dict[str, _Replica] = field(default_factory=dict[str, _Replica])  # those that live, or still have a stream
    _loads: dict[str, float] = field(default_factory=dict[str, float])  # of those that requests may go to
    _told_at: OrderedDict[str, float] = field(default_factory=OrderedDict[str, float])  # reports, the oldest first
    _dispatches: dict[str, _Dispatch] = field(default_factory=dict[str, _Dispatch])
    _shared: dict[str, _Generation] = field(default_factory=dict[str, _Generation])  # by join key
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def renew(self, replica_ids: Iterable[str]) -> None:
        """The replicas that live now. One that is gone is forgotten, its ejection too, when its last stream has ended."""
        live = frozenset(replica_ids)
        if live == self._ring.replica_ids:
            return
        ring = Ring(live)  # takes milliseconds: not under the lock
        with self._lock:
            self._ring = ring
            for replica_id in self._replicas.keys() - live:
                replica = self._replicas[replica_id]
                replica.ejected, replica.report = False, None
                self._told_at.pop(replica_id, None)
                self._weigh(replica_id)
            for replica_id in live:
                self._replicas.setdefault(replica_id, _Replica())
                self._weigh(replica_id)

    def expect(self, dispatch_id: str) -> None:
        """A request sets out. Whatever its router does later, nothing of it is counted after `ended`."""
        with self._lock:
            self._dispatches[dispatch_id] = _Dispatch()

    def route(self, request: Generate, avoid: Collection[str] = ()) -> Decision | None:
        """Decides where an expected request goes, and counts it there until `ended`. Asked again, it decides anew.

        None: there is no replica to take it, or its caller has left. A request that joins a generation goes where that is, and
        weighs nothing.
        """
        with self._lock:
            dispatch = self._dispatches.get(request.request_id)
            if dispatch is None:
                return None
            self._leave(dispatch)
            self._forget_old_reports()
            loads = self._loads
            if avoid:
                loads = {replica_id: load for replica_id, load in loads.items() if replica_id not in avoid}
            dispatch.request, dispatch.decided_at = request, self.monotonic()
            shared = self._shared.get(request.join_key) if request.join_key is not None else None
            if shared is not None and shared.replica_id in loads:
                dispatch.decision = Decision(shared.replica_id, "joined")
                self._share(dispatch, shared)
                return dispatch.decision
            weight = 1.0 + request.waiting_tokens / TOKENS_PER_STREAM
            anew = request.cached_tokens / TOKENS_PER_STREAM
            decision = decide(self._ring, loads, request.session_key, request.request_id, weight, self.bound, anew)
            if decision is not None:
                self._place(dispatch, request, decision)
            return decision

    def routed(self, dispatch_id: str, replica_id: str) -> None:
        """Which replica took it: one that had no slot left passes it on."""
        with self._lock:
            dispatch = self._dispatches.get(dispatch_id)
            if dispatch is None or dispatch.decision is None or dispatch.request is None:
                return
            decision = dispatch.decision
            if decision.replica_id != replica_id:
                # There it leads: what it would have joined runs elsewhere.
                self._leave(dispatch)
                decision = Decision(replica_id, "least-loaded" if decision.route == "least-loaded" else "spilled")
                self._place(dispatch, dispatch.request, decision)
        self.counts.decided(decision.route)

    def decision(self, dispatch_id: str) -> Decision | None:
        with self._lock:
            dispatch = self._dispatches.get(dispatch_id)
            return dispatch.decision if dispatch is not None else None

    def sent_to(self, dispatch_id: str, before: float) -> str | None:
        """The replica that was decided on, if before this instant: while all are full it is decided again and again."""
        with self._lock:
            dispatch = self._dispatches.get(dispatch_id)
            if dispatch is None or dispatch.decision is None or dispatch.decided_at > before:
                return None
            return dispatch.decision.replica_id

    def has_begun(self, dispatch_id: str) -> None:
        """Its first token has come: nothing of its prompt waits any more."""
        with self._lock:
            dispatch = self._dispatches.get(dispatch_id)
            generation = dispatch.generation if dispatch is not None else None
            if generation is not None and generation.waiting_tokens:
                self._carry(generation.replica_id, 0, -generation.waiting_tokens)
                generation.waiting_tokens = 0

    def ended(self, dispatch_id: str) -> None:
        """Idempotent. A generation that others of this process share is still counted, until the last of them has ended."""
        with self._lock:
            dispatch = self._dispatches.pop(dispatch_id, None)
            if dispatch is not None:
                self._leave(dispatch)

    def report(self, report: LoadReport) -> None:
        """Of two reports of a replica the larger `seq` holds, whichever comes first."""
        with self._lock:
            if report.replica_id not in self._ring.replica_ids:
                return
            replica = self._replicas[report.replica_id]
            if report.seq > replica.seq:
                replica.report, replica.seq = report, report.seq
                self._told_at[report.replica_id] = self.monotonic()
                self._told_at.move_to_end(report.replica_id)
                self._weigh(report.replica_id)

    def eject(self, replica_id: str) -> None:
        """Nothing goes there until it is readmitted."""
        if self._set_ejected(replica_id, True):
            self.counts.ejected()

    def readmit(self, replica_id: str) -> None:
        self._set_ejected(replica_id, False)

    def admitted(self) -> frozenset[str]:
        """The replicas that requests may go to."""
        with self._lock:
            return frozenset(self._loads)

    def ejected(self) -> frozenset[str]:
        """Those that live and get nothing."""
        with self._lock:
            return self._ring.replica_ids - self._loads.keys()

    def mean_load(self) -> float:
        """Of the replicas that requests may go to, in streams; 0 while none is known."""
        loads = self.loads()
        return sum(loads.values()) / len(loads) if loads else 0.0

    def loads(self) -> Mapping[str, float]:
        """What the next decision goes by: the admitted replicas' loads, in streams."""
        with self._lock:
            self._forget_old_reports()
            return dict(self._loads)

    def _set_ejected(self, replica_id: str, ejected: bool) -> bool:
        """Whether that is news."""
        with self._lock:
            if replica_id not in self._ring.replica_ids or self._replicas[replica_id].ejected == ejected:
                return False
            self._replicas[replica_id].ejected = ejected
            self._weigh(replica_id)
            return True

    # Below, the lock is held.

    def _place(self, dispatch: _Dispatch, request: Generate, decision: Decision) -> None:
        """Counts a generation that it leads."""
        dispatch.decision = decision
        generation = _Generation(decision.replica_id, request.waiting_tokens, request.join_key)
        self._carry(generation.replica_id, 1, generation.waiting_tokens)
        self._share(dispatch, generation)
        if request.join_key is not None:
            self._shared[request.join_key] = generation

    def _share(self, dispatch: _Dispatch, generation: _Generation) -> None:
        dispatch.generation = generation
        generation.sharers += 1

    def _leave(self, dispatch: _Dispatch) -> None:
        generation, dispatch.generation, dispatch.decision = dispatch.generation, None, None
        if generation is None:
            return
        generation.sharers -= 1
        if generation.sharers:
            return
        self._carry(generation.replica_id, -1, -generation.waiting_tokens)
        if generation.join_key is not None and self._shared.get(generation.join_key) is generation:
            del self._shared[generation.join_key]

    def _carry(self, replica_id: str, streams: int, tokens: int) -> None:
        replica = self._replicas.setdefault(replica_id, _Replica())
        replica.streams += streams
        replica.waiting_tokens += tokens
        self._weigh(replica_id)

    def _weigh(self, replica_id: str) -> None:
        """Keeps what decisions go by in step with what is known of a replica."""
        replica = self._replicas[replica_id]
        if replica_id not in self._ring.replica_ids:
            self._loads.pop(replica_id, None)
            if not replica.streams:
                del self._replicas[replica_id]
        elif replica.ejected:
            self._loads.pop(replica_id, None)
        else:
            self._loads[replica_id] = replica.load()

    def _forget_old_reports(self) -> None:
        oldest_s = self.monotonic() - REPORT_TTL_S
        while self._told_at and next(iter(self._told_at.values())) < oldest_s:
            replica_id, _ = self._told_at.popitem(last=False)
            self._replicas[replica_id].report = None
            self._weigh(replica_id)
