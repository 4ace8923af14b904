"""`POST /v1/ask`."""

from __future__ import annotations

from contextlib import ExitStack

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from serve_app import tracing
from serve_app.adapters.auth import bearer
from serve_app.api.bodies import AskBody, read_body
from serve_app.api.edge import Handler, as_json
from serve_app.api.services import Services
from serve_app.api.stream import EventStream, headers_of, object_of, while_connected, whole
from serve_app.domain.errors import InvalidField, TooLong
from serve_app.domain.messages import Ask, Caller
from serve_app.domain.normalise import clean


def add_asking(app: FastAPI, services: Services) -> Handler:
    """Returns the handler itself, which needs nothing of the application around it."""

    @app.post(
        "/v1/ask",
        summary="A question to its answer, as JSON or as server-sent events",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": AskBody.model_json_schema()}}}},
    )
    async def ask(request: Request) -> Response:
        started = services.clock.monotonic()
        caller = await caller_of(services, request)
        auth_ms = round((services.clock.monotonic() - started) * 1000, 2)
        body = await read_body(request, AskBody, services.limits.body_bytes)
        question = question_of(services, caller, body)
        streamed = body.stream or "text/event-stream" in request.headers.get("accept", "")
        span = tracing.question(request.headers)
        with ExitStack() as at_the_end:
            # A streamed answer's span ends with its last event.
            at_the_end.callback(span.end)
            with tracing.within(span):
                opening = services.course.open(question, new_session=body.session_id is None)
                reply = await while_connected(request.receive, opening)
            reply.timings_ms["auth"] = auth_ms
            headers = headers_of(reply)
            if span.is_recording():
                span.set_attributes({"zerowait.source": reply.meta.source, "zerowait.kind": reply.meta.kind})
            if streamed:
                return EventStream(reply, headers, at_the_end.pop_all().close)
            if reply.at_once is not None:
                answer, failed = object_of(reply.at_once)
            else:
                answer, failed = await while_connected(request.receive, whole(reply))
        if failed is not None:
            if failed.retry_after_s is not None:
                headers["retry-after"] = str(failed.retry_after_s)
            return as_json({"error": failed.error}, failed.status, headers)
        return as_json(answer, 200, headers)

    return ask


async def caller_of(services: Services, request: Request) -> Caller:
    """Raises Unauthenticated, Forbidden."""
    api_key = bearer(request.headers.get("authorization"))
    return await services.authenticator.caller(api_key, request.headers.get("x-customer-token"), "ask")


def question_of(services: Services, caller: Caller, body: AskBody) -> Ask:
    """The question as the course takes it. Raises TooLong, InvalidField."""
    question = body.question
    if question is not None:
        if len(question) > services.limits.question_chars:
            raise TooLong(f"The question is longer than {services.limits.question_chars} characters.", param="question")
        question = clean(question)
        if not question:
            raise InvalidField("question: there is no text in it.", param="question")
    if body.choice is not None and body.session_id is None:
        raise InvalidField("choice: a choice belongs to a conversation; send its session_id.", param="session_id")
    return Ask(
        caller=caller,
        session_id=body.session_id or services.new_id("ses"),
        message_id=body.message_id or services.new_id("msg"),
        question=question,
        choice=body.choice,
        order_id=body.order_id,
        sku_id=body.sku_id,
        locale=body.locale,
    )
