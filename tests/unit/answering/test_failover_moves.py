"""An answer outlives the replica that began it. In virtual time: nothing here waits."""

from __future__ import annotations

import asyncio

import pytest

from serve_app.domain.errors import DeadlineExceeded, ModelFailed, Overloaded, TooLong
from tests.unit.answering.failing_replicas import ANSWER, FIRST, SECOND, THIRD, Replica, asked
from tests.unit.answering.failover_scene import Scene, Told, complete, scene, told


def test_an_answer_that_nothing_happens_to_is_passed_on():
    async def play(scene: Scene) -> None:
        heard = await told(scene.failover.generate(asked()))
        complete(heard)
        assert heard.started == [FIRST]
        assert not scene.events

    scene(play)


@pytest.mark.parametrize("place", [-1, 0, 1, 7, len(ANSWER) - 1, len(ANSWER)])
def test_an_answer_goes_on_where_its_replica_died(place: int):
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = place
        heard = await told(scene.failover.generate(asked()))
        complete(heard)
        first, second = scene.of(FIRST).requests[0], scene.of(SECOND).requests[0]
        assert (first.request_id, second.request_id) == ("ask.1", "ask.2")
        assert second.sent_token_ids == tuple(ANSWER[: max(0, place)])
        assert second.timeout_s < first.timeout_s or place == -1
        assert heard.started[-1] == (SECOND if place <= 0 else FIRST), "who gave the first token"
        assert scene.replicas.fleet.ejected() == {FIRST}
        assert scene.events == {"moved-dead": 1}

    scene(play)


@pytest.mark.parametrize("place", [-1, 0, 1, 7, len(ANSWER)])
def test_an_answer_goes_on_where_its_replica_fell_silent(place: int):
    async def play(scene: Scene) -> None:
        scene.of(FIRST).freezes_at = place
        heard = await told(scene.failover.generate(asked()))
        complete(heard)
        assert 2.0 <= heard.longest_gap_s <= 2.5
        assert scene.of(FIRST).closed == ["ask.1"], "what was left is closed"
        assert scene.replicas.fleet.ejected() == {FIRST}
        assert scene.events == {"moved-silent": 1}

    scene(play)


def test_two_replicas_may_fail_it():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = 4
        scene.of(SECOND).freezes_at = 9
        complete(await told(scene.failover.generate(asked())))
        assert scene.of(THIRD).requests[0].sent_token_ids == tuple(ANSWER[:9])

    scene(play)


def test_a_third_failure_is_its_end():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).freezes_at = 2
        scene.of(SECOND).freezes_at = 4
        scene.of(THIRD).dies_at = 6
        heard = Told()
        with pytest.raises(ModelFailed):
            await told(scene.failover.generate(asked()), heard)
        assert heard.token_ids == ANSWER[:6], "what was said stays said"
        assert heard.finished is None

    scene(play)


def test_no_moves_are_made_where_none_are_wanted():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = 2
        with pytest.raises(ModelFailed):
            await told(scene.failover.generate(asked()))
        assert not scene.of(SECOND).requests

    scene(play, moves=0)


def test_a_moved_answer_waits_for_a_place():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = 3
        scene.of(SECOND).raises = Overloaded("Full.")
        asyncio.get_running_loop().call_later(5, setattr, scene.of(SECOND), "raises", None)
        complete(await told(scene.failover.generate(asked())))
        assert scene.events["moved-dead"] == 1
        assert scene.replicas.fleet.ejected() == {FIRST}

    scene(play)


@pytest.mark.parametrize("error", [Overloaded("Full."), TooLong("Too long."), DeadlineExceeded("Too late.")])
def test_what_another_replica_would_say_too_is_not_asked_again(error: Exception):
    async def play(scene: Scene) -> None:
        scene.of(FIRST).raises = error
        with pytest.raises(type(error)):
            await told(scene.failover.generate(asked()))
        assert not scene.of(SECOND).requests
        assert not scene.replicas.fleet.ejected()

    scene(play)


def test_a_death_is_survived_when_the_only_other_replica_comes_later():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = 5
        scene.replicas.of[SECOND] = Replica(SECOND)
        asyncio.get_running_loop().call_later(6, scene.replicas.fleet.renew, [SECOND])
        complete(await told(scene.failover.generate(asked())))

    scene(play, names=(FIRST,))
