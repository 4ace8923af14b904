"""A request on its way to a replica, with what its router decides by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from serve_app.domain.generation import Generate
from serve_app.fleet import Fleet


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What a handle is called with. The replica receives the request alone: the rest stays in the process that routes.

    Serve makes a router itself, from JSON, so that what it needs to know can only reach it with a request.
    """

    request: Generate
    fleet: Fleet
    avoid: frozenset[str] = frozenset()  # replicas that were left
    only: str | None = None  # a probe is for one replica

    def __reduce__(self) -> tuple[Any, ...]:
        return _request, (self.request,)


def _request(request: Generate) -> Generate:
    return request
