"""Puts together what commands and routes need of pre-generation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from serve_app.config import Config
from serve_app.domain.model_card import card_of
from serve_app.knowledge_editing import KnowledgeEditor
from serve_app.ports import Jobs, KnowledgeRecord, Proposals, QuestionLog
from serve_app.pregeneration.choosing import Choosing
from serve_app.pregeneration.publishing import HeadFirst
from serve_app.pregeneration.reviewing import Reviewing


@dataclass(frozen=True, slots=True)
class Stores:
    """What it works on."""

    editor: KnowledgeEditor
    record: KnowledgeRecord
    log: QuestionLog
    proposals: Proposals
    jobs: Jobs


@dataclass(frozen=True, slots=True)
class Pregeneration:
    """What a person starts, and what a person does with what comes of it."""

    jobs: Jobs
    choosing: Choosing
    reviewing: Reviewing
    head_first: HeadFirst


def pregeneration(
    config: Config, stores: Stores, now: Callable[[], datetime], say: Callable[[str], None] = lambda _: None
) -> Pregeneration:
    card = card_of(config.model)
    return Pregeneration(
        stores.jobs,
        Choosing(stores.editor, stores.record, stores.log, stores.proposals, stores.jobs, card, now),
        Reviewing(stores.editor, stores.jobs),
        HeadFirst(stores.editor, stores.log, stores.jobs, card, now, say),
    )
