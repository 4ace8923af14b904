"""The pure parts of the benchmarks that compare servers: figures, what a stream says."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from benchmarks.overhead import ratio_of_slices
from benchmarks.serving.asking import CompletionsForm, Prompt, ZeroWaitForm, ask, server_timing
from benchmarks.serving.driving import at, client
from benchmarks.serving.fixed_length import FixedLength
from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.domain.generation import Finished, Generate, Sampling, Tokens

PROMPT = Prompt("hello", (1, 2, 3))


def test_slices_are_compared_in_pairs() -> None:
    assert ratio_of_slices([9.0, 50.0, 18.0], [10.0, 100.0, 20.0]) == (0.9, 0.5, 0.9)


def test_server_timing_is_read_by_step() -> None:
    assert server_timing("auth;dur=0.4, model;dur=51") == {"auth": 0.4, "model": 51.0}
    assert server_timing("") == {}


@asynccontextmanager
async def _server(*events: Any, status: int = 200) -> AsyncGenerator[str]:
    async def answer(_: web.Request) -> web.Response:
        said = "".join(f"data: {json.dumps(event) if event != '[DONE]' else event}\n\n" for event in events)
        headers = {"X-ZeroWait-Tier": "model", "Server-Timing": "model;dur=5"}
        return web.Response(text=said, status=status, content_type="text/event-stream", headers=headers)

    app = web.Application()
    app.router.add_post("/v1/{name}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_an_answer_in_zerowaits_form() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "cached_tokens": 0}
    events = (
        {"answer_id": "a", "session_id": "s"},
        {"text": "Hel"},
        {"text": "lo"},
        {"finish_reason": "length", "usage": usage},
    )
    async with _server(*events) as url, client(url) as session:
        found = await ask(session, ZeroWaitForm("key"), PROMPT, time.perf_counter())
    assert (found.status, found.failed, found.text, found.tokens, found.prompt_tokens) == (200, None, "Hello", 2, 3)
    assert (found.tier, found.steps_ms, found.session_id) == ("model", {"model": 5.0}, "s")
    assert found.first_s is not None
    assert 0 < found.first_s <= found.ended_s


async def test_an_answer_in_openais_form_whose_first_text_cannot_be_seen() -> None:
    def chunk(text: str) -> dict[str, Any]:
        return {"choices": [{"text": text}]}

    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 3}}
    async with _server(chunk(" \n"), usage, "[DONE]") as url, client(url) as session:
        unseen = await ask(session, CompletionsForm("m", 3), PROMPT, time.perf_counter())
    assert unseen.first_s is None
    async with _server(chunk(" "), chunk("Hi"), usage, "[DONE]") as url, client(url) as session:
        seen = await ask(session, CompletionsForm("m", 3), PROMPT, time.perf_counter())
    assert seen.first_s is not None
    assert (seen.tokens, seen.prompt_tokens) == (3, 3)


async def test_what_goes_wrong_stands_in_the_answer() -> None:
    async with _server({"error": {"code": "overloaded"}}) as url, client(url) as session:
        within = await ask(session, ZeroWaitForm("key"), PROMPT, time.perf_counter())
    async with _server(status=503) as url, client(url) as session:
        refused = await ask(session, ZeroWaitForm("key"), PROMPT, time.perf_counter())
        found = await at([0.0, 0.0], lambda _, due: ask(session, ZeroWaitForm("key"), PROMPT, due))
    async with client("http://127.0.0.1:1") as session:
        gone = await ask(session, ZeroWaitForm("key"), PROMPT, time.perf_counter())
    assert within.failed is not None
    assert "overloaded" in within.failed
    assert (refused.status, refused.failed is None) == (503, False)
    assert len(found.answers) == 2
    assert found.whole == []
    assert gone.failed is not None


async def test_an_answer_of_fixed_length_goes_on_where_another_replica_stopped() -> None:
    seen: list[Generate] = []

    def script(request: Generate) -> list[int]:
        seen.append(request)
        return [90] * 7

    engine = FixedLength(ScriptedEngine(script), [1, 2, 3])
    await engine.start()

    async def said(*sent: int) -> list[int]:
        request = Generate("r", [5], Sampling(max_tokens=7), None, "t", timeout_s=5, sent_token_ids=sent)
        pieces = [piece async for piece in engine.generate(request)]
        assert isinstance(pieces[-1], Finished)
        return [token for piece in pieces if isinstance(piece, Tokens) for token in piece.token_ids]

    assert await said() == [1, 2, 3, 1, 2, 3, 1]
    assert await said(1, 2) == [3, 1, 2, 3, 1]
    assert all(request.sampling.ignore_eos for request in seen)
