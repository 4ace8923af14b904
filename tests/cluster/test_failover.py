"""Replicas with real engines that die or hang under load: every answer ends, and is the same to the token.

Greedy and in float32, where an answer that goes on elsewhere is computed as it would have been.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from benchmarks.failover import Scene
from benchmarks.model_replicas import FAULTS, Fault, running
from deployments.handles import InferenceHandle
from serve_app.config import FailoverSettings

# Three engines start on what may be two busy cores.
pytestmark = pytest.mark.timeout(900)

REPLICAS = 3
STREAMS = 8
# Two busy cores are silent for longer than the default allows; and four faults in a minute are more than it has moves for.
SETTINGS = FailoverSettings(silence_s=10.0, budget_floor=200)


@pytest.fixture(scope="module")
def handle(packaged_model: Path) -> Iterator[InferenceHandle]:
    with running(packaged_model, REPLICAS, logging.getLogger(__name__).info) as handle:
        yield handle


@pytest.fixture(scope="module")
async def scene(handle: InferenceHandle) -> AsyncIterator[Scene]:
    scene = Scene(handle, SETTINGS, tokens=48)
    yield scene
    await scene.aclose()


@pytest.fixture(scope="module")
async def unmoved(scene: Scene) -> Mapping[int, Sequence[int]]:
    return await scene.in_peace(STREAMS)


# Kills come last: nothing waits for the replicas that Serve starts in their place.
@pytest.mark.parametrize("fault", FAULTS)
async def test_every_answer_ends_and_is_the_same_to_the_token(
    scene: Scene, unmoved: Mapping[int, Sequence[int]], fault: Fault
) -> None:
    struck = await scene.strike(fault, STREAMS, late=4)
    assert [answer.error for answer in struck.answers] == [None] * (STREAMS + 4)
    assert all(answer.is_whole for answer in struck.answers)
    assert [answer.token_ids for answer in struck.answers] == [unmoved[answer.prompt] for answer in struck.answers]
    assert any(answer.moves for answer in struck.answers)
    if fault.startswith("freeze"):
        # Thawed, it answers a probe and is asked again.
        await scene.until_replicas(REPLICAS)
