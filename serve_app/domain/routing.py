"""Which replica takes a request: consistent hashing with bounded loads.

Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018: a key goes to the first replica on its walk
round the ring that is not full. A session stays where its keys and values are, and what overflows goes the same way each time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from serve_app.domain.ring import Ring

# Joined: it shares a generation that runs already, wherever that is.
RouteName = Literal["home", "spilled", "least-loaded", "joined"]


@dataclass(frozen=True, slots=True)
class Bound:
    """How much more than the mean a replica may carry before its keys go elsewhere.

    A spill costs the session's keys and values, so the gap to the mean must be both relative and absolute: among few requests
    chance alone makes one replica half as full again as the others. Loads are in streams.
    """

    relative: float = 1.25
    floor: float = 4.0

    def of(self, mean: float, weight: float = 1.0) -> float:
        """The most that a replica may carry with a request of `weight`, which `mean` includes.

        A request that weighs more than the floor may still go where no more than the mean waits. So some replica, the least
        loaded at the latest, always has room.
        """
        return max(self.relative * mean, mean + max(self.floor, weight))


@dataclass(frozen=True, slots=True)
class Decision:
    replica_id: str
    route: RouteName


def decide(
    ring: Ring,
    loads: Mapping[str, float],
    key: str | None,
    tie: str,
    weight: float = 1.0,
    bound: Bound = Bound(),
    anew: float = 0.0,
) -> Decision | None:
    """The replica for a request that adds `weight` to its load, both in streams; None without replicas.

    Away from the key's home it weighs `anew` more: what is cached there is computed again. A gap to the mean that would not pay
    for that sends nobody away.

    `loads` holds the replicas that may be taken; those on the ring that it lacks are passed by, as if they were full. Without a
    `key`, or when all are full, the least loaded is taken, of equals the first on the walk of `tie`, which is each request's
    own: processes that know the same loads do not all take the same one.
    """
    if not loads:
        return None
    if key is not None:
        most = bound.of((sum(loads.values()) + weight) / len(loads), weight + anew)
        route: RouteName = "home"
        for replica_id in ring.walk(key):
            load = loads.get(replica_id)
            if load is not None and load + weight <= most:
                return Decision(replica_id, route)
            if route == "home":
                route, weight = "spilled", weight + anew
    return Decision(_least_loaded(ring, loads, tie), "least-loaded")


def _least_loaded(ring: Ring, loads: Mapping[str, float], tie: str) -> str:
    least = min(loads.values())
    equals: Collection[str] = [replica_id for replica_id, load in loads.items() if load == least]
    if len(equals) == 1:
        return next(iter(equals))
    equals = frozenset(equals)
    return next((replica_id for replica_id in ring.walk(tie) if replica_id in equals), min(equals))
