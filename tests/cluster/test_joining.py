"""Equal public questions on a real Ray: two ingress processes, two replicas, one generation."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import ray
from ray import serve
from ray.serve.handle import DeploymentHandle

from tests.cluster.joining_app import application
from tests.cluster.local_start import free_ports

ROOT = Path(__file__).parent.parent.parent
MANY = 200
# Longer than it takes all to come, on any machine: it is given up, never read to its end.
ENDLESS = 3000
# It is read to its end, and takes long enough for six to come in meanwhile.
WHOLE = 600


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("joining")


@pytest.fixture(scope="module")
def url(data_dir: Path) -> Iterator[str]:
    port = free_ports(1)[0]
    os.environ["RAY_AUTH_MODE"] = "disabled"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}})
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(application(data_dir), name="joining", route_prefix="/")
        yield f"http://127.0.0.1:{port}/"
    finally:
        serve.shutdown()
        ray.shutdown()


@pytest.fixture
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=httpx.Limits(max_connections=None)) as client:
        yield client


Lines = AsyncGenerator[Any, None]


@asynccontextmanager
async def asking(client: httpx.AsyncClient, key: str, tokens: int) -> AsyncIterator[Lines]:
    """The answer's lines; leaving it is a client that goes away."""

    async def lines() -> Lines:
        async for line in response.aiter_lines():
            yield json.loads(line)

    async with client.stream("GET", "", params={"key": key, "tokens": tokens}) as response:
        assert response.status_code == 200
        yield lines()


def generations(data_dir: Path) -> list[int]:
    """The process ids of their replicas."""
    counted = data_dir / "generations"
    return [int(line) for line in counted.read_text().splitlines()] if counted.exists() else []


async def test_many_at_once_through_two_processes_are_one_generation(
    url: str, client: httpx.AsyncClient, data_dir: Path
) -> None:
    before = len(generations(data_dir))
    async with AsyncExitStack() as open_streams:
        streams = await asyncio.gather(
            *(open_streams.enter_async_context(asking(client, "many", ENDLESS)) for _ in range(MANY))
        )
        begun = await asyncio.gather(*(anext(lines) for lines in streams))
        openings = await asyncio.gather(*(anext(lines) for lines in streams))
        assert len({said["front"] for said in begun}) == 2
        assert len({said["replica"] for said in begun}) == 1
        assert all(opening[0] == 7 for opening in openings), "everybody gets it from the start"
        assert len(generations(data_dir)) - before == 1
    await until_idle(serve.get_deployment_handle("Inference", app_name="joining"))


async def test_the_first_one_leaves_and_the_others_get_it_whole(client: httpx.AsyncClient, data_dir: Path, url: str) -> None:
    before = len(generations(data_dir))
    async with AsyncExitStack() as others_open:
        async with asking(client, "leader", WHOLE) as leader:
            await anext(leader)
            await anext(leader)
            opening = (others_open.enter_async_context(asking(client, "leader", WHOLE)) for _ in range(6))
            others = await asyncio.gather(*opening)
            for lines in others:
                await anext(lines)
                await anext(lines)
        for lines in others:
            rest = [line async for line in lines]
            assert rest[-1] == {"reason": "length", "completion_tokens": WHOLE}
            assert rest[-2][-1] == 6 + WHOLE
    assert len(generations(data_dir)) - before == 1


async def test_clients_that_leave_are_no_replicas_failure(client: httpx.AsyncClient, data_dir: Path, url: str) -> None:
    """Serve cancels what a client had asked for when it goes away, before whoever asked for it hears of that."""

    async def leaves(number: int) -> None:
        async with asking(client, f"leaves-{number}", ENDLESS) as lines:
            await anext(lines)
            await asyncio.sleep(random.uniform(0, 0.5))

    for _ in range(3):
        await asyncio.gather(*(leaves(number) for number in range(12)))
    await until_idle(serve.get_deployment_handle("Inference", app_name="joining"))
    assert not (data_dir / "events").exists()


async def test_the_homes_death_ends_it_for_nobody(client: httpx.AsyncClient, data_dir: Path, url: str) -> None:
    """Those of one process move together, but not all have had the same: a generation serves those who have had no more than
    the one who started it."""
    before = len(generations(data_dir))
    async with AsyncExitStack() as open_streams:
        streams = await asyncio.gather(*(open_streams.enter_async_context(asking(client, "dies", 300)) for _ in range(40)))
        homes = {(await anext(lines))["replica"] for lines in streams}
        had = [await anext(lines) for lines in streams]
        home, *others = generations(data_dir)[before:]
        assert (len(homes), others) == (1, [])
        os.kill(home, signal.SIGKILL)
        for token_ids, lines in zip(had, streams, strict=True):
            rest = [line async for line in lines]
            assert rest.pop() == {"reason": "length", "completion_tokens": 300}
            assert token_ids + [token_id for line in rest for token_id in line] == list(range(7, 307))
    assert 2 <= len(generations(data_dir)) - before <= 8


async def until_idle(handle: DeploymentHandle) -> None:
    async with asyncio.timeout(30):
        while sum(await handle.broadcast("in_flight").results_async()):
            await asyncio.sleep(0.05)
