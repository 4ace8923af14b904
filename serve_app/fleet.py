"""What one process knows of the model's replicas, and where its requests went.

Load is counted here from dispatch to the stream's end, so that a burst sees itself; what other processes sent is known from the
replicas' reports, which come with the streams' first and last messages and their beats.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from serve_app.domain.generation import Generate, LoadReport
from serve_app.domain.ring import Ring
from serve_app.domain.routing import Bound, Decision, decide

# Waiting tokens that weigh as much as one running stream.
TOKENS_PER_STREAM = 1000
# A report that is older says nothing any more: its streams have ended since.
REPORT_TTL_S = 10.0


@dataclass(slots=True)
class _Replica:
    ejected: bool = False
    weight: float = 0.0  # of this process's requests
    report: LoadReport | None = None
    reported_at: float = 0.0


@dataclass(slots=True)
class _Dispatch:
    """A request on its way. One that joins another's generation weighs nothing."""

    decision: Decision
    weight: float
    join_key: str | None


@dataclass(slots=True)
class _Generation:
    """One that several requests of this process share, or may."""

    decision: Decision
    sharers: int = 0


@dataclass(slots=True, eq=False, weakref_slot=True)
class Fleet:
    """Thread-safe: Serve's router runs on a thread of its own. `monotonic` gives seconds."""

    monotonic: Callable[[], float]
    bound: Bound = field(default_factory=Bound)
    _ring: Ring = field(default_factory=lambda: Ring(()))
    _replicas: dict[str, _Replica] = field(default_factory=dict[str, _Replica])
    _dispatches: dict[str, _Dispatch] = field(default_factory=dict[str, _Dispatch])
    _generations: dict[str, _Generation] = field(default_factory=dict[str, _Generation])
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def renew(self, replica_ids: Iterable[str]) -> None:
        """The replicas that live now. A request that is under way at another one is still counted until it ends."""
        with self._lock:
            live = frozenset(replica_ids)
            if live != self._ring.replica_ids:
                self._ring = Ring(live)
                self._replicas = {replica_id: self._replicas.get(replica_id) or _Replica() for replica_id in live}

    def route(self, request: Generate, avoid: Collection[str] = ()) -> Decision | None:
        """Decides where a request goes, and counts it there until `ended`. None when there is no replica to take it.

        Asked again for the same dispatch, it decides anew.
        """
        with self._lock:
            self.ended(request.request_id)
            loads = {
                replica_id: self._load(replica)
                for replica_id, replica in self._replicas.items()
                if not replica.ejected and replica_id not in avoid
            }
            shared = self._generations.get(request.join_key) if request.join_key is not None else None
            if shared is not None and shared.decision.replica_id in loads:
                decision, weight = shared.decision, 0.0
            else:
                weight = 1.0 + request.waiting_tokens / TOKENS_PER_STREAM
                found = decide(self._ring, loads, request.session_key, request.request_id, weight, self.bound)
                if found is None:
                    return None
                decision = found
            self._count(request, decision, weight)
            return decision

    def routed(self, dispatch_id: str, replica_id: str) -> None:
        """Where it arrived: a replica that had no slot left passes it on."""
        with self._lock:
            dispatch = self._dispatches.get(dispatch_id)
            if dispatch is None or dispatch.decision.replica_id == replica_id:
                return
            self._add(dispatch.decision.replica_id, -dispatch.weight)
            self._add(replica_id, dispatch.weight)
            route = "spilled" if dispatch.decision.route == "home" else dispatch.decision.route
            dispatch.decision = Decision(replica_id, route)

    def decision(self, dispatch_id: str) -> Decision | None:
        with self._lock:
            dispatch = self._dispatches.get(dispatch_id)
            return dispatch.decision if dispatch is not None else None

    def has_begun(self, dispatch_id: str) -> None:
        """Its first token has come: nothing of its prompt waits any more."""
        with self._lock:
            dispatch = self._dispatches.get(dispatch_id)
            if dispatch is not None and dispatch.weight > 1.0:
                self._add(dispatch.decision.replica_id, 1.0 - dispatch.weight)
                dispatch.weight = 1.0

    def ended(self, dispatch_id: str) -> None:
        """Idempotent."""
        with self._lock:
            dispatch = self._dispatches.pop(dispatch_id, None)
            if dispatch is None:
                return
            self._add(dispatch.decision.replica_id, -dispatch.weight)
            generation = self._generations.get(dispatch.join_key) if dispatch.join_key is not None else None
            if generation is not None and dispatch.join_key is not None:
                generation.sharers -= 1
                if not generation.sharers:
                    del self._generations[dispatch.join_key]

    def report(self, report: LoadReport) -> None:
        with self._lock:
            replica = self._replicas.get(report.replica_id)
            if replica is not None and (replica.report is None or report.seq > replica.report.seq):
                replica.report, replica.reported_at = report, self.monotonic()

    def eject(self, replica_id: str) -> None:
        """Nothing goes there until it is readmitted."""
        self._set_ejected(replica_id, True)

    def readmit(self, replica_id: str) -> None:
        self._set_ejected(replica_id, False)

    def admitted(self) -> frozenset[str]:
        """The replicas that requests may go to."""
        with self._lock:
            return frozenset(replica_id for replica_id, replica in self._replicas.items() if not replica.ejected)

    def ejected(self) -> frozenset[str]:
        """Those that live and get nothing."""
        with self._lock:
            return frozenset(replica_id for replica_id, replica in self._replicas.items() if replica.ejected)

    def _set_ejected(self, replica_id: str, ejected: bool) -> None:
        with self._lock:
            replica = self._replicas.get(replica_id)
            if replica is not None:
                replica.ejected = ejected

    def _count(self, request: Generate, decision: Decision, weight: float) -> None:
        self._dispatches[request.request_id] = _Dispatch(decision, weight, request.join_key)
        self._add(decision.replica_id, weight)
        if request.join_key is not None:
            generation = self._generations.get(request.join_key)
            if generation is None or weight:
                sharers = generation.sharers if generation is not None else 0
                generation = self._generations[request.join_key] = _Generation(decision, sharers)
            generation.sharers += 1

    def _add(self, replica_id: str, weight: float) -> None:
        replica = self._replicas.get(replica_id)
        if replica is not None:
            replica.weight += weight

    def _load(self, replica: _Replica) -> float:
        report = replica.report
        if report is None or self.monotonic() - replica.reported_at > REPORT_TTL_S:
            return replica.weight
        return replica.weight + report.streams + report.waiting_tokens / TOKENS_PER_STREAM
