"""`/v1/admin/knowledge/aside`: answers that customers found wrong, as `zerowait knowledge aside` shows them."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from serve_app.adapters.auth import bearer
from serve_app.api.edge import as_json
from serve_app.api.query import number_in
from serve_app.api.services import Services
from serve_app.domain.aside import STATES, WAITING, Decision, State
from serve_app.domain.errors import InvalidField, NotFound
from serve_app.domain.messages import Caller

ASIDE = "/v1/admin/knowledge/aside"


def add_aside(app: FastAPI, services: Services) -> None:
    """For keys with the scope `admin`. A record that does not answer is the application's 503."""

    @app.get(ASIDE, summary="What customers found wrong and nobody has looked at; ?state= for one state")
    async def listed(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        found = await services.set_asides.list(caller.tenant, _states(request), number_in(request, "limit", 50, 1000))
        return as_json({"set_aside": [asdict(one) for one in found]})

    @app.get(f"{ASIDE}/{{aside_id}}", summary="One, with the words that were complained of")
    async def one(aside_id: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        found = await services.set_asides.find(caller.tenant, aside_id)
        if found is None:
            raise NotFound("Nothing is set aside under this id.")
        return as_json(asdict(found))

    @app.post(f"{ASIDE}/{{aside_id}}/restore", summary="The answer was right: it may be shared again")
    async def restore(aside_id: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await _decide(services, aside_id, "restored", request)

    @app.post(f"{ASIDE}/{{aside_id}}/drop", summary="The answer was wrong: it stays out")
    async def drop(aside_id: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await _decide(services, aside_id, "dropped", request)


async def _decide(services: Services, aside_id: str, decision: Decision, request: Request) -> Response:
    caller = await _admin(services, request)
    done = await services.set_asides.decide(caller.tenant, aside_id, decision, caller.key_id, services.clock.now())
    return as_json(asdict(done))


async def _admin(services: Services, request: Request) -> Caller:
    """Raises Unauthenticated, Forbidden."""
    return await services.authenticator.caller(bearer(request.headers.get("authorization")), None, "admin")


def _states(request: Request) -> tuple[State, ...]:
    text = request.query_params.get("state")
    if text is None:
        return WAITING
    if text not in STATES:
        raise InvalidField(f"state: write one of {', '.join(STATES)}.", param="state")
    return (text,)
