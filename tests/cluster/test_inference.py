"""The way to the replicas, on a real Ray: stickiness, spilling, concurrent calls, going away, dying."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest
import ray
from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.handles import InferenceHandle
from serve_app.domain.errors import ModelFailed, TooLong
from serve_app.domain.generation import Beat, Piece, Started
from serve_app.fleet import Fleet
from tests.cluster.inference_app import a_request, application

ROOT = Path(__file__).parent.parent.parent
TOO_LONG = 5000


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    port = _free_port()
    # A local cluster would else leave a token in the home folder, which every later `ray start` would ask for.
    os.environ["RAY_AUTH_MODE"] = "disabled"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}})
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(application(max_ongoing_requests=16), name="inference", route_prefix="/")
        yield f"http://127.0.0.1:{port}/"
    finally:
        serve.shutdown()
        ray.shutdown()


@pytest.fixture
async def post(url: str) -> AsyncIterator[Callable[[list[dict[str, Any]]], Awaitable[list[dict[str, Any]]]]]:
    async with httpx.AsyncClient(timeout=60) as client:

        async def send(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
            reply = await client.post(url, json=calls)
            assert reply.status_code == 200, reply.text
            return reply.json()

        yield send


@pytest.fixture
def handle(url: str) -> DeploymentHandle:
    return serve.get_deployment_handle("Inference", app_name="inference")


Post = Callable[[list[dict[str, Any]]], Awaitable[list[dict[str, Any]]]]


async def test_concurrent_calls_of_one_http_request_all_end(post: Post) -> None:
    """Ray's own routers that are not first-in-first-out leave all but one of them waiting for ever."""
    replies = await post([{"session": f"session-{number % 4}"} for number in range(16)])
    assert [(reply["tokens"], reply["reason"]) for reply in replies] == [(3, "length")] * 16


async def test_a_session_keeps_its_replica(post: Post) -> None:
    homes: dict[str, set[str]] = {}
    for number in range(18):
        # Four at a time: too few for any of them to spill.
        calls = [{"session": f"s{(4 * number + index) % 24}"} for index in range(4)]
        for call, reply in zip(calls, await post(calls), strict=True):
            assert reply["route"] == "home"
            homes.setdefault(call["session"], set()).add(reply["replica"])
    assert all(len(replicas) == 1 for replicas in homes.values())
    assert len({replica for replicas in homes.values() for replica in replicas}) == 2, "sessions spread over the replicas"


async def test_without_a_session_the_least_loaded_is_taken(handle: DeploymentHandle) -> None:
    room = InferenceHandle(handle, Fleet(time.monotonic), "test")
    async with AsyncExitStack() as open_streams:
        begun: list[Started] = []
        for number in range(8):
            pieces = await open_streams.enter_async_context(aclosing(room.generate(a_request(f"{number}", None, tokens=200))))
            first = await anext(pieces)
            assert isinstance(first, Started)
            begun.append(first)
    assert {started.route for started in begun} == {"least-loaded"}
    assert sorted(Counter(started.replica_id for started in begun).values()) == [4, 4]


async def test_what_one_replica_cannot_take_spills_to_the_next(post: Post) -> None:
    """16 run on a replica; the seventeenth of the same session does not wait for them."""
    replies = await post([{"session": "busy", "tokens": 60} for _ in range(20)])
    assert Counter(reply["route"] for reply in replies) == {"home": 13, "spilled": 7}


async def test_two_ingress_processes_agree_on_a_session_s_home(url: str) -> None:
    """Without talking: what they know is the replicas alone."""
    await asyncio.to_thread(serve.run, application(3, fronts=2), name="pair", route_prefix="/pair")
    sessions = [f"session-{number}" for number in range(30)]
    homes: dict[str, dict[str, str]] = {}
    async with httpx.AsyncClient(timeout=60) as client:
        while len(homes) < 2 or any(len(seen) < len(sessions) for seen in homes.values()):
            for start in range(0, len(sessions), 4):
                # At the same time, so that the proxy asks both.
                posts = (client.post(f"{url}pair", json=[{"session": s}]) for s in sessions[start : start + 4])
                for session, reply in zip(sessions[start:], await asyncio.gather(*posts), strict=False):
                    (said,) = reply.json()
                    assert said["route"] == "home"
                    assert homes.setdefault(said["front"], {}).setdefault(session, said["replica"]) == said["replica"]
    one, other = homes.values()
    assert one == other
    assert len(set(one.values())) == 3
    await asyncio.to_thread(serve.delete, "pair")


