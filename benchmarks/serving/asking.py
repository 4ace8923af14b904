"""One streamed answer over HTTP, in the form of ZeroWait or of OpenAI's completions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
import orjson


@dataclass(frozen=True, slots=True)
class Prompt:
    """The same request in both forms: what the customer writes, and the tokens that the engine reads for it."""

    text: str
    token_ids: tuple[int, ...]


@dataclass(slots=True)
class Told:
    """What one event of a stream said."""

    text: str = ""
    prompt_tokens: int | None = None
    tokens: int | None = None
    failed: str | None = None


@dataclass(slots=True)
class Answer:
    """`first_s` and `ended_s` count from the instant that the request was due."""

    due: float
    status: int = 0
    first_s: float | None = None
    ended_s: float = 0.0
    prompt_tokens: int | None = None
    tokens: int | None = None
    failed: str | None = None
    steps_ms: dict[str, float] = field(default_factory=dict[str, float])
    tier: str = ""
    text: str = ""
    session_id: str | None = None


class Form(Protocol):
    """How a server is asked, and what its events say."""

    path: str
    headers: Mapping[str, str]

    def body(self, prompt: Prompt) -> Mapping[str, Any]: ...

    def read(self, event: Mapping[str, Any]) -> Told: ...


class ZeroWaitForm:
    """`POST /v1/ask`, each question from a conversation of its own."""

    path = "/v1/ask"

    def __init__(self, key: str) -> None:
        self.headers: Mapping[str, str] = {"Authorization": f"Bearer {key}"}

    def body(self, prompt: Prompt) -> Mapping[str, Any]:
        return {"question": prompt.text, "stream": True}

    def read(self, event: Mapping[str, Any]) -> Told:
        if "finish_reason" in event:
            usage = event["usage"]
            return Told(prompt_tokens=usage["prompt_tokens"], tokens=usage["completion_tokens"])
        if "error" in event:
            return Told(failed=str(event["error"]))
        return Told(event["text"]) if "text" in event else Told()


class CompletionsForm:
    """`POST /v1/completions` with token ids, and an answer of just so many tokens."""

    path = "/v1/completions"

    def __init__(self, model: str, tokens: int) -> None:
        self.headers: Mapping[str, str] = {}
        self._fixed = {
            "model": model,
            "max_tokens": tokens,
            "min_tokens": tokens,
            "ignore_eos": True,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def body(self, prompt: Prompt) -> Mapping[str, Any]:
        return {**self._fixed, "prompt": prompt.token_ids}

    def read(self, event: Mapping[str, Any]) -> Told:
        if "error" in event:
            return Told(failed=str(event["error"]))
        told = Told("".join(choice["text"] for choice in event["choices"]))
        if usage := event.get("usage"):
            told.prompt_tokens, told.tokens = usage["prompt_tokens"], usage["completion_tokens"]
        return told


async def ask(session: aiohttp.ClientSession, form: Form, prompt: Prompt, due: float) -> Answer:
    """Waits for the whole answer; what goes wrong stands in it. The first word is the first text that can be seen."""
    answer = Answer(due)
    try:
        async with session.post(form.path, data=orjson.dumps(form.body(prompt)), headers=_headers(form)) as reply:
            answer.status, answer.tier = reply.status, reply.headers.get("X-ZeroWait-Tier", "")
            answer.steps_ms = server_timing(reply.headers.get("Server-Timing", ""))
            if reply.status != 200:
                answer.failed = (await reply.text())[:300]
            else:
                await _read(reply, form, answer)
    except (aiohttp.ClientError, TimeoutError) as error:
        answer.failed = f"{type(error).__name__}: {error}"
    answer.ended_s = time.perf_counter() - due
    return answer


async def _read(reply: aiohttp.ClientResponse, form: Form, answer: Answer) -> None:
    async for line in reply.content:
        if not line.startswith(b"data: {"):
            continue
        event = orjson.loads(line[6:])
        told = form.read(event)
        if answer.first_s is None and told.text.strip():
            answer.first_s = time.perf_counter() - answer.due
        answer.text += told.text
        answer.session_id = event.get("session_id", answer.session_id)
        answer.failed = told.failed or answer.failed
        if told.tokens is not None:
            answer.prompt_tokens, answer.tokens = told.prompt_tokens, told.tokens


def server_timing(header: str) -> dict[str, float]:
    """Milliseconds by step."""
    steps = (step.strip().split(";dur=") for step in header.split(",") if ";dur=" in step)
    return {name: float(value) for name, value in steps}


def _headers(form: Form) -> dict[str, str]:
    return {**form.headers, "Content-Type": "application/json", "Accept": "text/event-stream"}
