"""Customers' conversations, asked over HTTP from a process of their own."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from benchmarks.hits.customers import endlessly
from benchmarks.load.arrivals import arrivals
from benchmarks.serving.asking import Answer, Prompt, ZeroWaitForm, ask
from benchmarks.serving.driving import client
from benchmarks.serving.questions import ANIMALS, KINDS

# A question that needs the customer's facts and the model.
OPEN = "What would you tell a friend about {kind} {animal}?"


@dataclass(frozen=True)
class Conversation:
    """`start_s` from the beginning of the load; `sorts` are the questions'."""

    start_s: float
    token: str
    questions: tuple[str, ...]
    sorts: tuple[str, ...]
    think_s: float


@dataclass(frozen=True)
class Asked:
    """`turn` from 0; `at_s` when it was sent, from the beginning."""

    sort: str
    turn: int
    at_s: float
    answer: Answer


@dataclass(frozen=True)
class Load:
    """`closed`: so many conversations at a time, one after the other, until `until_s` (0: until all were had once); else each
    begins when it is due."""

    url: str
    key: str
    conversations: tuple[Conversation, ...]
    closed: int = 0
    until_s: float = 0.0


class CustomerForm(ZeroWaitForm):
    def __init__(self, key: str, token: str) -> None:
        super().__init__(key)
        self.headers: Mapping[str, str] = {**self.headers, "X-Customer-Token": token}
        self.session_id: str | None = None

    def body(self, prompt: Prompt) -> Mapping[str, Any]:
        return {**super().body(prompt), **({"session_id": self.session_id} if self.session_id else {})}


def conversations(
    count: int, per_s: float, turns: Sequence[str], published: Sequence[str], token: str, think_s: float, seed: int
) -> list[Conversation]:
    """`turns` are sorts: `open`, of which no two are alike, or `public`, drawn from `published` by Zipf's law."""
    asked: dict[str, Iterator[str]] = {"open": open_questions(seed), "public": endlessly(published, 0.9, seed)}
    found: list[Conversation] = []
    for start_s in arrivals(count, per_s, seed):
        questions = tuple(next(asked[sort]) for sort in turns)
        found.append(Conversation(start_s, token, questions, tuple(turns), think_s))
    return found


def open_questions(seed: int) -> Iterator[str]:
    pairs = list(itertools.product(KINDS.split(), ANIMALS.split()))
    random.Random(seed).shuffle(pairs)
    return (OPEN.format(kind=kind, animal=animal) for kind, animal in pairs)


def drive(load: Load) -> tuple[list[Asked], float]:
    """What was answered, and seconds from the first question to the end. In a process of its own."""
    return asyncio.run(_drive(load))


async def _drive(load: Load) -> tuple[list[Asked], float]:
    found: list[Asked] = []
    async with client(load.url) as session:
        began = time.perf_counter()
        if load.closed:
            await _closed(session, load, began, found)
        else:
            await asyncio.gather(*(_converse(session, load.key, one, began, found) for one in load.conversations))
        return found, time.perf_counter() - began


async def _closed(session: aiohttp.ClientSession, load: Load, began: float, found: list[Asked]) -> None:
    # Where all were had before the time is up, they are had again: new conversations, in known words.
    waiting = itertools.cycle(load.conversations) if load.until_s else iter(load.conversations)

    async def customer() -> None:
        for one in waiting:
            await _converse(session, load.key, one, None, found, began)

    with suppress(TimeoutError):
        async with asyncio.timeout(load.until_s or None):
            await asyncio.gather(*(customer() for _ in range(load.closed)))


async def _converse(
    session: aiohttp.ClientSession, key: str, one: Conversation, due: float | None, found: list[Asked], began: float = 0.0
) -> None:
    """`due`: the instant that `start_s` counts from; None: now."""
    began = due if due is not None else began
    if due is not None:
        await asyncio.sleep(max(0.0, due + one.start_s - time.perf_counter()))
    form = CustomerForm(key, one.token)
    for turn, (question, sort) in enumerate(zip(one.questions, one.sorts, strict=True)):
        if turn:
            await asyncio.sleep(one.think_s)
        sent = time.perf_counter()
        answer = await ask(session, form, Prompt(question, ()), sent)
        form.session_id = answer.session_id
        found.append(Asked(sort, turn, sent - began, answer))
