from __future__ import annotations

import itertools
import json
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.gpu import parsed, setup_of
from benchmarks.gpu_run import floors, plans, watching
from benchmarks.gpu_run.knee import knee
from benchmarks.gpu_run.paced import PacedEngine
from benchmarks.gpu_run.recalling import Recalling
from benchmarks.gpu_run.texts import small_talk
from benchmarks.gpu_run.visits import Visit, judged_ms, told
from benchmarks.gpu_run.watching import Watched
from benchmarks.serving.fixed_length import FixedLength
from serve_app.domain.generation import Finished, Generate, Sampling, Tokens
from serve_app.ports import EngineSignals

QWEN3_32B = {
    "hidden_size": 5120,
    "intermediate_size": 25600,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "num_hidden_layers": 64,
    "vocab_size": 151936,
    "tie_word_embeddings": False,
}


# The knee


@given(st.floats(1, 100), st.lists(st.floats(1, 100), min_size=1, max_size=6, unique=True), st.integers(0, 4))
def test_the_knee_lies_between_a_rate_that_meets_and_the_next_that_misses(limit, rates, halvings):
    asked: list[float] = []

    def measure(rate: float) -> float:
        asked.append(rate)
        return 100 * rate / limit

    found = knee(rates, halvings, 100.0, measure)
    assert found.met <= limit
    assert found.missed is None or found.missed > limit
    assert found.missed is not None or found.met == max(rates)
    assert found.met <= found.crossing <= (found.missed or found.met)
    assert len(asked) == len(set(asked)) <= len(rates) + halvings


def test_the_crossing_lies_where_the_line_between_two_rates_crosses_the_objective():
    figures = {30.0: 150.0, 40.0: 600.0}
    found = knee([30, 40], 0, 300.0, figures.__getitem__)
    assert (found.met, found.missed) == (30.0, 40.0)
    assert found.crossing == pytest.approx(35.0)


def test_a_rate_at_which_answers_failed_does_not_move_the_crossing():
    found = knee([30, 40], 1, 300.0, lambda rate: 150.0 if rate < 36 else math.inf)
    assert (found.met, found.missed, found.crossing) == (35.0, 40.0, 35.0)


# What is asked


def test_questions_come_at_the_rate_and_every_arm_gets_the_same():
    def made() -> list[plans.Asked]:
        return plans.branches(30.0, 20.0, 8, map(str, itertools.count()), seed=3)

    assert made() == made()
    assert len(made()) == pytest.approx(600, rel=0.15)
    assert {asked.conversation for asked in made()} == set(range(8))


