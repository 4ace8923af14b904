"""A replica that was left is asked until it answers. In virtual time: nothing here waits."""

from __future__ import annotations

import asyncio

from serve_app.answering.probes import Probes
from tests.unit.answering.failing_replicas import FIRST, FailingReplicas
from tests.virtual_time import run


def test_one_that_is_left_again_at_once_is_asked_again():
    async def play() -> None:
        loop = asyncio.get_running_loop()
        replicas, answered = FailingReplicas(loop.time), list[bool]()

        def probed(answer: bool) -> None:
            answered.append(answer)
            if len(answered) == 1:
                # The next that happens after it is readmitted.
                loop.call_soon(probes.eject, FIRST)

        probes = Probes(replicas, 2.0, probed)
        probes.eject(FIRST)
        await asyncio.sleep(1.5)
        assert replicas.fleet.ejected() == {FIRST}
        await asyncio.sleep(1.5)
        assert not replicas.fleet.ejected()
        assert answered == [True, True]
        await probes.aclose()

    run(play())
