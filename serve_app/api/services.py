"""What the routes need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from serve_app.adapters.visitor_tokens import VisitorTokens
from serve_app.answering.complaints import Complaints
from serve_app.answering.course import Course
from serve_app.answering.desk_work import DeskWork
from serve_app.answering.facts_ahead import FactsAhead
from serve_app.answering.handover import Handover
from serve_app.answering.in_flight import InFlight
from serve_app.answering.live import Live
from serve_app.api.draining import Draining
from serve_app.api.readiness import Readiness
from serve_app.config import LimitSettings
from serve_app.domain.generation import Sampling
from serve_app.domain.model_card import ModelCard
from serve_app.knowledge_editing import KnowledgeEditor
from serve_app.ports import (
    Authenticator,
    Clock,
    KnowledgeRecord,
    LiveSessions,
    Proposals,
    Ratings,
    SetAsides,
    Tokenizer,
    Transcripts,
)
from serve_app.pregeneration.assembling import Pregeneration
from serve_app.tenant_settings import TenantSettings


@dataclass(frozen=True, slots=True)
class Completions:
    """What OpenAI's calls need besides. `sampling`: ours; `fingerprint`: what could change a tenant's answers, in short."""

    transcripts: Transcripts
    turns_shown: int
    sampling: Sampling
    tokenizer: Tokenizer
    fingerprint: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Services:
    """The adapters and the course, as `serve_app.assembly` put them together."""

    course: Course
    sessions: LiveSessions
    authenticator: Authenticator
    visitor_tokens: VisitorTokens
    tenants: Mapping[str, TenantSettings]
    card: ModelCard
    completions: Completions
    handover: Handover
    desk_work: DeskWork
    live: Live
    facts_ahead: FactsAhead
    in_flight: InFlight
    knowledge: KnowledgeRecord
    editor: KnowledgeEditor
    pregeneration: Pregeneration
    proposals: Proposals
    ratings: Ratings
    set_asides: SetAsides
    complaints: Complaints
    readiness: Readiness
    limits: LimitSettings
    clock: Clock
    new_id: Callable[[str], str]
    draining: Draining = field(default_factory=Draining)
