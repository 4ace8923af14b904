"""Which replica a key belongs to: consistent hashing (Karger et al., 1997) on uhashring's ketama ring."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Protocol, cast

from uhashring import HashRing  # pyright: ignore[reportMissingTypeStubs]


class _Continuum(Protocol):
    def get_points(self) -> list[tuple[int, str]]: ...
    def get_key(self, key: str) -> int: ...


class Ring:
    """The order in which replicas are tried for a key.

    It depends on the set of replicas alone, so processes that see the same set agree without talking; one that comes or goes
    moves only its own share of the keys.
    """

    def __init__(self, replica_ids: Iterable[str]) -> None:
        self.replica_ids = frozenset(replica_ids)
        self._ring = cast(_Continuum, HashRing())
        points = sorted(chain.from_iterable(map(_points, sorted(self.replica_ids))))
        self._places = [place for place, _ in points]
        self._owners = [owner for _, owner in points]

    def walk(self, key: str) -> Iterator[str]:
        """Every replica once, the key's home first. Lazy: the home alone costs a hash and a search."""
        start = bisect(self._places, self._ring.get_key(key)) if self._places else 0
        seen: set[str] = set()
        for place in chain(range(start, len(self._owners)), range(start)):
            owner = self._owners[place]
            if owner not in seen:
                seen.add(owner)
                yield owner
                if len(seen) == len(self.replica_ids):
                    return


@lru_cache(maxsize=1024)
def _points(replica_id: str) -> list[tuple[int, str]]:
    """A replica's places. They do not depend on the others: one that comes or goes costs a ring a sort, not all the hashes."""
    return cast(_Continuum, HashRing(nodes=[replica_id])).get_points()
