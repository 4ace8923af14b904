"""Serve's router around a fleet: without Ray, which `tests/cluster` has."""

from __future__ import annotations

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any
from weakref import WeakSet

from deployments.inference.router import FleetRouter
from serve_app.fleet import Fleet


def ranks(fleets: list[Fleet], names: list[str]) -> list[set[str]]:
    router: Any = FleetRouter.__new__(FleetRouter)
    router._fleets = WeakSet(fleets)
    candidates: Any = [SimpleNamespace(replica_id=SimpleNamespace(unique_id=name)) for name in names]
    check: Any = SimpleNamespace(args=[], routing_context=SimpleNamespace(should_backoff=False))
    chosen = asyncio.run(router.choose_replicas(candidates, check))
    return [{replica.replica_id.unique_id for replica in rank} for rank in chosen]


def fleet_of(*names: str, ejected: str | None = None) -> Fleet:
    fleet = Fleet(lambda: 0.0)
    fleet.renew(names)
    if ejected is not None:
        fleet.eject(ejected)
    return fleet


def test_any_replica_may_be_asked():
    assert ranks([], ["one", "two"]) == [{"one", "two"}]
    assert ranks([fleet_of("one", "two")], ["one", "two"]) == [{"one", "two"}]


def test_a_replica_that_was_left_is_asked_last():
    assert ranks([fleet_of("one", "two", ejected="one")], ["one", "two"]) == [{"two"}, {"one"}]


def test_one_that_was_left_is_asked_when_there_is_no_other():
    assert ranks([fleet_of("one", ejected="one")], ["one"]) == [{"one"}]


def test_only_what_waits_is_routed():
    """A task for each request that came after one that waits would be 1000 tasks more with each request."""
    router: Any = FleetRouter.__new__(FleetRouter)
    router._pending, router._pending_requests_to_fulfill = {}, deque()
    assert router.target_num_routing_tasks == 0
    requests: list[Any] = [SimpleNamespace(metadata=object()) for _ in range(1000)]
    for request in requests:
        router._pending_requests_to_fulfill.append(request)
        router._add_pending_request_to_indices(request)
    assert router.target_num_routing_tasks == 1000
    for request in requests[1:]:
        router._remove_pending_request_from_indices(request)
    assert router.target_num_routing_tasks == 1