async def test_requests_that_no_replica_may_take_hold_up_no_other_and_leave_no_load(handle: DeploymentHandle) -> None:
    fleet = Fleet(time.monotonic)
    room = InferenceHandle(handle, fleet, "test")
    assert [piece async for piece in room.generate(a_request("first", "s"))]
    waiting = [
        asyncio.create_task(_whole(room.generate(a_request(f"waits-{number}", "s"), avoid=fleet.admitted())))
        for number in range(12)
    ]
    assert len(await _whole(room.generate(a_request("another", "s")))) == 5
    for task in waiting:
        task.cancel()
    assert {type(outcome) for outcome in await asyncio.gather(*waiting, return_exceptions=True)} == {asyncio.CancelledError}
    assert not any(fleet.loads().values())
    assert len(await _whole(room.generate(a_request("afterwards", "s")))) == 5
    assert not any(fleet.loads().values())


async def test_callers_that_leave_at_any_moment_leave_no_load(handle: DeploymentHandle) -> None:
    fleet = Fleet(time.monotonic)
    room = InferenceHandle(handle, fleet, "test")
    assert await _whole(room.generate(a_request("first", "s")))
    for number in range(20):
        task = asyncio.create_task(_whole(room.generate(a_request(f"leaves-{number}", "s", tokens=200))))
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    never_begun = room.generate(a_request("never", "s"))
    await never_begun.aclose()
    # Behind whatever the router still had to do for them.
    assert len(await _whole(room.generate(a_request("last", "s")))) == 5
    assert not any(fleet.loads().values())


async def test_our_errors_cross_the_border_whole(post: Post) -> None:
    assert [reply["error"] for reply in await post([{"session": "s", "prompt_tokens": TOO_LONG}])] == ["TooLong"]


async def test_our_errors_reach_a_caller_outside_a_request(handle: DeploymentHandle) -> None:
    with pytest.raises(TooLong):
        async for _ in InferenceHandle(handle, Fleet(time.monotonic), "test").generate(
            a_request("long", "s", prompt_tokens=TOO_LONG)
        ):
            pass


async def test_closing_the_iterator_ends_the_generation_within_a_second(handle: DeploymentHandle) -> None:
    room = InferenceHandle(handle, Fleet(time.monotonic), "test")
    await room.check()
    pieces = room.generate(a_request("closed", "going-away", tokens=200))
    assert isinstance(await anext(pieces), Started)
    await anext(pieces)
    assert await _in_flight(handle) == 1
    await pieces.aclose()
    async with asyncio.timeout(1):
        while await _in_flight(handle):
            await asyncio.sleep(0.02)


async def test_a_client_that_goes_away_ends_the_generation_within_a_second(url: str, handle: DeploymentHandle) -> None:
    async with httpx.AsyncClient() as client:
        task = asyncio.create_task(client.post(url, json=[{"session": "gone", "tokens": 200}], timeout=60))
        while not await _in_flight(handle):
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
    async with asyncio.timeout(1):
        while await _in_flight(handle):
            await asyncio.sleep(0.02)


async def test_a_replica_that_dies_fails_its_stream_and_its_sessions_move_on(handle: DeploymentHandle) -> None:
    room = InferenceHandle(handle, Fleet(time.monotonic), "test")
    pieces = room.generate(a_request("orphan", "orphan", tokens=200))
    started = await anext(pieces)
    assert isinstance(started, Started)
    os.kill(await _pid_of(started.replica_id), signal.SIGKILL)
    with pytest.raises(ModelFailed):
        async for _ in pieces:
            pass
    again = room.generate(a_request("again", "orphan"))
    heir = await anext(again)
    assert isinstance(heir, Started)
    assert heir.replica_id != started.replica_id
    await again.aclose()


async def test_a_call_while_no_replica_lives_is_taken_by_the_next(handle: DeploymentHandle) -> None:
    fleet = Fleet(time.monotonic)
    room = InferenceHandle(handle, fleet, "test")
    assert await _whole(room.generate(a_request("first", "s")))
    gone = fleet.admitted()
    for replica_id in gone:
        fleet.eject(replica_id)
    for pid in [await _pid_of(replica_id) for replica_id in gone]:
        os.kill(pid, signal.SIGKILL)
    started, *_ = await _whole(room.generate(a_request("later", "s")))
    assert isinstance(started, Started)
    assert started.replica_id not in gone
    # One that was replaced is forgotten, when Serve has told of it.
    async with asyncio.timeout(60):
        while fleet.ejected() & gone:
            await asyncio.sleep(0.05)


async def _whole(pieces: AsyncGenerator[Piece | Beat, None]) -> list[Piece | Beat]:
    async with aclosing(pieces):
        return [piece async for piece in pieces if not isinstance(piece, Beat)]


async def _in_flight(handle: DeploymentHandle) -> int:
    """Over all replicas."""
    return sum(await handle.broadcast("in_flight").results_async())


async def _pid_of(replica_id: str) -> int:
    def ask() -> int:
        actors: list[Any] = ray.util.list_named_actors(all_namespaces=True)
        name = next(actor["name"] for actor in actors if actor["name"].endswith(replica_id))
        replica: Any = ray.get_actor(name, namespace="serve")
        return ray.get(replica.__ray_call__.remote(lambda _: os.getpid()))

    return await asyncio.to_thread(ask)
