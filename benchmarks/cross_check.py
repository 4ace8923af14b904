"""Does another's load tool see the times that ours sees?

    python -m benchmarks.cross_check --tool PATH/guidellm

Serves the whole graph as `zerowait run` does, with an engine that keeps one H100's pace (70 ms to the first token, 25 ms each
after it), and asks `/v1/chat/completions` for streamed answers at random instants: with the load of this project's benchmarks
and with GuideLLM, in turns, at one rate, each question once. Compares the time to the first text and to the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import uvloop

from benchmarks.gpu_run.setup import Setup
from benchmarks.gpu_run.texts import small_talk
from benchmarks.load.arrivals import arrivals
from benchmarks.load.quantiles import spread_ms
from benchmarks.load.streams import Streams
from benchmarks.local_run import CACHE, LocalRun, running
from serve_app.packaged_model import prepare

TOKENS = 128
TOOL_S = 600.0


@dataclass
class Seen:
    """Seconds from the instant a request is sent to its first text, and to its end."""

    first_s: list[float] = field(default_factory=list[float])
    whole_s: list[float] = field(default_factory=list[float])
    failed: int = 0


async def ask_all(run: LocalRun, model: str, questions: Sequence[str], per_s: float, seed: int, into: Seen) -> None:
    """As the benchmarks of this project do."""
    address = urlsplit(run.url)
    assert address.hostname is not None
    assert address.port is not None
    streams = Streams(address.hostname, address.port)
    await streams.prepare(len(questions))
    began = time.perf_counter()
    headers = {"Authorization": f"Bearer {run.key}", "Content-Type": "application/json"}

    async def ask(question: str, due_s: float) -> None:
        await asyncio.sleep(max(0.0, began + due_s - time.perf_counter()))
        sent, texts, ended = time.perf_counter(), list[float](), 0.0

        def heard(_: str, data: bytes, now: float) -> None:
            nonlocal ended
            ended = now
            if data != b"[DONE]" and any(choice["delta"].get("content") for choice in orjson.loads(data).get("choices", ())):
                texts.append(now)

        body = {"model": model, "messages": [{"role": "user", "content": question}], "stream": True}
        answered = await streams.post("/v1/chat/completions", headers, orjson.dumps(body), heard)
        if answered.status != 200 or not texts:
            into.failed += 1
            return
        into.first_s.append(texts[0] - sent)
        into.whole_s.append(ended - sent)

    try:
        await asyncio.gather(*(ask(*one) for one in zip(questions, arrivals(len(questions), per_s, seed), strict=True)))
    finally:
        streams.close()


def guidellm(tool: str, run: LocalRun, model: str, tokenizer: Path, questions: Sequence[str], per_s: float, into: Seen) -> None:
    """Raises RuntimeError, with what it said, when it fails."""
    with TemporaryDirectory() as folder:
        asked, told = Path(folder) / "questions.jsonl", Path(folder) / "told.json"
        asked.write_text("".join(json.dumps({"prompt": question}) + "\n" for question in questions))
        command = [
            tool, "run", "--disable-console",
            "--backend", f"kind=openai_http,target={run.url},model={model},api_key={run.key},validate_backend=false",
            "--profile", f"kind=poisson,rate={per_s}",
            "--constraint", f"kind=max_requests,count={len(questions)}",
            "--tokenizer", f"kind=huggingface_auto,model={tokenizer}",
            "--data", f"kind=json_file,path={asked}",
            "--output", f"kind=json,path={told}",
        ]  # fmt: skip
        done = subprocess.run(
            command, env=os.environ | {"HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, timeout=TOOL_S, check=False
        )
        if done.returncode or not told.exists():
            raise RuntimeError(f"{tool} failed: {(done.stderr or done.stdout)[-2000:]}")
        read(json.loads(told.read_text())["benchmarks"][0]["requests"], into)


def read(requests: dict[str, list[dict[str, Any]]], into: Seen) -> None:
    """What GuideLLM tells of each request."""
    into.failed += len(requests["errored"]) + len(requests["incomplete"])
    for one in requests["successful"]:
        times: dict[str, float] = one["info"]["timings"]
        into.first_s.append(times["first_token_iteration"] - times["request_start"])
        into.whole_s.append(times["request_end"] - times["request_start"])


def compared(ours: Seen, tools: Seen) -> dict[str, Any]:
    sides = {"ours": ours, "tool": tools}
    told: dict[str, Any] = {
        "ttft_ms": {name: spread_ms(seen.first_s) for name, seen in sides.items()},
        "whole_ms": {name: spread_ms(seen.whole_s) for name, seen in sides.items()},
        "failed": {name: seen.failed for name, seen in sides.items()},
    }
    for figure in ("ttft_ms", "whole_ms"):
        one, other = told[figure]["ours"]["p50"], told[figure]["tool"]["p50"]
        told[figure.replace("_ms", "_p50_ratio")] = round(one / other, 3) if one and other else None
    return told


def measure(options: argparse.Namespace) -> dict[str, Any]:
    CACHE.mkdir(exist_ok=True)
    tokenizer = prepare(CACHE, say)
    version = subprocess.run([options.tool, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    talk, ours, tools = small_talk(seed=options.seed), Seen(), Seen()

    def questions(count: int) -> list[str]:
        return list(islice(talk, count))

    setup = Setup(str(tokenizer), {}, TOKENS, max_model_len=2048, paced=True)
    with running(setup.tree(), say) as run:
        model: str = httpx.get(f"{run.url}/v1/models", headers={"Authorization": f"Bearer {run.key}"}).json()["data"][0]["id"]
        uvloop.run(ask_all(run, model, questions(options.count), options.per_s, 0, Seen()))
        for number in range(options.rounds):
            uvloop.run(ask_all(run, model, questions(options.count), options.per_s, number + 1, ours))
            guidellm(options.tool, run, model, tokenizer, questions(options.count), options.per_s, tools)
            say(f"round {number + 1}: {told_short(ours, tools)}")
    return {"benchmark": "cross_check", "guidellm": version, "per_s": options.per_s, **compared(ours, tools)}


def told_short(*sides: Seen) -> list[float | None]:
    return [spread_ms(side.first_s)["p50"] for side in sides]


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cross_check", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--tool", required=True, help="GuideLLM's program (0.8), in an environment of its own")
    parser.add_argument("--per-s", type=float, default=4.0, help="questions a second (default %(default)s)")
    parser.add_argument("--count", type=int, default=60, help="questions a round and side (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of both sides (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the questions (default %(default)s)")
    options = parser.parse_args()
    print(json.dumps(measure(options) | {"load_average": round(os.getloadavg()[0], 2)}))


if __name__ == "__main__":
    main()
