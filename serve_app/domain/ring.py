"""Which replica a key belongs to: consistent hashing (Karger et al., 1997) on uhashring's ketama ring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

from uhashring import HashRing  # pyright: ignore[reportMissingTypeStubs]


class _Walk(Protocol):
    def range(self, key: str) -> Iterable[Mapping[str, Any]]: ...


class Ring:
    """The order in which replicas are tried for a key.

    It depends on the set of replicas alone, so processes that see the same set agree without talking; one that comes or goes
    moves only its own share of the keys.
    """

    def __init__(self, replica_ids: Iterable[str]) -> None:
        self.replica_ids = frozenset(replica_ids)
        self._ring = cast(_Walk, HashRing(nodes=sorted(self.replica_ids))) if self.replica_ids else None

    def ranked(self, key: str) -> list[str]:
        """Every replica once, the key's home first. Empty without replicas."""
        if self._ring is None:
            return []
        return [str(node["nodename"]) for node in self._ring.range(key)]
