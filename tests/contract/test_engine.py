"""Every engine behind the `Engine` port keeps the same promises: vLLM with the packaged model, and the fake."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.adapters.vllm_engine import VllmEngine
from serve_app.config import ModelSettings
from serve_app.domain.errors import DeadlineExceeded, MalformedRequest, ModelFailed, TooLong
from serve_app.domain.generation import Finished, Generate, Sampling, Tokens
from serve_app.ports import Engine

MAX_MODEL_LEN = 512
_ids = itertools.count()


def a_request(
    *,
    prompt: list[int] | None = None,
    max_tokens: int = 24,
    timeout_s: float = 60.0,
    salt: str = "demo",
    sent: Sequence[int] = (),
    ignore_eos: bool = True,
) -> Generate:
    ids = list(range(100, 140)) if prompt is None else prompt
    sampling = Sampling(max_tokens=max_tokens, ignore_eos=ignore_eos)
    return Generate(f"request-{next(_ids)}", ids, sampling, None, salt, timeout_s, sent_token_ids=tuple(sent))


async def answer_to(engine: Engine, request: Generate) -> tuple[list[int], Finished]:
    pieces = [piece async for piece in engine.generate(request)]
    assert isinstance(pieces[-1], Finished)
    return [token_id for piece in pieces if isinstance(piece, Tokens) for token_id in piece.token_ids], pieces[-1]


@pytest.fixture(scope="module", params=["vllm", "scripted"])
async def engine(request: pytest.FixtureRequest, packaged_model: Path) -> AsyncIterator[Engine]:
    if request.param == "vllm":
        # In bfloat16, going on from an answer's tokens may turn where two are almost equally likely.
        made: Engine = VllmEngine(ModelSettings(max_model_len=MAX_MODEL_LEN, engine={"dtype": "float32"}), packaged_model)
    else:
        made = ScriptedEngine(_counting, max_model_len=MAX_MODEL_LEN, token_s=0.006)
    with pytest.raises(ModelFailed):
        await made.check_health()
    await made.start()
    yield made
    await made.close()


def _counting(request: Generate) -> Sequence[int]:
    return [i % 256 for i in range(10_000 if request.sampling.ignore_eos else 5)]


async def test_tokens_come_in_pieces_and_the_last_piece_tells_the_count(engine: Engine) -> None:
    pieces = [piece async for piece in engine.generate(a_request(max_tokens=24))]
    tokens, last = pieces[:-1], pieces[-1]
    assert all(isinstance(piece, Tokens) for piece in tokens)
    assert isinstance(tokens[0], Tokens)
    assert len(tokens[0].token_ids) == 1, "the first token is given at once"
    assert last == Finished("length", 40, last.cached_tokens if isinstance(last, Finished) else 0, 24)
    assert sum(len(piece.token_ids) for piece in tokens if isinstance(piece, Tokens)) == 24


async def test_the_same_prompt_gives_the_same_answer(engine: Engine) -> None:
    first, _ = await answer_to(engine, a_request())
    assert (await answer_to(engine, a_request()))[0] == first


@pytest.mark.parametrize("sent", [1, 2, 15, 16, 17, 39])
async def test_an_answer_goes_on_after_the_tokens_that_were_sent(engine: Engine, sent: int) -> None:
    whole, end = await answer_to(engine, a_request(max_tokens=40, salt="before"))
    rest, last = await answer_to(engine, a_request(max_tokens=40, sent=whole[:sent], salt=f"after-{sent}"))
    assert whole[:sent] + rest == whole
    assert (last.reason, last.prompt_tokens, last.completion_tokens) == (end.reason, 40, 40)


async def test_an_answer_that_has_come_to_its_end_does_not_go_on(engine: Engine, packaged_model: Path) -> None:
    tokenizer = HfTokenizer.load(packaged_model)
    said = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\nThe capital of France is"
    prompt = tokenizer.encode(said)
    whole, end = await answer_to(engine, a_request(prompt=prompt, max_tokens=200, ignore_eos=False))
    assert end.reason == "stop"
    stream = tokenizer.stream()
    assert "".join(stream.feed([token_id]) for token_id in whole) + stream.end() == tokenizer.decode(whole)
    for sent in (len(whole) - 1, len(whole)):
        rest, last = await answer_to(engine, a_request(prompt=prompt, max_tokens=200, sent=whole[:sent], ignore_eos=False))
        assert whole[:sent] + rest == whole
        assert (last.reason, last.completion_tokens) == ("stop", len(whole))


async def test_an_answer_that_was_sent_whole_ends_at_once(engine: Engine) -> None:
    assert await answer_to(engine, a_request(max_tokens=3, sent=[1, 2, 3], salt="sent")) == ([], Finished("length", 40, 0, 3))


async def test_a_seen_prefix_is_not_computed_again_within_its_tenant_alone(engine: Engine) -> None:
    async def cached(salt: str) -> int:
        pieces = [p async for p in engine.generate(a_request(prompt=list(range(300, 460)), max_tokens=1, salt=salt))]
        assert isinstance(pieces[-1], Finished)
        return pieces[-1].cached_tokens

    assert await cached("tenant-a") == 0
    assert await cached("tenant-a") > 0
    assert await cached("tenant-b") == 0


async def test_many_run_at_the_same_time(engine: Engine) -> None:
    async def run(length: int) -> Finished:
        pieces = [piece async for piece in engine.generate(a_request(prompt=list(range(200, 200 + length)), max_tokens=4))]
        assert isinstance(pieces[-1], Finished)
        return pieces[-1]

    ends = await asyncio.gather(*(run(10 + i) for i in range(8)))
    assert [end.prompt_tokens for end in ends] == [10 + i for i in range(8)]


async def test_closing_the_iterator_ends_the_generation(engine: Engine) -> None:
    stream = engine.generate(a_request(max_tokens=400))
    await anext(stream)
    assert engine.in_flight == 1
    await stream.aclose()
    assert engine.in_flight == 0


async def test_cancelling_the_reader_ends_the_generation(engine: Engine) -> None:
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in engine.generate(a_request(max_tokens=400)):
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert engine.in_flight == 0


async def test_a_prompt_that_does_not_fit_is_told_so(engine: Engine) -> None:
    with pytest.raises(TooLong):
        await anext(engine.generate(a_request(prompt=[5] * MAX_MODEL_LEN)))


async def test_an_answer_ends_where_the_model_can_read_no_further(engine: Engine) -> None:
    pieces = [p async for p in engine.generate(a_request(prompt=[5] * (MAX_MODEL_LEN - 3), max_tokens=50))]
    assert isinstance(pieces[-1], Finished)
    assert (pieces[-1].reason, pieces[-1].completion_tokens) == ("length", 3)


async def test_an_empty_prompt_is_refused(engine: Engine) -> None:
    with pytest.raises(MalformedRequest):
        await anext(engine.generate(a_request(prompt=[])))


async def test_no_token_in_time_is_a_missed_deadline(engine: Engine) -> None:
    with pytest.raises(DeadlineExceeded):
        await anext(engine.generate(a_request(timeout_s=1e-6)))
    assert engine.in_flight == 0


async def test_an_answer_that_outlasts_its_deadline_is_cut(engine: Engine) -> None:
    pieces = [piece async for piece in engine.generate(a_request(max_tokens=450, timeout_s=2.0))]
    last = pieces[-1]
    assert isinstance(last, Finished)
    assert last.reason == "abort"
    assert 0 < last.completion_tokens < 450


async def test_an_engine_with_nothing_to_do_has_just_moved(engine: Engine) -> None:
    before = time.monotonic()
    signals = engine.signals()
    assert (signals.running, signals.waiting) == (0, 0)
    assert before <= signals.moved_at <= time.monotonic()


async def test_an_engine_tells_what_it_does(engine: Engine) -> None:
    before = time.monotonic()
    stream = engine.generate(a_request(max_tokens=400))
    await anext(stream)
    first = engine.signals()
    assert before <= first.moved_at <= time.monotonic()
    await anext(stream)
    assert engine.signals().moved_at > first.moved_at
    assert engine.signals().running == 1
    await stream.aclose()
    assert engine.signals().running == 0


async def test_a_frozen_engine_does_not_move_until_it_thaws(engine: Engine) -> None:
    reading = asyncio.create_task(answer_to(engine, a_request(max_tokens=100)))
    while not engine.in_flight:
        await asyncio.sleep(0.01)
    _freeze(engine)
    async with asyncio.timeout(20):
        while True:  # What it said before is still on its way.
            moved_at = engine.signals().moved_at
            await asyncio.sleep(0.3)
            if engine.signals().moved_at == moved_at:
                break
    assert engine.in_flight == 1
    _thaw(engine)
    tokens, _ = await reading
    assert len(tokens) == 100


async def test_an_engine_that_dies_says_so_to_those_who_wait(engine: Engine) -> None:
    """The last test: the engine does not come back."""
    stream = engine.generate(a_request(max_tokens=450))
    await anext(stream)
    if isinstance(engine, ScriptedEngine):
        engine.fail()
    else:
        _signal_engine_process(signal.SIGKILL)
    with pytest.raises(ModelFailed):
        async for _ in stream:
            pass
    with pytest.raises(ModelFailed):
        await engine.check_health()
    with pytest.raises(ModelFailed):
        await anext(engine.generate(a_request()))


def _freeze(engine: Engine) -> None:
    if isinstance(engine, ScriptedEngine):
        engine.freeze()
    else:
        _signal_engine_process(signal.SIGSTOP)


def _thaw(engine: Engine) -> None:
    if isinstance(engine, ScriptedEngine):
        engine.thaw()
    else:
        _signal_engine_process(signal.SIGCONT)


def _signal_engine_process(number: signal.Signals) -> None:
    for child in _descendants(os.getpid()):
        if "EngineCore" in Path(f"/proc/{child}/cmdline").read_text(errors="replace"):
            os.kill(child, number)


def _descendants(pid: int) -> list[int]:
    children = [int(c) for task in Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()]
    return children + [below for child in children for below in _descendants(child)]
