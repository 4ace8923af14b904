"""What Serve's handles raise does not get any further. Without Ray, which `tests/cluster` has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from grpc import RpcError
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from deployments.handles import CacheHandle, ContextHandle, InferenceHandle
from serve_app.domain.errors import ModelFailed, RoomFailed
from serve_app.domain.generation import Generate, Sampling
from serve_app.fleet import Fleet


class Handle:
    """Whatever it is asked, Serve refuses to send it."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def options(self, **_: object) -> Handle:
        return self

    def __getattr__(self, name: str) -> Any:
        return SimpleNamespace(remote=self._remote)

    def _remote(self, *_: object) -> None:
        raise self._error


@pytest.fixture(params=[RayError, RayServeException, RpcError])
def handle(request: pytest.FixtureRequest) -> Any:
    return Handle(request.param("gone"))


async def test_a_generation_that_is_not_sent_has_failed_and_leaves_nothing(handle: Any) -> None:
    fleet = Fleet(lambda: 0.0)
    fleet.renew(["r1"])
    request = Generate("a", [1], Sampling(), "s", "demo", 30)
    with pytest.raises(ModelFailed):
        await anext(InferenceHandle(handle, fleet, "test").generate(request))
    assert fleet.route(request) is None, "nobody waits for it"


async def test_a_check_that_is_not_answered_has_failed(handle: Any) -> None:
    with pytest.raises(ModelFailed):
        await InferenceHandle(handle, Fleet(lambda: 0.0), "test").check()
    for room in (ContextHandle(handle), CacheHandle(handle)):
        with pytest.raises(RoomFailed):
            await room.check()
