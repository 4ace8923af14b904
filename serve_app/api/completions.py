"""`POST /v1/chat/completions` and `GET /v1/models`, for any OpenAI client.

The client holds the transcript. Errors have OpenAI's form and statuses: what breaks the schema is a 400 here, an unknown model
a 404, a question or conversation that is too long a 400 with `context_length_exceeded`.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from serve_app import tracing
from serve_app.answering.reply import Reply
from serve_app.answering.transcript_sessions import TranscriptSession
from serve_app.api.asking import caller_of
from serve_app.api.bodies import read_object
from serve_app.api.completion_bodies import CompletionBody, Wanted, wanted
from serve_app.api.completion_replies import OWN_MODEL, CompletionStream, Form, whole_completion
from serve_app.api.edge import as_json
from serve_app.api.services import Services
from serve_app.api.stream import headers_of, while_connected
from serve_app.domain.errors import ContextTooLong, Forbidden, TooLong, UnknownModel
from serve_app.domain.messages import Ask, Caller
from serve_app.domain.normalise import clean
from serve_app.domain.transcripts import Transcript, read_transcript


def add_completions(app: FastAPI, services: Services) -> None:
    listed_at = int(services.clock.now().timestamp())
    models = tuple(dict.fromkeys((OWN_MODEL, services.card.name)))

    @app.post(
        "/v1/chat/completions",
        summary="OpenAI's chat completions: the client holds the transcript",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": CompletionBody.model_json_schema()}}}},
    )
    async def complete(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        started = services.clock.monotonic()
        caller = await caller_of(services, request)
        _check_key(caller)
        auth_ms = round((services.clock.monotonic() - started) * 1000, 2)
        tree = await read_object(request, services.limits.transcript_bytes)
        asked = wanted(tree, services.completions.sampling, services.limits.question_chars)
        _check_model(asked.model)
        transcript = read_transcript(caller.tenant, caller.customer_id, asked.messages)
        question = _question(services, caller, asked, transcript, request.headers.get("x-session-id"))
        span = tracing.question(request.headers)
        with ExitStack() as at_the_end:
            # A streamed answer's span ends with its last chunk.
            at_the_end.callback(span.end)
            with tracing.within(span):
                reply = await while_connected(request.receive, _opened(services, question, transcript))
            reply.timings_ms["auth"] = auth_ms
            span.set_attributes({"zerowait.source": reply.meta.source, "zerowait.kind": reply.meta.kind})
            headers = headers_of(reply)
            form = _form(services, caller, asked)
            if asked.stream:
                end = at_the_end.pop_all().close
                return CompletionStream(reply, headers, end, form, include_usage=asked.include_usage)
            try:
                answer, failed = await while_connected(request.receive, whole_completion(reply, form))
            finally:
                await reply.aclose()
        if failed is not None:
            if failed.retry_after_s is not None:
                headers["retry-after"] = str(failed.retry_after_s)
            return as_json({"error": failed.error}, failed.status, headers)
        return as_json(answer, 200, headers)

    def _check_key(caller: Caller) -> None:
        """Everybody gets a visitor's token. With system texts of their own, the shop's model would be everybody's."""
        if not caller.key_id:
            raise Forbidden("A visitor's token is for the chat. Completions need an API key.")

    def _check_model(name: str) -> None:
        if name not in models:
            raise UnknownModel(f"The model '{name}' does not exist. There are: {', '.join(models)}.", param="model")

    def _model(name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": listed_at, "owned_by": OWN_MODEL}

    @app.get("/v1/models", summary="The names under which a completion may be asked for")
    async def list_models(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        await caller_of(services, request)
        return as_json({"object": "list", "data": [_model(name) for name in models]})

    @app.get("/v1/models/{name:path}", summary="One of them")
    async def model(name: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        await caller_of(services, request)
        _check_model(name)
        return as_json(_model(name))


def _question(services: Services, caller: Caller, asked: Wanted, transcript: Transcript, session_header: str | None) -> Ask:
    return Ask(
        caller=caller,
        session_id=_routing_id(caller, session_header or asked.routing_key or transcript.opening),
        message_id=services.new_id("msg"),
        question=clean(transcript.question),
        channel="completions",
        asides=replace(asked.asides, instructions=transcript.instructions),
    )


def _routing_id(caller: Caller, key: str) -> str:
    """What a client calls its conversation only routes. It holds a slash, so no session that is kept has this id."""
    named = orjson.dumps([caller.tenant, caller.customer_id, key])
    return f"completions/{hashlib.blake2b(named, digest_size=16).hexdigest()}"


async def _opened(services: Services, question: Ask, transcript: Transcript) -> Reply:
    completions = services.completions
    session = TranscriptSession(transcript, completions.transcripts, completions.turns_shown)
    try:
        return await services.course.keeping(session).open(question, new_session=True)
    except TooLong as error:
        # Earlier turns are folded where they are too many; these are not.
        message = "The messages are longer than the model can read: shorten the system text, or the question."
        raise ContextTooLong(message, param="messages") from error


def _form(services: Services, caller: Caller, asked: Wanted) -> Form:
    completions = services.completions
    return Form(
        created=int(services.clock.now().timestamp()),
        fingerprint=completions.fingerprint(caller.tenant),
        messages=asked.messages,
        count=lambda text: len(completions.tokenizer.encode_plain(text)),
    )
