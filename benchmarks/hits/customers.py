"""Customers of a shop, one request at a time each: sessions as in production, headers as browsers and back ends send them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import orjson

from benchmarks.hits.load import Caller
from serve_app.adapters.system import utc_now
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.messages import Kind
from serve_app.domain.question import Focus
from serve_app.domain.wording import today
from serve_app.first_questions import make_understander

# Questions of one conversation, the first of which begins it.
TURNS = 4


@dataclass
class Seen:
    """What came back. `by_tier` counts the answers of status 200."""

    by_tier: Counter[str] = field(default_factory=Counter[str])
    failed: Counter[int] = field(default_factory=Counter[int])
    degraded: int = 0  # answers that something was left out of: Redis beyond its budget, above all
    missed: Counter[str] = field(default_factory=Counter[str])  # questions that another tier answered

    def tier(self, tier: str, question: str, wanted: frozenset[str]) -> None:
        self.by_tier[tier] += 1
        if tier not in wanted:
            self.missed[question] += 1

    def told(self, most: int = 5) -> dict[str, Any]:
        """The counts so far, which begin anew."""
        found: dict[str, Any] = {
            "by_tier": dict(self.by_tier),
            "failed": dict(self.failed),
            "missed": dict(self.missed.most_common(most)),
            "degraded": self.degraded,
        }
        self.degraded = 0
        for counts in (self.by_tier, self.failed, self.missed):
            counts.clear()
        return found


class Customer:
    """Asks questions in sessions of `TURNS`. `token` None: an anonymous visitor."""

    def __init__(
        self, questions: Iterator[str], key: str, token: str | None, name: str, wanted: frozenset[str], seen: Seen
    ) -> None:
        headers = [
            "POST /v1/ask HTTP/1.1",
            "Host: shop.example",
            "User-Agent: python-httpx/0.28.1",
            "Accept: application/json",
            "Accept-Encoding: gzip, deflate",
            "Content-Type: application/json",
            f"Authorization: Bearer {key}",
            *([f"X-Customer-Token: {token}"] if token else []),
        ]
        self._head = "\r\n".join(headers).encode() + b"\r\nContent-Length: %d\r\n\r\n"
        self._questions = questions
        self._name = name
        self._wanted = wanted
        self._seen = seen
        self._session: str | None = None
        self._asked = 0
        self._question = ""

    def request(self) -> bytes:
        self._question = next(self._questions)
        self._asked += 1
        body = {"question": self._question, "message_id": f"m-{self._name}-{self._asked}"}
        if self._session is not None:
            body["session_id"] = self._session
        raw = orjson.dumps(body)
        return self._head % len(raw) + raw

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        if status != 200:
            self._seen.failed[status] += 1
            self._session = None
            return
        self._seen.degraded += b'"degraded":[]' not in body
        self._seen.tier(_header(head, b"x-zerowait-tier"), self._question, self._wanted)
        self._session = _between(body, b'"session_id":"') if self._asked % TURNS else None


class Silent:
    """Asks for nothing: the same bytes, sent to the no-op."""

    def __init__(self, customer: Caller, prefix: str) -> None:
        self._raw = customer.request().replace(b"POST ", b"POST " + prefix.encode(), 1)

    def request(self) -> bytes:
        return self._raw

    def reply(self, status: int, head: bytes, body: bytes) -> None:  # noqa: ARG002
        if status != 200:
            raise RuntimeError(f"the no-op answered {status}")


def published_wordings(seed: int) -> list[str]:
    """Every published question of both languages that asks for what is public, in random order."""
    questions = [q for entry in demo_knowledge().entries for wordings in entry.questions.values() for q in wordings]
    understander, day = make_understander(), today(utc_now(), "Asia/Shanghai")
    public = [q for q in questions if understander.understand(q, Focus(), day).kind is Kind.PUBLIC]
    random.Random(seed).shuffle(public)
    return public


def endlessly(questions: Sequence[str], zipf: float, seed: int) -> Iterator[str]:
    """Drawn at random, question n with a weight of n ** -zipf."""
    dice = random.Random(seed)
    weights = list(accumulate(number**-zipf for number in range(1, len(questions) + 1)))
    while True:
        yield from dice.choices(questions, cum_weights=weights, k=64)


def _header(head: bytes, name: bytes) -> str:
    at = head.find(b"\r\n" + name + b": ")
    if at < 0:
        return "unknown"
    at += len(name) + 4
    end = head.find(b"\r\n", at)
    return head[at : end if end >= 0 else None].decode("latin-1")


def _between(body: bytes, before: bytes) -> str:
    at = body.index(before) + len(before)
    return body[at : body.index(b'"', at)].decode()
