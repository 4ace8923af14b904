"""Other routers, each by its code's rule and with the information that its code has.

Ray's are those of Ray Serve 2.60, KubeAI's is `internal/loadbalancer` of KubeAI 0.2x, read and written anew. What is left out:
no replica is ever full in Ray's sense (`max_ongoing_requests`), so nothing is rejected. Hashes are BLAKE2 for all.
"""

# ruff: noqa: ARG002 - each of them has the constructor and the methods of a Router, whatever it looks at

from __future__ import annotations

import math
import random
from bisect import bisect_left
from functools import lru_cache
from hashlib import blake2b

from benchmarks.fleet.engine import Job
from benchmarks.fleet.requests import Request
from benchmarks.fleet.routers import World

RAY_VIRTUAL_NODES = 100
KUBEAI_VIRTUAL_NODES = 256
KUBEAI_LOAD_FACTOR = 1.25
QUEUE_LENGTH_TTL_S = 10.0
MATCH_RATE = 0.1


@lru_cache(maxsize=1 << 18)
def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


@lru_cache
def _continuum(replicas: int, virtual_nodes: int) -> tuple[list[int], list[int]]:
    points = sorted((_hash(f"{replica}:{node}"), replica) for replica in range(replicas) for node in range(virtual_nodes))
    return [place for place, _ in points], [replica for _, replica in points]


class _Deaf:
    def accepted(self, job: Job) -> None:
        pass

    def begun(self, job: Job) -> None:
        pass

    def ended(self, job: Job) -> None:
        pass


class RandomChoice(_Deaf):
    def __init__(self, world: World, process: int) -> None:
        self._replicas = world.replicas
        self._rng = random.Random(process)

    def route(self, request: Request, dispatch_id: str) -> tuple[int, str]:
        return self._rng.randrange(self._replicas), "random"


class RoundRobin(_Deaf):
    """Each process has a cursor of its own, which begins anywhere."""

    def __init__(self, world: World, process: int) -> None:
        self._replicas = world.replicas
        self._cursor = random.Random(process).randrange(1_000_000)

    def route(self, request: Request, dispatch_id: str) -> tuple[int, str]:
        self._cursor += 1
        return self._cursor % self._replicas, "next"


class QueueLengths:
    """Ray's cache of queue lengths, one a process.

    A replica says its true length when it accepts a request; between two of these a process counts its own requests up and
    down. What it does not know, or not for 10 s, it probes.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[int, tuple[int, float]] = {}

    def of(self, replica: int) -> int:
        length, known_s = self._known.get(replica, (0, -math.inf))
        if self._world.now - known_s > QUEUE_LENGTH_TTL_S:
            length = self._world.ongoing(replica)
            self._set(replica, length)
        return length

    def sent(self, replica: int) -> None:
        self._set(replica, self._known.get(replica, (0, 0.0))[0] + 1)

    def accepted(self, job: Job, length: int) -> None:
        self._set(job.replica, length)

    def ended(self, job: Job) -> None:
        if job.replica in self._known:
            self._set(job.replica, max(0, self._known[job.replica][0] - 1))

    def _set(self, replica: int, length: int) -> None:
        self._known[replica] = length, self._world.now


class PowerOfTwo:
    """Ray's default: of two at random, the one with the shorter queue."""

    def __init__(self, world: World, process: int) -> None:
        self._world = world
        self._rng = random.Random(process)
        self._lengths = QueueLengths(world)

    def route(self, request: Request, dispatch_id: str) -> tuple[int, str]:
        replica = self._shorter(self._rng.sample(range(self._world.replicas), 2))
        self._lengths.sent(replica)
        return replica, "shorter"

    def accepted(self, job: Job) -> None:
        self._lengths.accepted(job, job.length_told)

    def begun(self, job: Job) -> None:
        pass

    def ended(self, job: Job) -> None:
        self._lengths.ended(job)

    def _shorter(self, candidates: list[int]) -> int:
        return min(candidates, key=self._lengths.of)


