"""The knowledge under `/v1/admin/knowledge`, for keys with the scope `admin`: what `zerowait knowledge` does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, TypeVar

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from serve_app.adapters.auth import bearer
from serve_app.adapters.knowledge_file import read_file
from serve_app.adapters.yaml_knowledge import tree_of
from serve_app.api.bodies import Id, read_body
from serve_app.api.edge import as_json
from serve_app.api.query import flag_in, number_in
from serve_app.api.services import Services
from serve_app.domain.draft_effects import Diff
from serve_app.domain.drafting import Draft, Kept, Unreadable
from serve_app.domain.errors import InvalidField, MalformedRequest, NotReady, StoreFailed, TooLong, UnsupportedMediaType
from serve_app.domain.messages import Caller
from serve_app.domain.proposals import State
from serve_app.pregeneration.publishing import Signature

KNOWLEDGE = "/v1/admin/knowledge"
# Ten thousand entries in both languages are about 10 MB.
FILE_BYTES_MAX = 32 * 1024 * 1024
VERSIONS_MAX = 1000
# A body's form, and the name that stands for it in messages. YAML tells policies and templates from entries by their names.
FILES = {
    "text/csv": "body.csv",
    "text/markdown": "body.md",
    "application/yaml": "entries.yaml",
    "application/x-yaml": "entries.yaml",
    "text/yaml": "entries.yaml",
}

Form = TypeVar("Form", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _SwitchBody(_Body):
    note: str = Field(default="", max_length=500, description="Why, for the history.")
    head: int = Field(default=50, ge=0, le=1000, description="So many of the most asked answers are made anew first, at most.")


class PublishBody(_SwitchBody):
    within_s: float = Field(default=10.0, ge=0, le=25, description="Wait for them so long, at most. 0: publish at once.")
    revision: Id | None = Field(default=None, description="Publish only the draft that has this revision.")


class RollbackBody(_SwitchBody):
    within_s: float = Field(default=0.0, ge=0, le=25, description="Wait for them so long, at most. 0: switch at once.")
    version: int | None = Field(default=None, ge=1, description="Default: the one before the last.")


class RebaseBody(_Body):
    keep: Kept | None = Field(default=None, description="Whose change stays where both changed the same entry.")


def add_admin(app: FastAPI, services: Services) -> None:
    """Adds what reads, what drafts, what publishes, and the proposals."""
    _add_reading(app, services)
    _add_drafting(app, services)
    _add_publishing(app, services)
    _add_proposals(app, services)


def _add_reading(app: FastAPI, services: Services) -> None:
    editor = services.editor

    @app.get(KNOWLEDGE, summary="What is published, or was as ?version=, with its policies and templates")
    async def published(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        version = number_in(request, "version", 1, 10**8) if "version" in request.query_params else None
        with knowledge_errors():
            content = await editor.content(caller.tenant, version)
            latest = await editor.latest(caller.tenant) if version is None else version
        return await _as_json(lambda: {"version": latest, **tree_of(content)})

    @app.get(f"{KNOWLEDGE}/versions", summary="The published versions, the newest first")
    async def versions(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        with knowledge_errors():
            found = await editor.history(caller.tenant, number_in(request, "limit", 50, VERSIONS_MAX))
        return as_json({"versions": [asdict(one) for one in found]})

    @app.get(f"{KNOWLEDGE}/diff", summary="What the draft would change in what is published")
    async def diff(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        with knowledge_errors():
            found = await editor.diff(caller.tenant)
        return await _as_json(lambda: diff_json(found))


def _add_drafting(app: FastAPI, services: Services) -> None:
    editor = services.editor
    draft = f"{KNOWLEDGE}/draft"

    @app.get(draft, summary="The draft, and all that there would be with it")
    async def drafted(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        with knowledge_errors():
            found, content = await editor.drafted(caller.tenant)
        return await _as_json(lambda: {"draft": _draft_json(found), **tree_of(content)})

    file = {"content": {media_type: {"schema": {"type": "string"}} for media_type in FILES}}

    @app.put(
        draft,
        summary="Take a file into the draft, all or nothing; ?replace=true: other entries go; ?name=policies.yaml",
        openapi_extra={"requestBody": file},
    )
    async def take(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        name, replacing = _file_name(request), flag_in(request, "replace")
        raw = await _read(request)
        with knowledge_errors():
            time_zone = services.tenants[caller.tenant].shop.time_zone
            reading = await asyncio.to_thread(read_file, name, raw, time_zone)
            found = await editor.take(caller.tenant, reading, replacing=replacing, by=caller.key_id)
        return await _as_json(lambda: diff_json(found))

    @app.delete(draft, status_code=204, summary="Throw the draft away; what is published stays")
    async def discard(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        with knowledge_errors():
            await editor.discard(caller.tenant)
        return Response(status_code=204)

    @app.delete(f"{draft}/items/{{item_id}}", summary="Withdraw an entry or a template; policy.NAME for a policy")
    async def withdraw(  # pyright: ignore[reportUnusedFunction]
        item_id: str, request: Request
    ) -> Response:
        caller = await _admin(services, request)
        with knowledge_errors():
            found = await editor.withdraw(caller.tenant, (item_id,), by=caller.key_id)
        return await _as_json(lambda: diff_json(found))

    @app.post(f"{KNOWLEDGE}/rebase", summary="Put the draft over what is published now", openapi_extra=_body(RebaseBody))
    async def rebase(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        body = await _optional(services, request, RebaseBody)
        with knowledge_errors():
            found = await editor.rebase(caller.tenant, keep=body.keep, by=caller.key_id)
        return await _as_json(lambda: diff_json(found))


def _add_publishing(app: FastAPI, services: Services) -> None:
    @app.post(f"{KNOWLEDGE}/publish", summary="Make the draft live, as a new version", openapi_extra=_body(PublishBody))
    async def publish(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        body = await _optional(services, request, PublishBody)
        with knowledge_errors():
            done = await services.pregeneration.head_first.publish(
                caller.tenant,
                Signature(caller.key_id, body.note),
                revision=body.revision,
                head=body.head,
                within_s=body.within_s,
            )
        return as_json(asdict(done))

    @app.post(
        f"{KNOWLEDGE}/rollback",
        summary="Publish what an earlier version held, as a new version",
        openapi_extra=_body(RollbackBody),
    )
    async def rollback(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        body = await _optional(services, request, RollbackBody)
        with knowledge_errors():
            done = await services.pregeneration.head_first.rollback(
                caller.tenant,
                body.version,
                Signature(caller.key_id, body.note),
                head=body.head,
                within_s=body.within_s,
            )
        return as_json(asdict(done))


def _add_proposals(app: FastAPI, services: Services) -> None:
    editor = services.editor

    @app.get(f"{KNOWLEDGE}/proposals", summary="What customers asked before they tapped a suggestion; ?state=proposed")
    async def proposals(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        caller = await _admin(services, request)
        with knowledge_errors():
            found = await services.proposals.list(caller.tenant, _state(request), number_in(request, "limit", 50, VERSIONS_MAX))
        return as_json({"proposals": [asdict(one) for one in found]})

    @app.post(f"{KNOWLEDGE}/proposals/{{proposal_id}}/accept", summary="Add it to the draft, as a question of its entry")
    async def accept(  # pyright: ignore[reportUnusedFunction]
        proposal_id: str, request: Request
    ) -> Response:
        caller = await _admin(services, request)
        with knowledge_errors():
            return as_json(asdict(await editor.accept(caller.tenant, proposal_id, by=caller.key_id)))

    @app.post(f"{KNOWLEDGE}/proposals/{{proposal_id}}/reject", summary="Do not show it again")
    async def reject(  # pyright: ignore[reportUnusedFunction]
        proposal_id: str, request: Request
    ) -> Response:
        caller = await _admin(services, request)
        with knowledge_errors():
            return as_json(asdict(await editor.reject(caller.tenant, proposal_id, by=caller.key_id)))


async def _as_json(tree: Callable[[], Any]) -> Response:
    """Thousands of entries take a while to write, so it is done off the event loop, which answers customers."""
    return await asyncio.to_thread(lambda: as_json(tree()))


def diff_json(found: Diff) -> dict[str, Any]:
    """The draft and its changes; a withdrawn item's fields are those that go."""
    return {
        "published": found.published,
        "draft": _draft_json(found.draft),
        "stale": found.is_stale,
        "conflicts": found.conflicts,
        "doubts": found.doubts,
        "changes": [asdict(change) for change in found.changes],
    }