def test_conversations_have_four_turns_on_average_and_customers_think_for_a_while():
    found = plans.sessions(40.0, 400.0, 0.5, map(str, itertools.count()), seed=3)
    turns = [len(session.questions) for session in found]
    assert min(turns) == 1
    assert sum(turns) / len(turns) == pytest.approx(4.0, rel=0.1)
    assert all(len(session.thinks_s) == len(session.questions) - 1 for session in found)
    thinks = sorted(think for session in found for think in session.thinks_s)
    assert thinks[len(thinks) // 2] == pytest.approx(10.0, rel=0.1)


def test_small_talk_never_comes_twice():
    found = list(itertools.islice(small_talk(1), 200))
    assert len(set(found)) == 200
    assert found == list(itertools.islice(small_talk(1), 200))


# What it came to


def visit(first_s: float | None, turn: int = 2, source: str = "model") -> Visit:
    return Visit(1.0, turn, first_s=first_s, ended_s=2.0, status=200, source=source, finish="length", tokens=11)


def test_a_visit_that_failed_counts_as_one_that_never_came():
    visits = [visit(0.1) for _ in range(50)]
    assert judged_ms(visits) == pytest.approx(100.0)
    assert judged_ms([*visits, visit(None)]) == math.inf
    assert judged_ms([*visits, visit(0.1, source="faq")]) == math.inf


def test_later_turns_decide_and_the_first_ones_are_told_apart():
    visits = [visit(0.1), visit(0.1), visit(2.0, turn=1)]
    assert judged_ms(visits) == pytest.approx(100.0)
    row = told(visits, 3.0)
    assert row["ttft_later_ms"] == {"n": 2, "p50": 100.0, "p90": None, "p99": None}
    assert row["ttft_first_ms"] == {"n": 1, "p50": 2000.0, "p90": None, "p99": None}
    assert row["per_s"] == 1.0


def test_what_failed_is_told_with_its_reason():
    failed = Visit(1.0, 1, status=503, why="full")
    row = told([visit(0.1), failed], 2.0)
    assert row["failed"] == 1
    assert "503" in str(row["reasons"])
    assert json.loads(json.dumps(told([failed], 2.0)))["ttft_ms"] == {"n": 0, "p50": None, "p90": None, "p99": None}


# What the hardware could do


def test_the_floors_of_the_32_billion_model_on_one_card():
    weights, card = floors.weights_of(QWEN3_32B), floors.card_named("NVIDIA H100 80GB HBM3")
    assert card is not None
    assert weights.multiplied + weights.tables == pytest.approx(32.8e9, rel=0.01)
    assert floors.token_floor_ms(weights, card, 8) == pytest.approx(9.8, rel=0.03)
    assert floors.token_floor_ms(weights, card, 16) == pytest.approx(19.1, rel=0.03)
    assert floors.compute_share(weights, card, 8, 1979e12 / (2 * 32e9)) == pytest.approx(1.0, rel=0.01)
    assert floors.card_named("something else") is None


# Engines around the engine


class Counting:
    """Says 1, 2, 3, …; `asked` are the prompts that it was given."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.in_flight = 0

    async def start(self) -> None: ...

    def signals(self) -> EngineSignals:
        return EngineSignals(0, 0, 0.0, 0.0)

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        self.asked.append(request.prompt_token_ids)
        for number in range(1, request.sampling.max_tokens + 1):
            yield Tokens((number,))
        yield Finished("length", len(request.prompt_token_ids), 4, request.sampling.max_tokens)

    async def check_health(self) -> None: ...

    async def close(self) -> None: ...


def request(prompt: Sequence[int], session: str | None = "s", tokens: int = 3) -> Generate:
    return Generate("r", list(prompt), Sampling(max_tokens=tokens), session, "t", timeout_s=5)


async def said(engine: Recalling | FixedLength | PacedEngine | Watched, asked: Generate) -> list[int]:
    async with aclosing(engine.generate(asked)) as pieces:
        return [token for piece in [piece async for piece in pieces] if isinstance(piece, Tokens) for token in piece.token_ids]


async def test_the_next_prompt_gets_back_what_the_engine_said_itself():
    inner, words = Counting(), [901, 902]
    engine = FixedLength(Recalling(inner, words), words)
    answer = await said(engine, request([10, 11]))
    assert answer == [901, 902, 901]
    again = await said(engine, request([10, 11, *answer, 12]))
    await said(engine, request([10, 11, *answer, 12, *again, 13]))
    assert inner.asked == [[10, 11], [10, 11, 1, 2, 3, 12], [10, 11, 1, 2, 3, 12, 1, 2, 3, 13]]


async def test_many_branches_of_one_conversation_find_what_it_began_with():
    inner, words = Counting(), [901, 902]
    engine = FixedLength(Recalling(inner, words), words)
    answer = await said(engine, request([10, 11]))
    for branch in range(20, 50):
        await said(engine, request([10, 11, *answer, branch]))
        assert inner.asked[-1] == [10, 11, 1, 2, 3, branch]


async def test_other_conversations_and_requests_without_one_are_left_as_they_are():
    inner, words = Counting(), [901, 902]
    engine = FixedLength(Recalling(inner, words), words)
    answer = await said(engine, request([10, 11]))
    for other in ("other", None):
        await said(engine, request([10, 11, *answer, 12], other))
        assert inner.asked[-1] == [10, 11, *answer, 12]


async def test_a_paced_engine_says_as_much_as_it_may():
    engine = PacedEngine([5, 6, 7], first_ms=1, token_ms=1, flush_ms=3)
    assert await said(engine, request([1], tokens=10)) == [5, 6, 7] * 3 + [5]
    assert engine.in_flight == 0


async def test_what_an_engine_does_is_written_down(tmp_path):
    engine = Watched(Counting(), tmp_path)
    await engine.start()
    await said(engine, request(range(10)))
    await engine.close()
    [lines] = watching.lines_of(tmp_path).values()
    assert "start_s" in lines[0]


def test_shares_are_of_the_stretch_that_is_asked_for():
    lines = [
        {"at": at, "busy_s": at / 2, "told": 100 * at, "read": 10 * at, "cached": 30 * at, "kv_use": 0.5, "running": 3}
        for at in range(10)
    ]
    assert watching.between(lines, 2, 6) == {
        "busy": 0.5, "kv_use": 0.5, "running": 3.0, "told_per_s": 100.0, "read_per_s": 10.0, "cached_share": 0.75,
    }  # fmt: skip
    assert watching.between(lines, 20, 30) == {}


# The command


def test_settings_reach_the_engine_as_they_were_given():
    options = parsed(
        ["--model", "m", "--engine", "load_format=dummy", "--engine", "max_num_seqs=128", "--router", "round-robin"]
    )
    setup = setup_of(options)
    assert setup.engine == {"load_format": "dummy", "max_num_seqs": 128}
    [application] = setup.tree()["applications"]
    assert application["args"]["model"]["engine"] == setup.engine
    assert "RoundRobin" in application["deployments"][0]["request_router_config"]["request_router_class"]
    assert setup.with_engine({"kv_cache_dtype": "fp8"}).engine["kv_cache_dtype"] == "fp8"


def test_an_arm_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit):
        parsed(["--model", "m", "--arms", "graph,rays"])
    assert "rays" in capsys.readouterr().err
