"""Callers that go away, and calls that are cancelled, while a failover runs. In virtual time."""

from __future__ import annotations

import asyncio

import pytest

from serve_app.domain.errors import CallCancelled
from serve_app.domain.generation import Tokens
from tests.unit.answering.failing_replicas import ANSWER, FIRST, SECOND, THIRD, asked
from tests.unit.answering.failover_scene import Scene, complete, scene, told


@pytest.mark.parametrize("moved", [False, True])
def test_a_caller_that_goes_away_closes_the_attempt_that_runs(moved: bool):
    async def play(scene: Scene) -> None:
        if moved:
            scene.of(FIRST).dies_at = 3
        pieces = scene.failover.generate(asked())
        async for piece in pieces:
            if isinstance(piece, Tokens) and piece.token_ids == (ANSWER[6],):
                break
        await pieces.aclose()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert scene.of(FIRST).closed == ["ask.1"]
        assert scene.of(SECOND).closed == (["ask.2"] if moved else [])
        assert not scene.of(THIRD).requests

    scene(play)


def test_a_call_that_is_cancelled_before_its_caller_is_no_failure():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).raises = CallCancelled("by Serve")
        task = asyncio.create_task(told(scene.failover.generate(asked())))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.wait([task])
        assert not scene.replicas.fleet.ejected()
        assert not scene.of(SECOND).requests
        assert not scene.events

    scene(play)


def test_a_call_that_is_cancelled_for_another_reason_is_made_again():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).raises = CallCancelled("by Serve")
        asyncio.get_running_loop().call_later(0.5, setattr, scene.of(FIRST), "raises", None)
        complete(await told(scene.failover.generate(asked())))
        assert scene.events["moved-dead"] == 1

    scene(play)


def test_a_caller_that_is_cancelled_while_it_waits_closes_the_attempt():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).freezes_at = 4
        task = asyncio.create_task(told(scene.failover.generate(asked())))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0.01)
        assert scene.of(FIRST).closed == ["ask.1"]
        assert not scene.events

    scene(play)
