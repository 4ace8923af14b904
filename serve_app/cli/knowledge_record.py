"""What the commands on knowledge share: their options, the record that they work on, and how they speak."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.exc import SQLAlchemyError

from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_aside import SqlSetAsides
from serve_app.adapters.sql_drafts import SqlDrafts
from serve_app.adapters.sql_feedback import SqlRatings
from serve_app.adapters.sql_jobs import SqlJobs
from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.adapters.sql_proposals import SqlProposals
from serve_app.adapters.sql_question_log import SqlQuestionLog
from serve_app.cli.console import say
from serve_app.config import Config
from serve_app.domain.errors import ConfigError
from serve_app.first_questions import FirstQuestions, make_understander
from serve_app.knowledge_editing import KnowledgeEditor
from serve_app.ports import Proposals, Ratings, SetAsides
from serve_app.pregeneration.assembling import Pregeneration, Stores, pregeneration

T = TypeVar("T")

Tenant = Annotated[str | None, typer.Option("--tenant", help="Whose knowledge. [default: the only one]")]


@dataclass(frozen=True, slots=True)
class Parts:
    """The record, as these commands need it."""

    editor: KnowledgeEditor
    proposals: Proposals
    ratings: Ratings
    set_asides: SetAsides
    pregeneration: Pregeneration


def in_record(settings: Config, call: Callable[[Parts], Awaitable[T]]) -> T:
    """Raises ConfigError when the record cannot be used, and whatever the call raises."""

    async def run() -> T:
        engine = connect(str(settings.record.url))
        try:
            await create_tables(engine)
            proposals = SqlProposals(engine)
            understand = FirstQuestions(settings.tenants, make_understander, _now)
            knowledge = SqlKnowledge(engine)
            editor = KnowledgeEditor(knowledge, SqlDrafts(engine), proposals, _now, understand, say)
            stores = Stores(editor, knowledge, SqlQuestionLog(engine), proposals, SqlJobs(engine))
            ahead = pregeneration(settings, stores, _now, say)
            return await call(Parts(editor, proposals, SqlRatings(engine), SqlSetAsides(engine), ahead))
        except (SQLAlchemyError, OSError) as error:
            raise ConfigError(f"the record cannot be used ({type(error).__name__}): check `record.url`") from error
        finally:
            await engine.dispose()

    return asyncio.run(run())


def _now() -> datetime:
    return datetime.now(UTC)


def edit(settings: Config, call: Callable[[KnowledgeEditor], Awaitable[T]]) -> T:
    """As `in_record`, for what the editor does."""
    return in_record(settings, lambda parts: call(parts.editor))


def local(instant: datetime, settings: Config, tenant: str) -> str:
    """In the shop's zone."""
    return instant.astimezone(ZoneInfo(settings.tenants[tenant].shop.time_zone)).strftime("%Y-%m-%d %H:%M")
