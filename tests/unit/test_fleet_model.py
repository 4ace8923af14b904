"""A fleet's promises in any order of events: requests come, move, begin and end; replicas come, go and are ejected."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

import serve_app.fleet
from serve_app.domain.generation import Generate, LoadReport, Sampling
from serve_app.domain.ring import Ring
from serve_app.domain.routing import Decision
from serve_app.fleet import REPORT_TTL_S, TOKENS_PER_STREAM, Fleet

NAMES = [f"r{number}" for number in range(5)]
replicas = st.sampled_from(NAMES)


@cache
def ring_of(replica_ids: frozenset[str]) -> Ring:
    return Ring(replica_ids)


@pytest.fixture(autouse=True)
def quick_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making one takes milliseconds; there are few different ones here."""
    monkeypatch.setattr(serve_app.fleet, "Ring", lambda ids: ring_of(frozenset(ids)))


@dataclass(eq=False)
class _Generation:
    replica_id: str
    waiting_tokens: int


class FleetModel(RuleBasedStateMachine):
    """What is under way is kept here a second time, naively, and compared after every step."""

    requests = Bundle[Generate]("requests")

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.fleet = Fleet(lambda: self.now_s)
        self.number = 0
        self.live: set[str] = set()
        self.ejected: set[str] = set()
        self.generation_of: dict[str, _Generation] = {}  # by dispatch
        self.latest: dict[str, _Generation] = {}  # by join key
        self.reports: dict[str, tuple[LoadReport, float]] = {}
        self.newest: Counter[str] = Counter()

    # Events.

    @initialize(ids=st.sets(replicas, min_size=2))
    def first_heard_of(self, ids: set[str]) -> None:
        self.renew(ids)

    @rule(ids=st.sets(replicas))
    def renew(self, ids: set[str]) -> None:
        self.fleet.renew(ids)
        for replica_id in self.live - ids:
            self.reports.pop(replica_id, None)
        self.live = ids
        self.ejected &= ids
        self._forget()

    @rule(
        target=requests,
        key=st.sampled_from([None, "a", "a", "b"]),
        tokens=st.sampled_from([0, 300, 9 * TOKENS_PER_STREAM]),
        join_key=st.sampled_from([None, None, None, "p", "q"]),
        is_routed=st.sampled_from([True, True, True, False]),
    )
    def expect(self, key: str | None, tokens: int, join_key: str | None, is_routed: bool) -> Generate:
        return self._expect(key, tokens, join_key, is_routed)

    @rule(target=requests, key=st.sampled_from([None, "a"]), tokens=st.sampled_from([0, 9000]), count=st.integers(2, 12))
    def burst(self, key: str | None, tokens: int, count: int) -> MultipleResults[Generate]:
        return multiple(*(self._expect(key, tokens, None, True) for _ in range(count)))

    @rule(request=requests, avoid=st.frozensets(replicas, max_size=2))
    def route(self, request: Generate, avoid: frozenset[str]) -> None:
        name = request.request_id
        again = name in self.generation_of
        self._leave(name)
        may = self.live - self.ejected - avoid
        before = {replica_id: load for replica_id, load in self.fleet.loads().items() if replica_id in may}
        shared = self.latest.get(request.join_key or "")
        decision = self.fleet.route(request, avoid)
        assert self.fleet.decision(name) == decision
        if decision is None:
            assert not may
            return
        assert decision.replica_id in may
        if shared is not None and shared in self.generation_of.values() and shared.replica_id in may:
            assert decision == Decision(shared.replica_id, "joined")
            self.generation_of[name] = shared
            return
        self._lead(request, decision.replica_id)
        after = self.fleet.loads()[decision.replica_id]
        weight = 1 + request.waiting_tokens / TOKENS_PER_STREAM
        if request.session_key is None:
            assert decision.route == "least-loaded"
            return
        assert decision.route in ("home", "spilled")
        if not again:
            # Exact within a process: nothing goes above the bound, and there is always a replica with room.
            mean = (sum(before.values()) + weight) / len(before)
            assert after <= max(1.25 * mean, mean + 4, mean + weight) + 1e-9

    @rule(request=requests, replica_id=replicas)
    def routed(self, request: Generate, replica_id: str) -> None:
        """By Serve, which knows of slots; perhaps to one that is not known here any more."""
        name = request.request_id
        self.fleet.routed(name, replica_id)
        if name in self.generation_of and self.generation_of[name].replica_id != replica_id:
            self._leave(name)
            self._lead(request, replica_id)

    @rule(request=requests)
    def has_begun(self, request: Generate) -> None:
        self.fleet.has_begun(request.request_id)
        if request.request_id in self.generation_of:
            self.generation_of[request.request_id].waiting_tokens = 0

    @rule(request=consumes(requests))
    def ended(self, request: Generate) -> None:
        self.fleet.ended(request.request_id)
        self._leave(request.request_id)
        assert self.fleet.route(request) is None, "its caller has left"

    @rule(replica_id=replicas)
    def eject(self, replica_id: str) -> None:
        self.fleet.eject(replica_id)
        self.ejected |= {replica_id} & self.live

    @rule(replica_id=replicas)
    def readmit(self, replica_id: str) -> None:
        self.fleet.readmit(replica_id)
        self.ejected -= {replica_id}

    @rule(replica_id=replicas, seq=st.integers(1, 9), streams=st.integers(0, 9), tokens=st.integers(0, 5000))
    def report(self, replica_id: str, seq: int, streams: int, tokens: int) -> None:
        report = LoadReport(replica_id, seq, streams, tokens)
        self.fleet.report(report)
        if replica_id in self.live and seq > self.newest[replica_id]:
            self.newest[replica_id] = seq
            self.reports[replica_id] = (report, self.now_s)

    @rule(passed_s=st.floats(0, REPORT_TTL_S))
    def wait(self, passed_s: float) -> None:
        self.now_s += passed_s

    # What holds after each.

    @invariant()
    def loads_are_what_is_under_way(self) -> None:
        streams, tokens = Counter[str](), Counter[str]()
        for generation in set(self.generation_of.values()):
            streams[generation.replica_id] += 1
            tokens[generation.replica_id] += generation.waiting_tokens
        for replica_id, (report, at_s) in self.reports.items():
            if self.now_s - at_s <= REPORT_TTL_S:
                streams[replica_id] += report.streams
                tokens[replica_id] += report.waiting_tokens
        assert self.fleet.loads() == {
            replica_id: streams[replica_id] + tokens[replica_id] / TOKENS_PER_STREAM for replica_id in self.live - self.ejected
        }

    @invariant()
    def ejected_and_admitted_are_those_that_live(self) -> None:
        assert self.fleet.ejected() == self.ejected
        assert self.fleet.admitted() == self.live - self.ejected

    def teardown(self) -> None:
        """Whatever happened: when all has ended, nothing is left."""
        for number in range(self.number):
            self.fleet.ended(f"request-{number + 1}")
        self.now_s += 2 * REPORT_TTL_S
        assert not any(self.fleet.loads().values())

    # The model.

    def _expect(self, key: str | None, tokens: int, join_key: str | None, is_routed: bool) -> Generate:
        self.number += 1
        name = f"request-{self.number}"
        self.fleet.expect(name)
        request = Generate(name, [1], Sampling(), key, "demo", 30, uncached_tokens=tokens, join_key=join_key)
        if is_routed:
            self.route(request, frozenset())
        return request

    def _lead(self, request: Generate, replica_id: str) -> None:
        generation = self.generation_of[request.request_id] = _Generation(replica_id, request.waiting_tokens)
        if request.join_key is not None:
            self.latest[request.join_key] = generation

    def _leave(self, name: str) -> None:
        self.generation_of.pop(name, None)
        self._forget()

    def _forget(self) -> None:
        """One that is gone with all its streams was never there."""
        known = self.live | {generation.replica_id for generation in self.generation_of.values()}
        self.newest = Counter({replica_id: seq for replica_id, seq in self.newest.items() if replica_id in known})


TestFleet = FleetModel.TestCase
TestFleet.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
