"""`/v1/admin/knowledge/pregenerated`: answers that are made before they are asked for, as `zerowait knowledge` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from serve_app.adapters.auth import bearer
from serve_app.adapters.yaml_knowledge import tree_of
from serve_app.api.admin import diff_json, knowledge_errors
from serve_app.api.bodies import read_body
from serve_app.api.edge import as_json
from serve_app.api.query import number_in
from serve_app.api.services import Services
from serve_app.domain.errors import InvalidField
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.messages import Caller, Language
from serve_app.domain.pregeneration import Job, JobState
from serve_app.domain.publication import Publication
from serve_app.pregeneration.choosing import Wish

PREGENERATED = "/v1/admin/knowledge/pregenerated"
STATES: tuple[JobState, ...] = get_args(JobState)


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class WishBody(_Body):
    top: int = Field(default=50, ge=1, le=1000, description="How many of the most asked questions.")
    language: Language | None = Field(default=None, description="Default: every one that the model speaks.")
    questions: bool = Field(default=True, description="The head of what customers ask and no entry answers.")
    variants: bool = Field(default=True, description="Proposed wordings, and entries that are withheld.")
    templates: bool = Field(default=True, description="Templates, where some are lacking.")
    failed: bool = Field(default=False, description="Try those that failed again.")

    def wish(self) -> Wish:
        return Wish(self.top, self.language, self.questions, self.variants, self.templates, self.failed)


class EditBody(_Body):
    questions: Mapping[Language, str] = Field(default={}, description="By language.")
    answers: Mapping[Language, str] = Field(default={}, description="By language.")


class ConfirmBody(_Body):
    entries: list[str] = Field(min_length=1, max_length=1000, description="Ids of entries that are withheld and right.")


def add_pregenerated(app: FastAPI, services: Services) -> None:
    """For keys with the scope `admin`. A record that does not answer is a 503."""
    _add_making(app, services)
    _add_reviewing(app, services)


def _add_making(app: FastAPI, services: Services) -> None:
    ahead, limit = services.pregeneration, services.limits.body_bytes

    @app.post(PREGENERATED, summary="Put what is worth making into the queue; 202", openapi_extra=_body(WishBody))
    async def make(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        body = await read_body(request, WishBody, limit)
        with knowledge_errors():
            ids = await ahead.choosing.put(caller.tenant, body.wish())
            known = await ahead.jobs.read(caller.tenant, ids)
        states = [job.state for job in known.values()]
        return as_json({"ids": ids, "states": {state: states.count(state) for state in STATES}}, 202)

    @app.post(f"{PREGENERATED}/confirm", summary="Withheld entries are right: into the draft", openapi_extra=_body(ConfirmBody))
    async def confirm(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        body = await read_body(request, ConfirmBody, limit)
        with knowledge_errors():
            found = await services.editor.confirm(caller.tenant, body.entries, by=caller.key_id)
        return as_json(diff_json(found))


def _add_reviewing(app: FastAPI, services: Services) -> None:
    reviewing = services.pregeneration.reviewing

    @app.get(PREGENERATED, summary="What was made and waits for a person; ?state= for another state")
    async def listed(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        with knowledge_errors():
            found = await reviewing.list(caller.tenant, [_state(request)], number_in(request, "limit", 50, 1000))
        return as_json({"pregenerated": [_tree(job) for job in found]})

    @app.get(f"{PREGENERATED}/{{job_id}}", summary="One of them")
    async def one(job_id: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        with knowledge_errors():
            return as_json(_tree(await reviewing.find(caller.tenant, job_id)))

    @app.put(f"{PREGENERATED}/{{job_id}}", summary="Other words for a question or an answer", openapi_extra=_body(EditBody))
    async def edit(job_id: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        body = await read_body(request, EditBody, services.limits.body_bytes)
        with knowledge_errors():
            return as_json(_tree(await reviewing.edit(caller.tenant, job_id, body.questions, body.answers)))

    @app.post(f"{PREGENERATED}/{{job_id}}/accept", summary="Into the draft, as an entry or a template")
    async def accept(job_id: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        with knowledge_errors():
            item = await reviewing.accept(caller.tenant, job_id, by=caller.key_id)
        return as_json({"id": job_id, "item_id": item.id})

    @app.post(f"{PREGENERATED}/{{job_id}}/reject", summary="Do not show it again", status_code=204)
    async def reject(job_id: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        with knowledge_errors():
            await reviewing.reject(caller.tenant, job_id, by=caller.key_id)
        return Response(status_code=204)


def _tree(job: Job) -> dict[str, Any]:
    made = tree_of(Publication.of([job.made])) if isinstance(job.made, Entry | Template) else None
    item = next(iter((*made["entries"], *made["templates"])), None) if made else None
    told = {name: value for name, value in asdict(job).items() if name not in ("made", "tenant", "revision", "canonical")}
    return {"id": job.id, **told, "made": item}


def _state(request: Request) -> JobState:
    text = request.query_params.get("state", "made")
    for state in STATES:
        if text == state:
            return state
    raise InvalidField(f"state: write one of {', '.join(STATES)}.", param="state")


async def _admin(services: Services, request: Request) -> Caller:
    """Raises Unauthenticated, Forbidden."""
    return await services.authenticator.caller(bearer(request.headers.get("authorization")), None, "admin")


def _body(form: type[BaseModel]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": form.model_json_schema()}}}}
