"""How long a replica is waited for: who is slow or full is not left, and a deadline ends it. In virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from serve_app.domain.errors import DeadlineExceeded, Overloaded
from serve_app.domain.generation import Finished
from tests.unit.answering.failing_replicas import ANSWER, FIRST, SECOND, THIRD, asked
from tests.unit.answering.failover_scene import Scene, complete, scene, told


def test_beats_keep_a_queued_request_where_it_is():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).beats = 20
        heard = await told(scene.failover.generate(asked()))
        complete(heard)
        assert heard.started == [FIRST]
        assert heard.longest_gap_s > 10

    scene(play)


def test_a_slow_replica_is_not_taken_for_a_silent_one():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).token_s = 1.5
        complete(await told(scene.failover.generate(asked("warm", timeout_s=100))))
        scene.of(FIRST).token_s = 3.0
        heard = await told(scene.failover.generate(asked(timeout_s=100)))
        complete(heard)
        assert heard.started == [FIRST]

    scene(play)


def test_a_process_that_slept_itself_does_not_blame_its_replica():
    async def play(scene: Scene) -> None:
        # Its loop's clock jumps while nothing of it can run, as after SIGSTOP.
        loop: Any = asyncio.get_running_loop()
        loop.call_later(0.28, loop.sleep_through, 5.0)
        heard = await told(scene.failover.generate(asked()))
        complete(heard)
        assert not scene.events

    scene(play)


def test_silence_is_waited_out_where_nobody_else_can_be_asked():
    async def play(scene: Scene) -> None:
        replica = scene.of(FIRST)
        replica.freezes_at = 3
        asyncio.get_running_loop().call_later(8, replica.thawed.set)
        heard = await told(scene.failover.generate(asked()))
        complete(heard)
        assert scene.replicas.fleet.admitted() == {FIRST}

    scene(play, names=(FIRST,))


@pytest.mark.parametrize("place", [-1, 0])
def test_the_deadline_ends_what_nobody_begins_to_answer(place: int):
    async def play(scene: Scene) -> None:
        scene.of(FIRST).freezes_at = place
        begun = scene.now
        with pytest.raises(DeadlineExceeded):
            await told(scene.failover.generate(asked(timeout_s=7)))
        assert 7 <= scene.now - begun <= 8

    scene(play, names=(FIRST,))


def test_the_deadline_cuts_an_answer_that_has_begun():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).freezes_at = 3
        heard = await told(scene.failover.generate(asked(timeout_s=7)))
        assert heard.token_ids == ANSWER[:3]
        assert heard.finished == Finished("abort", 8, 0, 3)

    scene(play, names=(FIRST,))


def test_a_moved_answer_whose_time_is_up_is_cut_and_not_lost():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = 3
        scene.of(SECOND).raises = DeadlineExceeded("Too late.")
        heard = await told(scene.failover.generate(asked()))
        assert heard.finished == Finished("abort", 8, 0, 3)

    scene(play)


def test_a_moved_answer_for_which_there_is_no_place_in_time_is_cut_and_not_lost():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = 3
        scene.of(SECOND).raises = Overloaded("Full.")
        heard = await told(scene.failover.generate(asked(timeout_s=7)))
        assert heard.finished == Finished("abort", 8, 0, 3)

    scene(play)


def test_a_full_replica_that_others_hear_of_is_not_left():
    async def play(scene: Scene) -> None:
        full = scene.of(FIRST)
        full.token_s = 0.9
        other = asyncio.create_task(told(scene.failover.generate(asked("other"))))
        await asyncio.sleep(3)
        full.freezes_at = -1  # takes nothing more
        waits = asyncio.create_task(told(scene.failover.generate(asked("waits"))))
        await asyncio.sleep(6)
        full.freezes_at = None
        full.thawed.set()
        complete(await waits)
        complete(await other)
        assert not scene.events

    scene(play)


def test_a_fleet_that_others_fill_is_not_left():
    async def play(scene: Scene) -> None:
        # A process that has just begun has heard of no replica.
        for name in (FIRST, SECOND, THIRD):
            scene.of(name).full = True
        waits = asyncio.create_task(told(scene.failover.generate(asked())))
        await asyncio.sleep(11)
        assert not scene.replicas.fleet.ejected()
        for name in (FIRST, SECOND, THIRD):
            scene.of(name).full = False
        complete(await waits)
        assert not scene.events

    scene(play)
