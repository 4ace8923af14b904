"""How many questions of a flushed head are generated at a time."""

from __future__ import annotations

import asyncio

import pytest

from serve_app.answering.regeneration import Place, Regenerations


def made(limit: int, *known: str, wait_s: float = 5.0) -> tuple[Regenerations, list[str]]:
    counted: list[str] = []
    regenerations = Regenerations(limit, counted.append, wait_s)
    for question in known:
        regenerations.hit(question)
    return regenerations, counted


async def entered(regenerations: Regenerations, question: str, within_s: float = 5.0) -> Place:
    place = await regenerations.enter(question, within_s)
    assert place is not None
    return place


async def test_new_questions_need_no_place() -> None:
    regenerations, counted = made(1)
    places = [await entered(regenerations, f"q{n}") for n in range(9)]
    for place in places:
        place.leave()
    assert counted == []


async def test_one_question_takes_one_place_however_many_ask_it() -> None:
    regenerations, counted = made(1, "a", "b")
    first, second = await entered(regenerations, "a"), await entered(regenerations, "a")
    assert counted == ["began", "began"]
    first.leave()
    assert await regenerations.enter("b", 0.0) is None
    second.leave()
    await entered(regenerations, "b", 0.0)


async def test_who_waits_gets_the_next_place_and_is_told_so() -> None:
    regenerations, counted = made(2, "a", "b", "c")
    a, b = await entered(regenerations, "a"), await entered(regenerations, "b")
    waiting = asyncio.create_task(entered(regenerations, "c"))
    await asyncio.sleep(0)
    assert not waiting.done()
    b.leave()
    c = await waiting
    assert (a.has_waited, c.has_waited) == (False, True)
    assert counted == ["began", "began", "waited"]


@pytest.mark.parametrize(("within_s", "wait_s"), [(0.0, 5.0), (5.0, 0.0)])
async def test_who_cannot_wait_is_shed(within_s: float, wait_s: float) -> None:
    regenerations, counted = made(1, "a", "b", wait_s=wait_s)
    place = await entered(regenerations, "a")
    assert await regenerations.enter("b", within_s) is None
    assert counted == ["began", "shed"]
    place.leave()
    place.leave()
    await entered(regenerations, "b", 0.0)


async def test_who_goes_away_while_waiting_takes_no_place() -> None:
    regenerations, _ = made(1, "a", "b", "c")
    a = await entered(regenerations, "a")
    waiting = asyncio.create_task(regenerations.enter("b", 5.0))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    a.leave()
    await entered(regenerations, "c", 0.0)
