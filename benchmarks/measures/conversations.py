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
from benchmarks.serving.asking import Answer, Prompt, ZeroWaitForm, ask
from benchmarks.serving.driving import client
from benchmarks.serving.questions import ANIMALS, KINDS

# A question that needs the customer's facts and the model.
OPEN = "What would you tell a friend about {kind} {animal}?"


@dataclass(frozen=True)
class Conversation:
    """`sorts` are the questions'."""

    token: str
    questions: tuple[str, ...]
    sorts: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """`turn` from 0; `at_s` when it was sent, from the beginning."""

    sort: str
    turn: int
    at_s: float
    answer: Answer


@dataclass(frozen=True)
class Load:
    """`at_a_time` conversations, one after the other, until `until_s` (0: until all were had once)."""

    url: str
    key: str
    conversations: tuple[Conversation, ...]
    at_a_time: int
    until_s: float = 0.0


class CustomerForm(ZeroWaitForm):
    def __init__(self, key: str, token: str) -> None:
        super().__init__(key)
        self.headers: Mapping[str, str] = {**self.headers, "X-Customer-Token": token}
        self.session_id: str | None = None

    def body(self, prompt: Prompt) -> Mapping[str, Any]:
        return {**super().body(prompt), **({"session_id": self.session_id} if self.session_id else {})}


def conversations(count: int, turns: Sequence[str], published: Sequence[str], token: str, seed: int) -> list[Conversation]:
    """`turns` are sorts: `open`, of which no two are alike, or `public`, drawn from `published` by Zipf's law."""
    asked: dict[str, Iterator[str]] = {"open": open_questions(seed), "public": endlessly(published, 0.9, seed)}
    return [Conversation(token, tuple(next(asked[sort]) for sort in turns), tuple(turns)) for _ in range(count)]


def open_questions(seed: int) -> Iterator[str]:
    pairs = list(itertools.product(KINDS.split(), ANIMALS.split()))
    random.Random(seed).shuffle(pairs)
    return (OPEN.format(kind=kind, animal=animal) for kind, animal in pairs)


def drive(load: Load) -> tuple[list[Asked], float]:
    """What was answered, and seconds from the first question to the end. In a process of its own."""
    return asyncio.run(_drive(load))


async def _drive(load: Load) -> tuple[list[Asked], float]:
    found: list[Asked] = []
    # Where all were had before the time is up, they are had again: new conversations, in known words.
    waiting = itertools.cycle(load.conversations) if load.until_s else iter(load.conversations)
    async with client(load.url) as session:
        began = time.perf_counter()

        async def customer() -> None:
            for one in waiting:
                await _converse(session, load.key, one, found, began)

        with suppress(TimeoutError):
            async with asyncio.timeout(load.until_s or None):
                await asyncio.gather(*(customer() for _ in range(load.at_a_time)))
        return found, time.perf_counter() - began


async def _converse(session: aiohttp.ClientSession, key: str, one: Conversation, found: list[Asked], began: float) -> None:
    form = CustomerForm(key, one.token)
    for turn, (question, sort) in enumerate(zip(one.questions, one.sorts, strict=True)):
        sent = time.perf_counter()
        answer = await ask(session, form, Prompt(question, ()), sent)
        form.session_id = answer.session_id
        found.append(Asked(sort, turn, sent - began, answer))
