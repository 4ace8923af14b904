"""Requests with one join key share one generation, whatever becomes of those who share it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.domain.errors import DeadlineExceeded, MalformedRequest, ModelFailed, TooLong
from serve_app.domain.generation import Finished, Generate, Sampling, Tokens
from serve_app.joining import Joining

ANSWER = list(range(1000, 1040))
_ids = itertools.count()


def asked(key: str | None = "question", *, sent: Sequence[int] = (), prompt: int = 20, timeout_s: float = 60.0) -> Generate:
    sampling = Sampling(max_tokens=len(ANSWER))
    return Generate(
        f"request-{next(_ids)}", [1] * prompt, sampling, key, "demo", timeout_s, sent_token_ids=tuple(sent), join_key=key
    )


@dataclass
class Said:
    token_ids: list[int] = field(default_factory=list[int])
    end: Finished | None = None

    @classmethod
    async def all(cls, pieces: AsyncGenerator[Tokens | Finished, None]) -> Said:
        said = cls()
        async with aclosing(pieces):
            async for piece in pieces:
                said.take(piece)
        return said

    def take(self, piece: Tokens | Finished) -> None:
        assert self.end is None, "nothing comes after the last piece"
        if isinstance(piece, Finished):
            self.end = piece
        else:
            self.token_ids += piece.token_ids


@pytest.fixture
async def engine() -> ScriptedEngine:
    made = ScriptedEngine(lambda _: ANSWER, token_s=0.001)
    await made.start()
    return made


@pytest.fixture
def joining(engine: ScriptedEngine) -> Joining:
    return Joining(engine.generate)


async def until_idle(engine: ScriptedEngine) -> None:
    async with asyncio.timeout(10):
        while engine.in_flight:
            await asyncio.sleep(0)


async def test_five_hundred_equal_questions_are_one_generation(engine: ScriptedEngine, joining: Joining) -> None:
    everybody = await asyncio.gather(*(Said.all(joining.generate(asked())) for _ in range(500)))
    assert len(engine.requests) == 1
    assert all(said.token_ids == ANSWER for said in everybody)
    assert {said.end for said in everybody} == {Finished("stop", 20, 0, len(ANSWER))}


async def test_other_questions_and_those_without_a_key_have_their_own(engine: ScriptedEngine, joining: Joining) -> None:
    keys = ["one", "two", None, None]
    everybody = await asyncio.gather(*(Said.all(joining.generate(asked(key))) for key in keys))
    assert len(engine.requests) == 4
    assert all(said.token_ids == ANSWER for said in everybody)


async def test_who_comes_late_gets_everything(engine: ScriptedEngine, joining: Joining) -> None:
    async with aclosing(joining.generate(asked())) as first:
        early = Said()
        while len(early.token_ids) < 10:
            early.take(await anext(first))
        late = joining.generate(asked())
        opening = await anext(late)
        assert isinstance(opening, Tokens)
        assert list(opening.token_ids[:10]) == ANSWER[:10], "at once, and in one piece"
        rest = await Said.all(late)
        assert [*opening.token_ids, *rest.token_ids] == ANSWER
    assert len(engine.requests) == 1


async def test_who_comes_while_others_still_read_a_finished_one_reads_it_too(engine: ScriptedEngine, joining: Joining) -> None:
    async with aclosing(joining.generate(asked())) as slow:
        await anext(slow)
        await until_idle(engine)
        assert (await Said.all(joining.generate(asked()))).token_ids == ANSWER
    assert len(engine.requests) == 1


async def test_nothing_is_kept_once_nobody_reads(engine: ScriptedEngine, joining: Joining) -> None:
    for _ in range(2):
        assert (await Said.all(joining.generate(asked()))).token_ids == ANSWER
    assert len(engine.requests) == 2


async def test_the_first_one_leaves_and_the_others_go_on(engine: ScriptedEngine, joining: Joining) -> None:
    first, second = joining.generate(asked()), joining.generate(asked())
    await anext(first)
    opening = await anext(second)
    assert isinstance(opening, Tokens)
    await first.aclose()
    assert [*opening.token_ids, *(await Said.all(second)).token_ids] == ANSWER
    assert len(engine.requests) == 1


async def test_the_first_ones_cancellation_reaches_nobody_else(engine: ScriptedEngine, joining: Joining) -> None:
    first = asyncio.create_task(Said.all(joining.generate(asked())))
    second = asyncio.create_task(Said.all(joining.generate(asked())))
    while not engine.in_flight:
        await asyncio.sleep(0)
    first.cancel()
    assert (await second).token_ids == ANSWER
    assert first.cancelled()
    assert len(engine.requests) == 1


async def test_the_last_one_leaves_and_the_generation_ends(engine: ScriptedEngine, joining: Joining) -> None:
    first, second = joining.generate(asked()), joining.generate(asked())
    await anext(first)
    await anext(second)
    await first.aclose()
    assert engine.in_flight == 1
    await second.aclose()
    await until_idle(engine)
    assert (await Said.all(joining.generate(asked()))).token_ids == ANSWER, "a newcomer does not join what was given up"
    assert len(engine.requests) == 2


async def test_an_engine_that_dies_fails_everyone_with_an_error_of_their_own(engine: ScriptedEngine, joining: Joining) -> None:
    streams = [joining.generate(asked()) for _ in range(3)]
    for stream in streams:
        await anext(stream)
    engine.fail()
    errors: list[ModelFailed] = []
    for stream in streams:
        with pytest.raises(ModelFailed) as raised:
            await Said.all(stream)
        errors.append(raised.value)
    assert {str(error) for error in errors} == {"the engine is not running"}
    assert len({id(error) for error in errors}) == 3


async def test_nobody_joins_what_has_failed(engine: ScriptedEngine, joining: Joining) -> None:
    async with aclosing(joining.generate(asked())) as reader:
        await anext(reader)
        engine.fail()
        await until_idle(engine)
        await engine.start()
        assert (await Said.all(joining.generate(asked()))).token_ids == ANSWER
    assert len(engine.requests) == 2


async def test_what_the_engine_refuses_is_refused_as_it_says(joining: Joining) -> None:
    with pytest.raises(TooLong) as raised:
        await Said.all(joining.generate(asked(prompt=5000)))
    assert raised.value.status == 413
    with pytest.raises(MalformedRequest):
        await Said.all(joining.generate(asked("empty", prompt=0)))


async def test_an_engine_that_breaks_its_promises_leaves_nobody_waiting() -> None:
    async def breaks(_: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        yield Tokens((1,))
        raise KeyError("oh")

    async def stops(_: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        yield Tokens((1,))

    for engine in (breaks, stops):
        with pytest.raises(ModelFailed):
            await Said.all(Joining(engine).generate(asked()))


async def test_a_deadline_is_each_ones_own() -> None:
    engine = ScriptedEngine(lambda _: ANSWER, token_s=0.01)
    await engine.start()
    joining = Joining(engine.generate)
    hasty = asyncio.create_task(Said.all(joining.generate(asked(timeout_s=0.0))))
    patient = asyncio.create_task(Said.all(joining.generate(asked())))
    with pytest.raises(DeadlineExceeded):
        await hasty
    assert (await patient).token_ids == ANSWER
    assert len(engine.requests) == 1


async def test_an_answer_that_has_begun_is_cut_at_its_deadline(engine: ScriptedEngine, joining: Joining) -> None:
    async with aclosing(joining.generate(asked())) as patient:
        await anext(patient)
        late = await Said.all(joining.generate(asked(timeout_s=0.0)))
        assert late.end is not None
        assert (late.end.reason, late.end.completion_tokens) == ("abort", len(late.token_ids))
        assert late.token_ids == ANSWER[: len(late.token_ids)]
        assert engine.in_flight == 1


async def test_the_generation_runs_outside_the_context_of_who_asked_first() -> None:
    """Ray Serve keeps a request's children in its context, and cancels them with it."""
    request_of: ContextVar[str] = ContextVar("request_of", default="nobody's")
    seen: list[str] = []

    async def engine(_: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        seen.append(request_of.get())
        yield Finished("stop", 1, 0, 0)

    request_of.set("the leader's")
    await Said.all(Joining(engine).generate(asked()))
    assert seen == ["nobody's"]


# Those who come from a replica that was left


async def test_who_has_had_a_part_gets_the_rest(engine: ScriptedEngine, joining: Joining) -> None:
    async with aclosing(joining.generate(asked())) as whole:
        begun = Said()
        while len(begun.token_ids) < 10:
            begun.take(await anext(whole))
        assert (await Said.all(joining.generate(asked(sent=ANSWER[:7])))).token_ids == ANSWER[7:]
        assert (await Said.all(joining.generate(asked(sent=ANSWER[:10])))).token_ids == ANSWER[10:]
    assert len(engine.requests) == 1


async def test_who_comes_new_gets_what_was_sent_elsewhere_too(engine: ScriptedEngine, joining: Joining) -> None:
    moved, new = await asyncio.gather(Said.all(joining.generate(asked(sent=ANSWER[:8]))), Said.all(joining.generate(asked())))
    assert [request.sent_token_ids for request in engine.requests] == [tuple(ANSWER[:8])]
    assert (moved.token_ids, new.token_ids) == (ANSWER[8:], ANSWER)
    assert moved.end == new.end == Finished("stop", 20, 0, len(ANSWER)), "the count is of the whole answer"


async def test_who_was_told_something_else_gets_a_generation_of_their_own(engine: ScriptedEngine, joining: Joining) -> None:
    async with aclosing(joining.generate(asked())) as running:
        await anext(running)
        await Said.all(joining.generate(asked(sent=[7, 7])))
        assert [request.sent_token_ids for request in engine.requests] == [(), (7, 7)]
        assert engine.in_flight == 1, "the other one goes on"


@given(lengths=st.lists(st.integers(0, len(ANSWER) - 1), min_size=1, max_size=12), ahead=st.integers(0, 3))
async def test_after_a_death_everybody_gets_exactly_what_they_lack(lengths: list[int], ahead: int) -> None:
    """In any order, from any place. A generation more is needed only where somebody has had more than all before."""
    engine = ScriptedEngine(lambda _: ANSWER)
    await engine.start()
    joining = Joining(engine.generate)
    tasks: list[asyncio.Task[Said]] = []
    for length in lengths:
        tasks.append(asyncio.create_task(Said.all(joining.generate(asked(sent=ANSWER[:length])))))
        for _ in range(ahead):
            await asyncio.sleep(0)
    for length, task in zip(lengths, tasks, strict=True):
        said = await task
        assert said.token_ids == ANSWER[length:]
        assert said.end is not None
        assert said.end.completion_tokens == len(ANSWER)
    if not ahead:
        records = sum(length > max(lengths[:index], default=-1) for index, length in enumerate(lengths))
        assert len(engine.requests) <= records
    assert engine.in_flight == 0