class StrictHash(_Deaf):
    """Ray's ConsistentHashRouter: the session's home, however full."""

    def __init__(self, world: World, process: int) -> None:
        self._places, self._owners = _continuum(world.replicas, RAY_VIRTUAL_NODES)

    def route(self, request: Request, dispatch_id: str) -> tuple[int, str]:
        return self._owners[bisect_left(self._places, _hash(request.session)) % len(self._owners)], "home"


class PrefixTree:
    """Which replicas were sent which prefix: one actor for all of Ray's processes, from which nothing leaves by default."""

    def __init__(self, replicas: int) -> None:
        self._owners: dict[int, list[int]] = {}
        self._tokens = [0] * replicas

    def match(self, request: Request) -> tuple[float, list[int]]:
        """The share of the prompt that was seen, and by whom that much of it."""
        matched, owners = 0, list[int]()
        for chunk_id, tokens in request.prompt:
            found = self._owners.get(chunk_id)
            if not found:
                break
            matched, owners = matched + tokens, found
        return matched / request.prompt_tokens, owners

    def smallest(self) -> list[int]:
        least = min(self._tokens)
        return [replica for replica, tokens in enumerate(self._tokens) if tokens == least]

    def insert(self, request: Request, replica: int) -> None:
        for chunk_id, tokens in request.prompt:
            owners = self._owners.setdefault(chunk_id, [])
            if replica not in owners:
                owners.append(replica)
                self._tokens[replica] += tokens


class PrefixAffinity(PowerOfTwo):
    """Ray's PrefixCacheAffinityRouter: of the replicas with the longest match the one with the shortest queue.

    With less than a tenth matched: of those that were sent the least. With queues further apart than `imbalanced_threshold`
    (infinite by default): power of two. Text is matched by chunk here, by character there.
    """

    def __init__(self, world: World, process: int, tree: PrefixTree, imbalanced_threshold: float = math.inf) -> None:
        super().__init__(world, process)
        self._tree = tree
        self._threshold = imbalanced_threshold

    def route(self, request: Request, dispatch_id: str) -> tuple[int, str]:
        replica, why = -1, "shorter"
        if self._is_balanced():
            share, owners = self._tree.match(request)
            candidates = owners if share >= MATCH_RATE else self._tree.smallest()
            replica, why = self._shorter(candidates), "prefix" if share >= MATCH_RATE else "smallest"
        if replica < 0:
            replica = self._shorter(self._rng.sample(range(self._world.replicas), 2))
        self._lengths.sent(replica)
        self._tree.insert(request, replica)
        return replica, why

    def _is_balanced(self) -> bool:
        if self._threshold == math.inf:
            return True
        lengths = [self._lengths.of(replica) for replica in range(self._world.replicas)]
        return max(lengths) - min(lengths) <= self._threshold


class FirstMessageBounded:
    """KubeAI's PrefixHash: consistent hashing with bounded loads on the first 100 characters of the first user message.

    A process counts only its own requests in flight. Without one below the bound, the key's home takes it.
    """

    def __init__(self, world: World, process: int) -> None:
        self._places, self._owners = _continuum(world.replicas, KUBEAI_VIRTUAL_NODES)
        self._in_flight = [0] * world.replicas
        self._total = 0

    def route(self, request: Request, dispatch_id: str) -> tuple[int, str]:
        start = bisect_left(self._places, _hash(request.first_message))
        most = KUBEAI_LOAD_FACTOR * (self._total + 1) / len(self._in_flight)
        chosen, why = self._owners[start % len(self._owners)], "home"
        for step in range(len(self._owners)):
            replica = self._owners[(start + step) % len(self._owners)]
            if not self._total or self._in_flight[replica] + 1 <= most:
                chosen, why = replica, "spilled" if replica != chosen else "home"
                break
        self._in_flight[chosen] += 1
        self._total += 1
        return chosen, why

    def accepted(self, job: Job) -> None:
        pass

    def begun(self, job: Job) -> None:
        pass

    def ended(self, job: Job) -> None:
        self._in_flight[job.replica] -= 1
        self._total -= 1
