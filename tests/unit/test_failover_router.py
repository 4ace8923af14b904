"""What is not a generation, such as a health check, is sent to replicas that answer."""

from __future__ import annotations

import asyncio
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
