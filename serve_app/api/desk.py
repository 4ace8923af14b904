"""The hand-over to a person: the customer's wish for one, and the desk's calls under `/v1/admin/desk`."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from serve_app.adapters.auth import bearer
from serve_app.answering.desk_work import NAME_CHARS_MAX, opened_json, ticket_json
from serve_app.answering.handover import REASONS
from serve_app.api.asking import caller_of
from serve_app.api.bodies import Id, read_body
from serve_app.api.edge import as_json
from serve_app.api.query import flag_in, number_in
from serve_app.api.services import Services
from serve_app.domain.errors import StoreFailed
from serve_app.domain.messages import Language
from serve_app.domain.normalise import clean
from serve_app.domain.phrases import Phrase
from serve_app.domain.tickets import TEXT_CHARS_MAX

Name = Annotated[str, Field(max_length=NAME_CHARS_MAX, description="The agent's, as the customer sees it.")]
TICKETS = "/v1/admin/desk/tickets"
LIMIT_MAX = 1000

Form = TypeVar("Form", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class HandoffBody(_Body):
    reason: str = Field(
        default=REASONS[Phrase.HANDOFF_ASKED],
        min_length=1,
        max_length=200,
        description="Why, in the customer's words or the page's.",
    )


class ClaimBody(_Body):
    name: Name = ""


class ReplyBody(_Body):
    text: str = Field(min_length=1, max_length=TEXT_CHARS_MAX)
    name: Name = ""
    message_id: Id | None = Field(default=None, description="Repeating it sends the same words only once.")


class CloseBody(_Body):
    note: str = Field(default="", max_length=TEXT_CHARS_MAX, description="The desk's own; no customer sees it.")


def add_desk(app: FastAPI, services: Services) -> None:
    """Adds the customer's call, then the desk's."""
    _add_handoff(app, services)
    _add_reading(app, services)
    _add_changing(app, services)


def _add_handoff(app: FastAPI, services: Services) -> None:
    @app.post(
        "/v1/sessions/{session_id}/handoff",
        summary="To a person: a ticket, and how it goes on",
        openapi_extra=_body(HandoffBody),
    )
    async def handoff(  # pyright: ignore[reportUnusedFunction]
        session_id: Annotated[Id, Path()], request: Request
    ) -> Response:
        caller = await caller_of(services, request)
        body = await _optional(services, request, HandoffBody)
        session = await services.sessions.read(caller.tenant, session_id, caller.customer_id)
        if session.apart:
            raise StoreFailed("whose conversation it is, is not known now")
        reason = clean(body.reason) or REASONS[Phrase.HANDOFF_ASKED]
        state, is_new = await services.handover.ask_for(caller, session, reason, _language(request))
        return as_json(state, 201 if is_new else 200)


def _add_reading(app: FastAPI, services: Services) -> None:
    @app.get(TICKETS, summary="The open tickets, oldest first; with all=true the last of all")
    async def tickets(  # pyright: ignore[reportUnusedFunction]
        request: Request,
    ) -> Response:
        tenant = await _tenant(services, request)
        everything, limit = flag_in(request, "all"), number_in(request, "limit", 100, LIMIT_MAX)
        desk = await services.desk_work.list(tenant, closed=everything, limit=limit)
        return as_json({"tickets": [ticket_json(one) for one in desk.tickets], "notices_given_up": desk.notices_given_up})

    @app.get(f"{TICKETS}/{{ticket_id}}", summary="A ticket with its packet and transcript")
    async def ticket(  # pyright: ignore[reportUnusedFunction]
        ticket_id: Annotated[Id, Path()], request: Request
    ) -> Response:
        return as_json(opened_json(await services.desk_work.look(await _tenant(services, request), ticket_id)))


def _add_changing(app: FastAPI, services: Services) -> None:
    desk = services.desk_work

    @app.post(f"{TICKETS}/{{ticket_id}}/claim", summary="Take a conversation that waits", openapi_extra=_body(ClaimBody))
    async def claim(  # pyright: ignore[reportUnusedFunction]
        ticket_id: Annotated[Id, Path()], request: Request
    ) -> Response:
        tenant = await _tenant(services, request)
        body = await _optional(services, request, ClaimBody)
        return as_json(ticket_json(await desk.claim(tenant, ticket_id, body.name)))

    @app.post(
        f"{TICKETS}/{{ticket_id}}/reply",
        summary="Say something to the customer; takes a conversation that waits",
        openapi_extra=_body(ReplyBody),
    )
    async def reply(  # pyright: ignore[reportUnusedFunction]
        ticket_id: Annotated[Id, Path()], request: Request
    ) -> Response:
        tenant = await _tenant(services, request)
        body = await read_body(request, ReplyBody, services.limits.body_bytes)
        return as_json(ticket_json(await desk.reply(tenant, ticket_id, body.text, body.name, body.message_id)))

    @app.post(f"{TICKETS}/{{ticket_id}}/close", summary="End it: the bot answers again", openapi_extra=_body(CloseBody))
    async def close(  # pyright: ignore[reportUnusedFunction]
        ticket_id: Annotated[Id, Path()], request: Request
    ) -> Response:
        tenant = await _tenant(services, request)
        body = await _optional(services, request, CloseBody)
        return as_json(ticket_json(await desk.close(tenant, ticket_id, body.note)))


async def _tenant(services: Services, request: Request) -> str:
    """The tenant of a key with the scope `ops`. Raises Unauthenticated, Forbidden."""
    return (await services.authenticator.caller(bearer(request.headers.get("authorization")), None, "ops")).tenant


async def _optional(services: Services, request: Request, form: type[Form]) -> Form:
    """The body; none at all stands for one in which every field has its default."""
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        return form()
    return await read_body(request, form, services.limits.body_bytes)


def _body(form: type[BaseModel]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": form.model_json_schema()}}}}


def _language(request: Request) -> Language:
    """The first that the client names, for a conversation in which nothing was said yet."""
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "zh"
