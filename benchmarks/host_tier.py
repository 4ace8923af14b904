"""Does host memory for keys and values pay, when the sessions do not fit on the card?

One bare engine. Sessions are visited at random at a fixed rate (Poisson); each visit sends the session's whole prompt
and a new question. Run it twice, with and without `--host-gib`, and compare `ttft_ms`. Weights may be random (`--engine
load_format=dummy`): only times and counts are looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import statistics
import sys
import time
from typing import Any

import yaml

from serve_app.adapters.vllm_engine import VllmEngine
from serve_app.config import ModelSettings
from serve_app.domain.generation import Finished, Generate, Sampling, Tokens

SHARED_TOKENS, NEW_TOKENS = 512, 40
VOCABULARY = 1000


def main() -> None:
    options = _parsed(sys.argv[1:])
    print(json.dumps(asyncio.run(_run(options))))


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.host_tier", description=__doc__)
    parser.add_argument("--model", required=True, help="a folder or a Hugging Face name")
    parser.add_argument(
        "--engine", action="append", default=[], metavar="NAME=VALUE", help="to vLLM's AsyncEngineArgs; repeat it"
    )
    parser.add_argument("--tensor", type=int, default=1, help="tensor_parallel_size")
    parser.add_argument("--pipeline", type=int, default=1, help="pipeline_parallel_size")
    parser.add_argument("--host-gib", type=float, default=0.0, help="kv_offloading_size; 0: none")
    parser.add_argument("--sessions", type=int, default=400)
    parser.add_argument("--session-tokens", type=int, default=2048)
    parser.add_argument("--answer-tokens", type=int, default=64)
    parser.add_argument("--rate", type=float, default=12.0, help="visits a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="measured; half as long before it warms up")
    return parser.parse_args(arguments)


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    arguments = {name: yaml.safe_load(value) for name, _, value in (one.partition("=") for one in options.engine)}
    if options.host_gib:
        arguments["kv_offloading_size"] = options.host_gib
    settings = ModelSettings(
        path=options.model,
        max_model_len=8192,
        tensor_parallel_size=options.tensor,
        pipeline_parallel_size=options.pipeline,
        engine=arguments,
    )
    engine = VllmEngine(settings, options.model)
    started = time.monotonic()
    await engine.start()
    start_s = round(time.monotonic() - started, 1)
    print(f"engine ready after {start_s} s", file=sys.stderr, flush=True)
    try:
        alone = await _alone(engine, options)
        visits = await _visits(engine, options)
    finally:
        await engine.close()
    measured = [visit for visit in visits if visit["at_s"] >= options.seconds / 2]
    ttft = sorted(visit["ttft_ms"] for visit in measured)
    return {
        "host_gib": options.host_gib,
        "start_s": start_s,
        **alone,
        "visits": len(measured),
        "cached_share": round(sum(v["cached"] for v in measured) / sum(v["prompt"] for v in measured), 3),
        "ttft_ms_p50": round(statistics.median(ttft), 1),
        "ttft_ms_p99": round(ttft[int(len(ttft) * 0.99)], 1),
        "behind_s": round(max(visit["ended_s"] for visit in visits) - options.seconds * 1.5, 1),
    }


async def _alone(engine: VllmEngine, options: argparse.Namespace) -> dict[str, float]:
    """One request at a time: first token, and time per token after it."""
    first_ms: list[float] = []
    token_ms: list[float] = []
    for number in range(6):
        prompt = _prompt(10_000_000 + number, options.session_tokens, number)
        visit = await _visit(engine, f"alone-{number}", prompt, 128, time.monotonic())
        first_ms.append(visit["ttft_ms"])
        token_ms.append((visit["ended_s"] * 1000 - visit["ttft_ms"]) / 127)
    return {
        "alone_ttft_ms": round(statistics.median(first_ms), 1),
        "alone_token_ms": round(statistics.median(token_ms), 2),
    }


async def _visits(engine: VllmEngine, options: argparse.Namespace) -> list[dict[str, float]]:
    draw = random.Random(7)
    begun = time.monotonic()
    at, tasks = 0.0, []
    for number in itertools.count():
        at += draw.expovariate(options.rate)
        if at > options.seconds * 1.5:
            break
        await asyncio.sleep(max(0.0, begun + at - time.monotonic()))
        session = draw.randrange(options.sessions)
        prompt = _prompt(session, options.session_tokens, 1000 + number)
        tasks.append(asyncio.create_task(_visit(engine, f"visit-{number}", prompt, options.answer_tokens, begun)))
    return list(await asyncio.gather(*tasks))


async def _visit(engine: VllmEngine, name: str, prompt: list[int], answer_tokens: int, begun: float) -> dict[str, float]:
    asked, first, cached = time.monotonic(), 0.0, 0
    sampling = Sampling(max_tokens=answer_tokens, ignore_eos=True)
    async for piece in engine.generate(Generate(name, prompt, sampling, None, "benchmark", timeout_s=120)):
        if isinstance(piece, Tokens) and not first:
            first = time.monotonic()
        elif isinstance(piece, Finished):
            cached = piece.cached_tokens
    return {
        "at_s": asked - begun,
        "ttft_ms": (first - asked) * 1000,
        "ended_s": time.monotonic() - begun,
        "prompt": float(len(prompt)),
        "cached": float(cached),
    }


def _prompt(session: int, session_tokens: int, visit: int) -> list[int]:
    """Shared by all, the session's own, and this visit's; random ids, the same for the same numbers."""
    own, new = random.Random(session), random.Random(-1 - visit)
    shared = [7] * SHARED_TOKENS
    return [
        *shared,
        *(own.randrange(10, VOCABULARY) for _ in range(session_tokens)),
        *(new.randrange(10, VOCABULARY) for _ in range(NEW_TOKENS)),
    ]


if __name__ == "__main__":
    main()
