"""An answer outlives the replica that began it. In virtual time: nothing here waits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from serve_app.answering.failover import Event, Failover
from serve_app.config import FailoverSettings
from serve_app.domain.errors import CallCancelled, DeadlineExceeded, ModelFailed, Overloaded, TooLong
from serve_app.domain.generation import Finished, Generate, Piece, Started, Tokens
from tests.unit.answering.failing_replicas import ANSWER, FIRST, SECOND, THIRD, FailingReplicas, Replica, asked
from tests.virtual_time import run


@dataclass
class Scene:
    replicas: FailingReplicas
    failover: Failover
    events: Counter[Event] = field(default_factory=Counter)

    def of(self, name: str) -> Replica:
        return self.replicas.of[name]

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class Told:
    """What the caller of one request was given."""

    started: list[str] = field(default_factory=list)
    token_ids: list[int] = field(default_factory=list)
    finished: Finished | None = None
    longest_gap_s: float = 0.0


async def told(pieces: AsyncGenerator[Piece, None], heard: Told | None = None) -> Told:
    heard = heard or Told()
    last = asyncio.get_running_loop().time()
    async with aclosing(pieces):
        async for piece in pieces:
            now = asyncio.get_running_loop().time()
            heard.longest_gap_s, last = max(heard.longest_gap_s, now - last), now
            if isinstance(piece, Started):
                assert not heard.token_ids, "who began is told before what was said"
                heard.started.append(piece.replica_id)
            elif isinstance(piece, Tokens):
                heard.token_ids += piece.token_ids
            else:
                assert heard.finished is None
                heard.finished = piece
    return heard


def scene(
    play: Callable[[Scene], Coroutine[Any, Any, None]], names: tuple[str, ...] = (FIRST, SECOND, THIRD), **settings: Any
) -> None:
    async def act() -> None:
        monotonic = asyncio.get_running_loop().time
        replicas, events = FailingReplicas(monotonic, names), Counter[Event]()
        failover = Failover(replicas, FailoverSettings(**settings), monotonic, lambda event: events.update([event]))
        try:
            await play(Scene(replicas, failover, events))
        finally:
            await failover.aclose()

    run(act())


def complete(heard: Told) -> None:
    assert heard.token_ids == ANSWER
    assert heard.finished == Finished("stop", 8, 0, len(ANSWER))


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


def test_a_moved_answer_waits_for_a_place():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = 3
        scene.of(SECOND).raises = Overloaded("Full.")
        asyncio.get_running_loop().call_later(5, setattr, scene.of(SECOND), "raises", None)
        complete(await told(scene.failover.generate(asked())))
        assert scene.events["moved-dead"] == 1
        assert scene.replicas.fleet.ejected() == {FIRST}

    scene(play)


def test_a_moved_answer_for_which_there_is_no_place_in_time_is_cut_and_not_lost():
    async def play(scene: Scene) -> None:
        scene.of(FIRST).dies_at = 3
        scene.of(SECOND).raises = Overloaded("Full.")
        heard = await told(scene.failover.generate(asked(timeout_s=7)))
        assert heard.finished == Finished("abort", 8, 0, 3)

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


def _joined(request: Generate) -> Generate:
    return replace(request, join_key="question")
