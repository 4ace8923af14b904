"""Do equal questions that come at once, to two ingress processes, cost one generation?

Starts the whole application (`zerowait run`: Ray, HAProxy, Valkey, vLLM with the packaged model on two replicas, two ingress
processes) with a model that may answer public questions, and asks it the same question many times at once, over HTTP, streamed,
each from a conversation of its own. Nothing published answers it, and nothing of it was asked before.

The last line is one JSON object. `generations` is vLLM's own count of the requests that it ended. All else goes to stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

import aiohttp

from benchmarks.local_run import LocalRun, running

QUESTION = "Do you deliver to Antarctica?"
WARM_UP = "Could you gift-wrap a parcel in blue paper?"
# vLLM's and Serve's counters, as Ray exports them.
GENERATIONS = "ray_vllm_request_success_total"
CALLS = "ray_serve_handle_request_counter_total"
EXPORTED_S = 25
# On an overloaded machine Ray starts its exporter anew now and then.
EXPORTER_AWAY_S = 200


@dataclass(frozen=True)
class Answer:
    status: int
    source: str
    replica: str
    route: str
    text: str
    finish_reason: str
    first_token_ms: float


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def configuration(max_tokens: int, replicas: int) -> dict[str, Any]:
    return {
        "model": {"max_tokens": max_tokens, "answers": {"languages": ["en"], "kinds": ["public", "chat"]}},
        # A small machine is slow with hundreds of questions at once; what is asked here is how often it computes.
        "deadlines": {"request_s": 300, "first_token_s": 200, "cache_ms": 60_000},
        "redis": {"timeout_ms": 20_000, "budget_ms": 20_000},
        "record": {"serve_stale_s": 60},
        "failover": {"silence_s": 120},
        "rooms": {
            "ingress": {"replicas": 2, "max_ongoing_requests": 1024},
            "cache": {"max_ongoing_requests": 1024},
            "inference": {"replicas": replicas, "max_ongoing_requests": 1024},
        },
    }


async def ask(session: aiohttp.ClientSession, question: str) -> Answer:
    asked_at = time.perf_counter()
    first_token_ms, text, finish_reason = 0.0, list[str](), ""
    async with session.post("/v1/ask", json={"question": question, "stream": True}) as reply:
        event = ""
        async for line in reply.content:
            if line.startswith(b"event: "):
                event = line[7:].strip().decode()
            elif line.startswith(b"data: "):
                data: dict[str, Any] = json.loads(line[6:])
                if event == "delta":
                    first_token_ms = first_token_ms or (time.perf_counter() - asked_at) * 1000
                    text.append(data["text"])
                finish_reason = data.get("finish_reason") or finish_reason
        headers = reply.headers
        return Answer(
            reply.status,
            headers.get("X-ZeroWait-Source", ""),
            headers.get("X-ZeroWait-Replica", ""),
            headers.get("X-ZeroWait-Route", ""),
            "".join(text),
            finish_reason,
            first_token_ms,
        )


async def ask_all(run: LocalRun, question: str, times: int) -> tuple[list[Answer], float]:
    """The answers, and seconds from the first question to the last answer's end."""
    headers = {"Authorization": f"Bearer {run.key}"}
    timeout, connector = aiohttp.ClientTimeout(total=400), aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(run.url, headers=headers, timeout=timeout, connector=connector) as session:
        started = time.perf_counter()
        answers = await asyncio.gather(*(ask(session, question) for _ in range(times)))
        return answers, time.perf_counter() - started


def exported(run: LocalRun) -> tuple[Counter[str], Counter[str]]:
    """The generations by replica and the questions by ingress process, all that there were until now."""
    give_up = time.monotonic() + EXPORTER_AWAY_S
    while True:
        time.sleep(EXPORTED_S)
        try:
            generations = run.counted(GENERATIONS, "ReplicaId")
            asked = run.counted(CALLS, "handle", deployment="Inference", route="/v1/ask")
        except OSError as error:
            if time.monotonic() > give_up:
                raise
            say(f"Ray's exporter is away: {error}")
        else:
            say(f"generations so far: {dict(generations)}, asked of the model: {dict(asked)}")
            return generations, asked


def measure(questions: int, max_tokens: int, replicas: int) -> dict[str, Any]:
    with running(configuration(max_tokens, replicas), say) as run:
        say(f"running at {run.url}")
        # Others first: every part of both processes has then been used.
        asyncio.run(ask_all(run, WARM_UP, 8))
        generations, asked = exported(run)
        answers, wall_s = asyncio.run(ask_all(run, QUESTION, questions))
        generations_after, asked_after = exported(run)
    say(f"status {Counter(a.status for a in answers)}, source {Counter(a.source for a in answers)}")
    say(f"ended by {Counter(a.finish_reason for a in answers)}, routes {Counter(a.route for a in answers)}")
    for text, times in Counter(a.text for a in answers).most_common():
        say(f"said {times} times: {text!r}")
    first = quantiles([answer.first_token_ms for answer in answers], n=100, method="inclusive")
    return {
        "benchmark": "single_flight",
        "questions": questions,
        "generations": (generations_after - generations).total(),
        "answers": sum(answer.status == 200 and bool(answer.finish_reason) for answer in answers),
        "distinct_texts": len({answer.text for answer in answers}),
        "asked_by_process": sorted((asked_after - asked).values()),
        "homes": len({answer.replica for answer in answers}),
        "wall_s": round(wall_s, 2),
        "first_token_ms_p50": round(first[49]),
        "first_token_ms_p99": round(first[98]),
        "max_tokens": max_tokens,
        "replicas": replicas,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=500, help="asked at once (default: 500)")
    parser.add_argument("--max-tokens", type=int, default=256, help="of the answer (default: 256)")
    parser.add_argument("--replicas", type=int, default=2, help="of the model (default: 2)")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.questions, arguments.max_tokens, arguments.replicas)))


if __name__ == "__main__":
    main()
