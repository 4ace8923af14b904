"""What the routes need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from serve_app.adapters.visitor_tokens import VisitorTokens
from serve_app.answering.course import Course
from serve_app.api.readiness import Readiness
from serve_app.config import LimitSettings, TenantSettings
from serve_app.domain.model_card import ModelCard
from serve_app.ports import Authenticator, Clock, Sessions


@dataclass(frozen=True, slots=True)
class Services:
    """The adapters and the course, as `serve_app.assembly` put them together."""

    course: Course
    sessions: Sessions
    authenticator: Authenticator
    visitor_tokens: VisitorTokens
    tenants: Mapping[str, TenantSettings]
    card: ModelCard
    readiness: Readiness
    limits: LimitSettings
    clock: Clock
    new_id: Callable[[str], str]
