"""Asks the questions over HTTP, several conversations at a time, each turn after the answer before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from benchmarks.answering.dialogue import Answer, Turn, read_answer
from benchmarks.answering.installation import Installation
from benchmarks.answering.questions import Question, Tap

TRIES_MAX = 5
TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Asked:
    """A question with all its turns."""

    question: Question
    turns: tuple[Turn, ...]


async def ask_all(questions: Sequence[Question], installation: Installation, at_once: int) -> AsyncGenerator[Asked, None]:
    """Each as it is done, in any order. Raises httpx.HTTPError when nobody answers at the address."""
    gate = asyncio.Semaphore(at_once)
    async with httpx.AsyncClient(base_url=installation.url, timeout=TIMEOUT_S) as client:
        tasks = [asyncio.create_task(_ask(question, installation, client, gate)) for question in questions]
        try:
            for done in asyncio.as_completed(tasks):
                yield await done
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _ask(question: Question, installation: Installation, client: httpx.AsyncClient, gate: asyncio.Semaphore) -> Asked:
    headers = {"authorization": f"Bearer {installation.key}"}
    if question.customer is not None:
        headers["x-customer-token"] = installation.token(question.customer)
    turns: list[Turn] = []
    session: dict[str, str] = {}
    async with gate:
        for words in question.turns:
            before = turns[-1] if turns else None
            asked = _body(words, before)
            if asked is None:
                nothing = Answer(error="the turn before offered nothing to tap there")
                turns.append(Turn(str(words), nothing, datetime.now(UTC), before))
                continue
            body = await _post(client, {**asked, **session}, headers)
            if "error" in body:
                answer = Answer(error=f"{body['error'].get('code')}: {body['error'].get('message')}")
            else:
                answer = read_answer(body)
                session = {"session_id": body["session_id"]}
            said = asked.get("question", "")
            turns.append(Turn(said, answer, datetime.now(UTC), before, asked.get("choice")))
    return Asked(question, tuple(turns))


def _body(words: str | Tap, before: Turn | None) -> dict[str, str] | None:
    """What to send; None for a tap on what was not offered."""
    if isinstance(words, str):
        return {"question": words}
    if before is None:
        return None
    offered = [option_id for option_id, _ in (*before.answer.choices, *before.answer.suggestions)]
    if isinstance(words.tap, str):
        return {"choice": words.tap} if words.tap in offered else None
    return {"choice": offered[words.tap - 1]} if 0 < words.tap <= len(offered) else None


async def _post(client: httpx.AsyncClient, body: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
    """The answer, or the API's error. Where it asks to be asked again later, it is."""
    response = await client.post("/v1/ask", json=body, headers=headers)
    for _ in range(TRIES_MAX - 1):
        if response.status_code not in (429, 503):
            break
        await asyncio.sleep(float(response.headers.get("retry-after", "1")))
        response = await client.post("/v1/ask", json=body, headers=headers)
    try:
        tree: dict[str, Any] = response.json()
    except ValueError:
        tree = {"error": {"code": response.status_code, "message": "the answer is not JSON"}}
    return tree
