"""The outermost layer: what nobody foresaw is answered in the contract's form, and too many at once are turned away."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serve_app.answering.in_flight import InFlight
from serve_app.api.edge import Edge, add_error_handlers, as_json
from serve_app.domain.errors import StoreFailed, Unauthenticated


async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("SELECT secret FROM /srv/shop.db")


def client(edge: Edge) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=edge), base_url="http://shop")


async def test_an_unforeseen_failure_is_logged_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    edge = Edge(broken, InFlight(4), lambda prefix: f"{prefix}_1", name_requests=True)
    async with client(edge) as http:
        response = await http.get("/v1/anything")
    assert response.status_code == 500
    assert response.headers["x-request-id"] == "req_1"
    assert response.json()["error"]["code"] == "internal_error"
    assert "SELECT" not in response.text
    assert "SELECT" in caplog.text


async def test_a_store_that_is_away_is_said_as_such(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/v1/sessions")
    async def read() -> None:  # pyright: ignore[reportUnusedFunction]
        raise StoreFailed("Redis: TimeoutError: 10.0.0.7")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop") as http:
        response = await http.get("/v1/sessions")
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert response.json()["error"]["code"] == "not_ready"
    assert "10.0.0.7" not in response.text
    assert "10.0.0.7" in caplog.text


async def test_more_than_the_bound_are_told_to_come_back_but_probes_are_answered() -> None:
    held, entered = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["path"] == "/v1/ask":
            entered.set()
            await held.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with client(Edge(slow, InFlight(1), lambda prefix: prefix, name_requests=True)) as http:
        first = asyncio.create_task(http.get("/v1/ask"))
        await entered.wait()
        second = await http.get("/v1/ask")
        assert (second.status_code, second.headers["retry-after"]) == (503, "1")
        assert (await http.get("/healthz")).status_code == 200
        held.set()
        assert (await first).status_code == 200


async def test_a_direct_handler_is_called_without_the_application_and_fails_in_our_form() -> None:
    async def ask(request: Request) -> Response:
        if request.headers.get("x-mood") == "bad":
            raise Unauthenticated("send an API key")
        if request.headers.get("x-mood") == "away":
            raise StoreFailed("Redis: TimeoutError: 10.0.0.7")
        if request.headers.get("x-mood") == "broken":
            raise RuntimeError("SELECT secret FROM /srv/shop.db")
        return as_json({"asked": (await request.body()).decode()})

    edge = Edge(broken, InFlight(4), lambda prefix: f"{prefix}_1", name_requests=True, direct={"/v1/ask": ask})
    async with client(edge) as http:
        good = await http.post("/v1/ask", content=b"hello")
        assert (good.status_code, good.json(), good.headers["x-request-id"]) == (200, {"asked": "hello"}, "req_1")
        refused = await http.post("/v1/ask", headers={"x-mood": "bad"})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        away = await http.post("/v1/ask", headers={"x-mood": "away"})
        assert (away.status_code, away.json()["error"]["code"]) == (503, "not_ready")
        assert (await http.post("/v1/ask", headers={"x-mood": "broken"})).json()["error"]["code"] == "internal_error"
        assert (await http.get("/v1/ask")).status_code == 500, "only POST is direct"
