"""What may be shared among a tenant's customers: under which key, whether at all, and for how long it is true."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Literal, cast

import orjson
from pydantic import TypeAdapter, ValidationError

from serve_app.domain.generation import Sampling
from serve_app.domain.knowledge import SourceVersion
from serve_app.domain.messages import Citation, Kind, Language

_NO_SAMPLING = Sampling()
_QUESTION_BYTES = 8


@dataclass(frozen=True, slots=True)
class AnswerKeyParts:
    """Everything that could change an answer. Two questions share one only when all of this is equal."""

    tenant: str
    shop: str
    kind: Kind
    language: Language  # of the answer
    canonical: str  # the self-contained question
    prompt_version: str
    system_digest: str  # of the system text
    model: str | None = None  # None: no model may answer it
    adapter: str | None = None
    sampling: Sampling = _NO_SAMPLING
    arm: str = "default"  # of an experiment
    order_id: str | None = None  # attached to the question
    sku_id: str | None = None


@lru_cache(4096)
def answer_key(parts: AnswerKeyParts) -> str:
    """48 hexadecimal digits: 16 that tell the question (`question_of`), 32 that tell all parts.

    BLAKE2b (RFC 7693) over an encoding that no two different parts have in common. Raises ValueError for a question that is
    not self-contained: it has no place in a shared tier.
    """
    if not parts.canonical:
        raise ValueError("only a self-contained question has an answer key")
    question = question_id(parts.tenant, parts.shop, parts.language, parts.canonical, parts.order_id, parts.sku_id)
    return question + hashlib.blake2b(_encoded(astuple(parts)), digest_size=16).hexdigest()


def question_id(
    tenant: str, shop: str, language: Language, canonical: str, order_id: str | None = None, sku_id: str | None = None
) -> str:
    """16 hexadecimal digits that are a self-contained question's own, whatever kind, model, prompt or sampling answers it."""
    asked = (tenant, shop, language, canonical, order_id, sku_id)
    return hashlib.blake2b(_encoded(asked), digest_size=_QUESTION_BYTES).hexdigest()


def question_of(key: str) -> str:
    """The question's id in its answer key."""
    return key[: 2 * _QUESTION_BYTES]