def _draft_json(draft: Draft | None) -> dict[str, Any] | None:
    if draft is None:
        return None
    head = {"base": draft.base, "revision": draft.revision}
    return head | {"changed_at": draft.changed_at, "changed_by": draft.changed_by}


@contextmanager
def knowledge_errors() -> Generator[None]:
    """Turns what the knowledge's parts raise into what a caller may see."""
    try:
        yield
    except Unreadable as error:
        raise InvalidField(str(error), param="body") from None
    except StoreFailed as error:
        raise NotReady("The record does not answer right now.", retry_after_s=5) from error


async def _admin(services: Services, request: Request) -> Caller:
    """Raises Unauthenticated, Forbidden."""
    return await services.authenticator.caller(bearer(request.headers.get("authorization")), None, "admin")


def _file_name(request: Request) -> str:
    """Raises UnsupportedMediaType, InvalidField."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in FILES:
        raise UnsupportedMediaType(f"Send the file as {', '.join(FILES)}.")
    name = request.query_params.get("name", FILES[media_type])
    if name.rpartition(".")[2] not in ("csv", "md", "yaml", "yml") or "/" in name or len(name) > 128:
        raise InvalidField("name: write a file's name that ends in .csv, .md or .yaml.", param="name")
    return name


def _state(request: Request) -> State:
    text = request.query_params.get("state", "proposed")
    if text == "proposed" or text == "accepted" or text == "rejected":
        return text
    raise InvalidField("state: write proposed, accepted or rejected.", param="state")


async def _read(request: Request) -> bytes:
    chunks = bytearray()
    try:
        async for chunk in request.stream():
            chunks += chunk
            if len(chunks) > FILE_BYTES_MAX:
                raise TooLong(f"The file is longer than {FILE_BYTES_MAX} bytes.")
    except ClientDisconnect:
        raise MalformedRequest("The body ended early.") from None
    return bytes(chunks)


async def _optional(services: Services, request: Request, form: type[Form]) -> Form:
    """The body; none at all stands for one in which every field has its default."""
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        return form()
    return await read_body(request, form, services.limits.body_bytes)


def _body(form: type[BaseModel]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": form.model_json_schema()}}}}
