"""What Serve's handles raise does not get any further. Without Ray, which `tests/cluster` has."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import pytest
from grpc import RpcError
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from deployments.handles import CacheHandle, ContextHandle, InferenceHandle
from serve_app.domain.errors import CallCancelled, ModelFailed, RoomFailed
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


class Stream:
    """A call's pieces, of which none has come yet."""

    def __init__(self) -> None:
        self.next: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.cancelled = False

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> object:
        return await self.next

    def cancel(self) -> None:
        self.cancelled = True


@pytest.fixture
async def stream() -> Stream:
    return Stream()


@pytest.fixture
async def first(stream: Stream) -> asyncio.Task[object]:
    handle: Any = SimpleNamespace(generate=SimpleNamespace(remote=lambda _: stream))
    room = InferenceHandle(SimpleNamespace(options=lambda **_: handle), Fleet(lambda: 0.0), "test")  # pyright: ignore[reportArgumentType]
    task = asyncio.ensure_future(anext(room.generate(Generate("a", [1], Sampling(), "s", "demo", 30))))
    await asyncio.sleep(0)
    return task


async def test_a_call_that_serve_cancels_is_not_its_callers_cancellation(stream: Stream, first: asyncio.Task[object]) -> None:
    """Serve cancels what a client had asked for, and then whoever asked for it."""
    stream.next.cancel()
    with pytest.raises(CallCancelled):
        await first


async def test_a_caller_that_is_cancelled_cancels_its_call(stream: Stream, first: asyncio.Task[object]) -> None:
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    assert stream.cancelled


async def test_a_check_that_is_not_answered_has_failed(handle: Any) -> None:
    with pytest.raises(ModelFailed):
        await InferenceHandle(handle, Fleet(lambda: 0.0), "test").check()
    for room in (ContextHandle(handle), CacheHandle(handle)):
        with pytest.raises(RoomFailed):
            await room.check()


class Answer:
    """A call's answer, which does not come."""

    def __init__(self) -> None:
        self.cancelled = False

    def __await__(self) -> Generator[Any, None, None]:
        return asyncio.get_running_loop().create_future().__await__()

    def cancel(self) -> None:
        self.cancelled = True


async def test_a_check_that_nobody_waits_for_any_more_does_not_go_on_waiting_for_a_replica() -> None:
    answer = Answer()
    handle: Any = SimpleNamespace(check_health=SimpleNamespace(remote=lambda: answer), options=lambda **_: None)
    check = asyncio.ensure_future(InferenceHandle(handle, Fleet(lambda: 0.0), "test").check())
    await asyncio.sleep(0)
    check.cancel()
    await asyncio.wait([check])
    assert answer.cancelled
