"""`POST /v1/feedback`: what a customer thought of an answer; `GET /v1/admin/feedback`: all of it, for the staff."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from starlette.requests import Request
from starlette.responses import Response

from serve_app.adapters.auth import bearer
from serve_app.api.asking import caller_of
from serve_app.api.bodies import Id, read_body
from serve_app.api.edge import as_json
from serve_app.api.query import number_in
from serve_app.api.services import Services
from serve_app.domain.aside import complaint_on
from serve_app.domain.errors import Forbidden, NotFound, NotReady, StoreFailed
from serve_app.domain.feedback import Thumb, feedback_on, unknown_answer
from serve_app.domain.messages import Caller
from serve_app.domain.normalise import clean
from serve_app.domain.session import Session

REASON_CHARS_MAX = 1000


def _rating(value: Any) -> Thumb | int:
    if value in ("up", "down") or (type(value) is int and 1 <= value <= 5):
        return value
    raise ValueError("write `up` or `down` for an answer, 1 to 5 for the conversation")


Rating = Annotated[Thumb | int, PlainValidator(_rating, json_schema_input_type=Thumb | int)]


class FeedbackBody(BaseModel):
    """`POST /v1/feedback`. A later rating of the same answer, or of the same conversation, takes the place of the earlier."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    answer_id: Id = Field(description="As `meta` gave it; of a completion, its `id` without `chatcmpl-`.")
    rating: Rating = Field(description="`up` or `down`: of the answer; 1 to 5: of the conversation that it belongs to.")
    reason: str = Field(default="", max_length=REASON_CHARS_MAX, description="In the customer's words.")
    session_id: Id | None = Field(default=None, description="The answer's; found by the answer when it is left out.")


def add_feedback(app: FastAPI, services: Services) -> None:
    @app.post(
        "/v1/feedback",
        status_code=204,
        summary="A thumb for an answer, or 1 to 5 for its conversation; from its own customer",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": FeedbackBody.model_json_schema()}}}},
    )
    async def feedback(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await caller_of(services, request)
        body = await read_body(request, FeedbackBody, services.limits.body_bytes)
        try:
            await _keep(services, caller, body)
        except StoreFailed as error:
            raise NotReady("Feedback cannot be kept right now.", retry_after_s=5) from error
        return Response(status_code=204)

    @app.get("/v1/admin/feedback", summary="What customers thought, the newest first")
    async def latest(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await services.authenticator.caller(bearer(request.headers.get("authorization")), None, "admin")
        limit = number_in(request, "limit", 50, 1000)
        try:
            found = await services.ratings.latest(caller.tenant, limit)
        except StoreFailed as error:
            raise NotReady("The record cannot be read right now.", retry_after_s=5) from error
        return as_json({"feedback": [asdict(one) for one in found]})


async def _keep(services: Services, caller: Caller, body: FeedbackBody) -> None:
    """Raises NotFound, the same whether there is no such answer or it is another customer's; and StoreFailed."""
    session_id = body.session_id or await services.sessions.session_of(caller.tenant, body.answer_id)
    if session_id is None:
        session = await _completed(services, caller, body.answer_id)
    else:
        try:
            session = await services.sessions.read(caller.tenant, session_id, caller.customer_id)
        except (NotFound, Forbidden):
            raise unknown_answer() from None
    now = services.clock.now()
    given = feedback_on(session, body.answer_id, body.rating, clean(body.reason), now)
    await services.ratings.keep(caller.tenant, given)
    if body.rating == "down" and (complaint := complaint_on(session, body.answer_id, now)) is not None:
        await services.complaints.hear(caller, body.answer_id, complaint)


async def _completed(services: Services, caller: Caller, answer_id: str) -> Session:
    """The conversation of an answer to an OpenAI client, as far as it is needed: its one turn."""
    known = await services.completions.transcripts.of_answer(caller.tenant, answer_id)
    if known is None or known.turn.question.customer_id != caller.customer_id:
        raise unknown_answer()
    return Session(caller.tenant, known.turn.question.session_id, caller.customer_id, (known.turn,))
