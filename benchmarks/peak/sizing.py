"""What a load takes, from what one question costs: arithmetic on measured figures.

Every part is taken for linear in the rate: a question costs what it costs, and each process has so much to do by itself. That
is what the checks of `benchmarks.capacity` test, on mixes that the figures do not come from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Shares = Mapping[str, float]  # by tier; they sum to 1


@dataclass(frozen=True)
class Costs:
    """Of one question, by tier and by process: milliseconds of one core. `idle`: what a process does by itself, in cores."""

    cpu_ms: Mapping[str, Mapping[str, float]]
    idle: Mapping[str, float]

    def of(self, shares: Shares, process: str) -> float:
        """Milliseconds of the process for a question of the mix."""
        return sum(share * self.cpu_ms[tier].get(process, 0.0) for tier, share in shares.items())

    @property
    def processes(self) -> list[str]:
        return sorted({process for each in self.cpu_ms.values() for process in each})

    def peak_per_s(self, shares: Shares) -> float:
        """Questions a second when everything runs on one core."""
        busy = sum(self.of(shares, process) for process in self.processes)
        return (1 - min(0.99, sum(self.idle.values()))) / busy * 1000


@dataclass(frozen=True)
class Need:
    """What a rate of a mix takes. `walls`: by part, the rate up to which one of it is enough, the lowest first."""

    cores: Mapping[str, float]
    ingresses: int
    redis_primaries: int
    gpus: int
    nodes: int
    gbit_per_s: float
    sockets: int
    walls: Mapping[str, float]

    def told(self) -> dict[str, Any]:
        return {
            "cores": {name: math.ceil(cores) for name, cores in self.cores.items()},
            "ingresses": self.ingresses,
            "redis_primaries": self.redis_primaries,
            "gpus": self.gpus,
            "nodes": self.nodes,
            "gbit_per_s": round(self.gbit_per_s, 1),
            "sockets": self.sockets,
            "walls_per_s": {name: round(rate) for name, rate in self.walls.items()},
        }


# Processes of which there is one for each core that they fill: an event loop, a single-threaded server.
ONE_CORE_EACH = {
    "Ingress": "an ingress process",
    "valkey-server": "a Redis primary",
    "Cache": "a Cache room",
    "Context": "a Context room",
}


def needed(rate: float, shares: Shares, costs: Costs, given: Mapping[str, Any]) -> Need:
    """For `rate` questions a second."""
    use = given["utilisation"]
    cores = {process: rate * costs.of(shares, process) / 1000 / use for process in costs.processes}
    ingresses = math.ceil(cores.get("Ingress", 0.0))
    kb = sum(share * given["answer_kb"][tier] for tier, share in shares.items())
    gbit = rate * kb * 8 / 1e6
    return Need(
        cores=cores,
        ingresses=ingresses,
        redis_primaries=math.ceil(cores.get("valkey-server", 0.0)),
        gpus=math.ceil(rate * shares.get("model", 0.0) / given["gpu_per_s"] / use),
        nodes=math.ceil(max(sum(cores.values()) / given["cores_per_node"], gbit / given["link_gbit_per_s"] / use)),
        gbit_per_s=gbit,
        sockets=math.ceil(rate * given["customers_think_s"]),
        walls=_walls(shares, costs, given, kb),
    )


def _walls(shares: Shares, costs: Costs, given: Mapping[str, Any], kb: float) -> dict[str, float]:
    use = given["utilisation"]
    found = {name: use * 1000 / ms for process, name in ONE_CORE_EACH.items() if (ms := costs.of(shares, process))}
    if model := shares.get("model"):
        found["a GPU"] = use * given["gpu_per_s"] / model
    if proxy := costs.of(shares, "haproxy"):
        found["a proxy of 4 threads"] = use * 4000 / proxy
    found["a node's link"] = use * given["link_gbit_per_s"] * 1e6 / 8 / kb
    if ingress := costs.of(shares, "Ingress"):
        processes = min(given["ingresses_max"], given["record_per_s"] / given["heartbeats_per_s"])
        found["the record's heartbeats, or Serve's replicas"] = use * 1000 / ingress * processes
    return dict(sorted(found.items(), key=lambda item: item[1]))
