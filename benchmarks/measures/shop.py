"""The shop that is asked, as each set of measures has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measures.switches import Measures
from serve_app.adapters.record import connect
from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.config import Config
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry
from serve_app.domain.messages import Kind
from serve_app.domain.publication import Publication
from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander
from serve_app.first_questions import make_understander

TENANT = "shop"


def configuration(measures: Measures, urls: Mapping[str, str], model: Mapping[str, Any], home: Path, redis_url: str) -> Config:
    """`urls`: where the three systems answer, by part of the facts. In turn: each asks for what the one before it found."""
    in_turn = not measures.parallel
    needs = {"parcels": {"orders": "orders[].id"}, "customer": {"parcels": "orders[].parcels[].tracking_no"}}
    sources = [
        {
            "type": "http",
            "name": part,
            "part": part,
            "url": f"{url}/{part}" + (f"?after={{{next(iter(needs[part]))}}}" if in_turn and part in needs else ""),
            "needs": needs.get(part, {}) if in_turn else {},
            "deadline_ms": 30_000,
            "pool_size": 64,
        }
        for part, url in urls.items()
    ]
    tree = {
        "data_dir": str(home),
        "redis": {"url": redis_url, "budget_ms": 2000, "timeout_ms": 5000},
        "record": {"meaning": "answer" if measures.tiers else "suggest", "serve_stale_s": 30},
        "tenants": {TENANT: {"sources": sources}},
        # What a demo's model says is never shared.
        "model": {**model, "demo": not measures.tiers},
        # Whoever waits in a long queue waits: what is asked here is how long.
        "deadlines": {"request_s": 300, "first_token_s": 280, "facts_ms": 30_000, "cache_ms": 10_000},
    }
    return Config.model_validate(tree).resolved({})


@dataclass(frozen=True)
class Rules:
    """The same rules twice: `answering` customers' questions; `silent`: they stand in the prompt, and no question finds
    them. `wordings` are what customers ask that an entry answers."""

    answering: Publication
    silent: Publication
    wordings: tuple[str, ...]


def first_rules(count: int) -> Rules:
    """The first of the demo shop's entries that answer public questions. Trains a classifier: takes seconds."""
    understander, whole = make_understander(), demo_knowledge()
    chosen: list[Entry] = []
    asked: list[str] = []
    for entry in sorted(whole.entries, key=lambda entry: entry.id):
        if len(chosen) < count and (wordings := _public_questions(understander, entry)):
            chosen.append(replace(entry, suggested=False))
            asked += wordings
    answering = Publication(tuple(chosen), (), whole.policies)
    return Rules(answering, replace(answering, entries=tuple(map(_unasked, chosen))), tuple(asked))


async def publish(config: Config, publication: Publication) -> None:
    engine = connect(str(config.record.url))
    try:
        parts = publication.entries, publication.templates, publication.policies
        await SqlKnowledge(engine).publish(TENANT, *parts, datetime.now(UTC), by="benchmark")
    finally:
        await engine.dispose()


def _public_questions(understander: Understander, entry: Entry) -> list[str]:
    day = datetime.now(UTC).date()
    texts = [text for questions in entry.questions.values() for text in questions]
    understood = ((text, understander.understand(text, Focus(), day)) for text in texts)
    return [text for text, found in understood if found.kind is Kind.PUBLIC and found.self_contained and not found.foreign]


def _unasked(entry: Entry) -> Entry:
    """Its words, for the prompt, under questions that nobody asks."""
    questions = {language: tuple(f"§ {entry.id}: {text}" for text in texts) for language, texts in entry.questions.items()}
    return replace(entry, questions=questions, intent=Intent.OTHER)
