"""The outermost layer: request ids, the bound on requests in flight, and every error in the contract's form."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve_app.answering.in_flight import InFlight
from serve_app.domain.errors import MalformedRequest, NotFound, NotReady, Overloaded, StoreFailed, ZeroWaitError

logger = logging.getLogger(__name__)

REQUEST_ID = re.compile(r"^[\w.:-]{1,128}$")
# Answered also when nothing else is.
PROBES = frozenset({"/healthz", "/readyz"})

Handler = Callable[[Request], Awaitable[Response]]


def as_json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


async def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ZeroWaitError)
    headers = {} if error.retry_after_s is None else {"retry-after": str(error.retry_after_s)}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return as_json(error.body(), error.status, headers)


async def _without_store(request: Request, error: Exception) -> Response:
    logger.warning("%s %s is refused: %s", request.method, request.url.path, error)
    return await _ours(request, NotReady("This cannot be read or kept right now. Please try again.", retry_after_s=5))


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it


async def _routing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return await _ours(request, NotFound("There is no such address."))
    refused = MalformedRequest(str(error.detail))
    return as_json(refused.body(), error.status_code, dict(error.headers or {}))


async def _path(request: Request, _error: Exception) -> Response:
    return await _ours(request, NotFound("There is no such conversation."))


# What a handler of ours may raise.
_RAISED: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    ZeroWaitError: _ours,
    StoreFailed: _without_store,
    ClientDisconnect: _gone,
}


def add_error_handlers(app: FastAPI) -> None:
    for error, handler in _RAISED.items():
        app.add_exception_handler(error, handler)
    app.add_exception_handler(HTTPException, _routing)
    app.add_exception_handler(RequestValidationError, _path)


async def _response_of(handler: Handler, request: Request) -> Response:
    try:
        return await handler(request)
    except (ZeroWaitError, StoreFailed, ClientDisconnect) as error:
        return await next(form for kind, form in _RAISED.items() if isinstance(error, kind))(request, error)


class Edge:
    """The outermost layer: the request's id, the bound on requests in flight, and no exception without our form.

    `direct`: handlers of POST by their paths, which are called without the application's router and what lies before it.
    """

    def __init__(
        self,
        app: ASGIApp,
        in_flight: InFlight,
        new_id: Callable[[str], str],
        *,
        name_requests: bool,
        direct: Mapping[str, Handler] | None = None,
    ) -> None:
        self._app = app
        self._direct = direct or {}
        self._new_id = new_id
        self._name_requests = name_requests
        self._in_flight = in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._request_id(scope)
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if self._name_requests:
                    MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            with self._in_flight.one(always=scope["path"] in PROBES):
                handler = self._direct.get(scope["path"]) if scope["method"] == "POST" else None
                if handler is None:
                    await self._app(scope, receive, send_with_id)
                else:
                    response = await _response_of(handler, Request(scope, receive))
                    await response(scope, receive, send_with_id)
        except Overloaded as overloaded:
            if started:
                raise
            await as_json(overloaded.body(), 503, {"retry-after": "1"})(scope, receive, send_with_id)
        except Exception:
            logger.exception("request %s failed", request_id)
            if started:
                raise
            error = ZeroWaitError("Something went wrong on our side.")
            await as_json(error.body(), error.status)(scope, receive, send_with_id)

    def _request_id(self, scope: Scope) -> str:
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        return given if REQUEST_ID.match(given) else self._new_id("req")
