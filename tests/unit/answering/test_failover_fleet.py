"""What a failing fleet is spared: the left get probes, what killed two is set aside, moves are few. In virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from serve_app.domain.errors import ModelFailed
from serve_app.domain.generation import Generate
from tests.unit.answering.failing_replicas import FIRST, SECOND, THIRD, asked
from tests.unit.answering.failover_scene import Scene, complete, scene, told


def test_a_replica_that_was_left_gets_nothing_until_a_probe_is_answered():
    async def play(scene: Scene) -> None:
        frozen = scene.of(FIRST)
        frozen.freezes_at = 3
        complete(await told(scene.failover.generate(asked("first"))))
        complete(await told(scene.failover.generate(asked("second"))))
        assert [request.request_id for request in frozen.requests if request.request_id.endswith(".1")] == ["first.1"]
        await asyncio.sleep(30)
        assert scene.replicas.fleet.ejected() == {FIRST}
        assert scene.events["probe-unanswered"] >= 3

        frozen.freezes_at = None
        frozen.thawed.set()
        await asyncio.sleep(15)
        assert not scene.replicas.fleet.ejected()
        assert scene.events["probe-answered"] == 1
        assert (await told(scene.failover.generate(asked("third")))).started == [FIRST]

    scene(play)


def test_probes_are_small_and_ever_rarer():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = 0
        await told(scene.failover.generate(asked()))
        await asyncio.sleep(120)
        probes = scene.of(FIRST).requests[1:]
        assert {probe.sampling.max_tokens for probe in probes} == {1}
        assert 10 <= len(probes) <= 16

    scene(play)


def test_a_replica_that_queues_has_answered_its_probe():
    async def play(scene: Scene) -> None:
        replica = scene.of(FIRST)
        replica.freezes_at = 3
        await told(scene.failover.generate(asked()))
        replica.freezes_at, replica.beats = None, 100
        await asyncio.sleep(10)
        assert not scene.replicas.fleet.ejected()

    scene(play)


def test_a_replica_that_is_gone_is_not_probed_any_more():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = 3
        await told(scene.failover.generate(asked()))
        scene.replicas.fleet.renew([SECOND, THIRD])
        await asyncio.sleep(60)
        assert len(scene.of(FIRST).requests) == 1

    scene(play)


def test_a_request_under_which_two_replicas_died_is_set_aside():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = scene.of(SECOND).dies_at = 2
        with pytest.raises(ModelFailed):
            await told(scene.failover.generate(asked("poison", prompt=1)))
        assert not scene.of(THIRD).requests
        with pytest.raises(ModelFailed):
            await told(scene.failover.generate(asked("again", prompt=1, session="another")))
        assert not scene.of(THIRD).requests, "refused at once"
        assert (scene.events["set-aside"], scene.events["refused-set-aside"]) == (1, 1)
        complete(await told(scene.failover.generate(asked("harmless", prompt=2))))
        scene.of(FIRST).dies_at = scene.of(SECOND).dies_at = None
        await asyncio.sleep(600)
        complete(await told(scene.failover.generate(asked("later", prompt=1))))

    scene(play)


def test_a_replica_that_was_dead_before_did_not_die_of_a_request():
    async def play(scene: Scene) -> None:
        # Two of a node's replicas, when the node is lost.
        scene.of(FIRST).dies_at = 2
        scene.of(SECOND).dies_at = -1
        complete(await told(scene.failover.generate(asked())))
        assert scene.events == {"moved-dead": 2}

    scene(play)


def test_a_fleet_in_trouble_is_not_asked_everything_again():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).freezes_at = 2
        tasks = [asyncio.create_task(told(scene.failover.generate(asked(f"ask-{number}")))) for number in range(30)]
        heard = await asyncio.gather(*tasks)
        assert scene.events["moved-silent"] == 5, "two, and a tenth of thirty"
        cut = [one for one in heard if one.finished is not None and one.finished.reason == "abort"]
        assert len(cut) == scene.events["refused-budget"] > 0, "the others wait for the silent replica until their deadline"

    scene(play, budget_floor=2)


def test_those_who_share_a_generation_move_as_one():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = 2
        shared = [asked(f"ask-{number}") for number in range(30)]
        tasks = [asyncio.create_task(told(scene.failover.generate(_joined(request)))) for request in shared]
        for heard in await asyncio.gather(*tasks):
            complete(heard)
        assert scene.events["moved-dead"] == 30

    scene(play, budget_floor=2)


def _joined(request: Generate) -> Generate:
    return replace(request, join_key="question")
