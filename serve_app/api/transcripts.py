"""`GET /v1/sessions/{id}`: the conversation so far, with what a person said in it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import FastAPI, Path
from starlette.requests import Request
from starlette.responses import Response

from serve_app.api.asking import caller_of
from serve_app.api.bodies import Id
from serve_app.api.edge import as_json
from serve_app.api.services import Services
from serve_app.domain.errors import StoreFailed
from serve_app.domain.messages import Handoff
from serve_app.domain.session import Session, Turn
from serve_app.domain.tickets import Author, Message

logger = logging.getLogger(__name__)


def add_transcripts(app: FastAPI, services: Services) -> None:
    @app.get("/v1/sessions/{session_id}", summary="The conversation so far, for its own customer")
    async def session(  # pyright: ignore[reportUnusedFunction]
        session_id: Annotated[Id, Path()], request: Request
    ) -> Response:
        caller = await caller_of(services, request)
        found = await services.sessions.read(caller.tenant, session_id, caller.customer_id)
        if found.apart:
            raise StoreFailed("only the end of the conversation is known here")
        try:
            handoff, messages = await services.handover.of(caller.tenant, session_id)
        except StoreFailed as error:
            logger.warning("a conversation is shown without what a person said: %s", error)
            handoff, messages = None, ()
        return as_json(transcript(found, handoff, messages))


def transcript(session: Session, handoff: Handoff | None, messages: Sequence[Message]) -> dict[str, Any]:
    """What stands in a turn is not repeated among the messages."""
    told = {told for turn in session.turns for told in _told_in(turn)}
    return {
        "session_id": session.id,
        "handoff": handoff,
        "turns": [_turn(turn) for turn in session.turns],
        "messages": [
            {"id": one.id, "from": one.author, "name": one.name, "text": one.text, "at": one.at}
            for one in messages
            if one.known_as not in told and one.author is not Author.BOT
        ],
    }


def _told_in(turn: Turn) -> tuple[str, ...]:
    question = turn.question
    return (question.message_id, *question.merged, *([turn.answer.answer_id] if turn.answer else []))


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "message_id": turn.question.message_id,
        "message_ids": [turn.question.message_id, *turn.question.merged],
        "question": turn.question.text,
        "asked_at": turn.question.asked_at,
        "answer": turn.answer
        and {
            "answer_id": turn.answer.answer_id,
            "text": turn.answer.text,
            "kind": turn.answer.kind,
            "source": turn.answer.source,
            "tier": turn.answer.tier,
            "language": turn.answer.language,
            "model": turn.answer.model,
            "finish_reason": turn.answer.finish_reason,
            "finished_at": turn.answer.finished_at,
            "events": turn.answer.events,
            "degraded": turn.answer.degraded,
        },
    }