def _encoded(value: object) -> bytes:
    """Type and length stand before every value, so that no value can pose as a border between two."""
    match value:
        case None:
            return b"n"
        case str():
            data = value.encode("utf-8", "surrogatepass")
            return b"s%d:%s" % (len(data), data)
        case int() | float():
            # 1 and 1.0 are equal, so they share a key.
            number = int(value) if isinstance(value, float) and value.is_integer() else value
            data = repr(number).encode()
            return b"f%d:%s" % (len(data), data)
        case tuple():
            items = cast("tuple[object, ...]", value)
            return b"t%d:%s" % (len(items), b"".join(map(_encoded, items)))
        case _:
            raise TypeError(f"an answer key cannot hold a {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class SharedAnswer:
    """An answer that many may get.

    `sources` are the published things that it used; it holds while their versions do. One that used none proves nothing, and is
    never said: that nothing is published about something is not shared.
    """

    text: str
    language: Language
    source: Literal["faq", "model"]
    created_at: datetime
    model: str | None = None
    citations: tuple[Citation, ...] = ()
    sources: tuple[SourceVersion, ...] = ()
    expires_at: datetime | None = None

    def dumps(self) -> bytes:
        return _FORMAT + orjson.dumps(self)

    @staticmethod
    def loads(data: bytes) -> SharedAnswer | None:
        """None when the bytes are not an answer in this version of the format: a miss."""
        if not data.startswith(_FORMAT):
            return None
        try:
            return _SHARED_ANSWER.validate_json(data[len(_FORMAT) :])
        except ValidationError:
            return None


# Written before every shared answer. Bump it when the fields change: what is stored in the old form becomes a miss.
_FORMAT = b"2 "
_SHARED_ANSWER = TypeAdapter(SharedAnswer)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that has just been given, and all that decides whether others may get it too."""

    kind: Kind
    self_contained: bool
    finish_reason: str
    passed_guard: bool  # the output filter and the guard of figures
    sources: tuple[SourceVersion, ...]  # what it cites
    missing: tuple[str, ...] = ()  # needed sources that did not reply
    degraded: tuple[str, ...] = ()
    has_customer_facts: bool = False  # in the prompt or in the text
    has_client_transcript: bool = False  # in the prompt
    demo_model: bool = False
    passing: bool = False  # it depends on the hour, or its time is over already
    set_aside: bool = False  # a customer found it wrong, and nobody has looked yet


class Refusal(StrEnum):
    """Why an answer stays out of the shared tiers."""

    NOT_PUBLIC = "not_public"
    NOT_SELF_CONTAINED = "not_self_contained"
    CUSTOMER_FACTS = "customer_facts"
    CLIENT_TRANSCRIPT = "client_transcript"
    SOURCE_MISSING = "source_missing"
    DEGRADED = "degraded"
    NOTHING_CITED = "nothing_cited"
    FILTERED = "filtered"
    CUT_OFF = "cut_off"
    DEMO_MODEL = "demo_model"
    PASSING = "passing"
    SET_ASIDE = "set_aside"


def may_share(answer: Candidate) -> Refusal | None:
    """None when the answer may enter a shared tier, else the first reason why not."""
    refused: dict[Refusal, bool] = {
        Refusal.NOT_PUBLIC: answer.kind is not Kind.PUBLIC,
        Refusal.NOT_SELF_CONTAINED: not answer.self_contained,
        Refusal.CUSTOMER_FACTS: answer.has_customer_facts,
        Refusal.CLIENT_TRANSCRIPT: answer.has_client_transcript,
        Refusal.SOURCE_MISSING: bool(answer.missing),
        Refusal.DEGRADED: bool(answer.degraded),
        Refusal.NOTHING_CITED: not answer.sources,
        Refusal.FILTERED: not answer.passed_guard,
        Refusal.CUT_OFF: answer.finish_reason != "stop",
        Refusal.DEMO_MODEL: answer.demo_model,
        Refusal.PASSING: answer.passing,
        Refusal.SET_ASIDE: answer.set_aside,
    }
    return next((reason for reason, holds in refused.items() if holds), None)


@dataclass(frozen=True, slots=True)
class VersionView:
    """What a process knows of a tenant's published versions, and when it last asked (`seen_at`, monotonic seconds)."""

    versions: Mapping[str, int]  # source id -> version
    seen_at: float
    knowledge_version: int | None = None  # of the knowledge as a whole; None: unknown
    set_aside: frozenset[str] = frozenset()  # questions (`question_id`) whose answers a person must look at first
    grown_at: datetime | None = None  # when something new was seen last: what was answered before then knew nothing of it

    def is_fresh(self, monotonic_now: float, serve_stale_s: float) -> bool:
        return monotonic_now - self.seen_at <= serve_stale_s

    def is_current(self, source: SourceVersion) -> bool:
        return self.versions.get(source.id) == source.version


class Stale(StrEnum):
    """Why a shared answer that is there is not said."""

    VIEW = "view"  # this process does not surely know what is published now
    ASIDE = "aside"
    EXPIRED = "expired"
    VERSION = "version"  # something that it used was changed or withdrawn


def stale_because(
    answer: SharedAnswer, key: str, view: VersionView | None, now: datetime, monotonic_now: float, serve_stale_s: float
) -> Stale | None:
    """None when the answer under `key` may be said now. Checked at every read; without a fresh view nothing may."""
    if view is None or not view.is_fresh(monotonic_now, serve_stale_s):
        return Stale.VIEW
    if question_of(key) in view.set_aside:
        return Stale.ASIDE
    if answer.expires_at is not None and now >= answer.expires_at:
        return Stale.EXPIRED
    return None if answer.sources and all(map(view.is_current, answer.sources)) else Stale.VERSION
