"""The outermost layer: what nobody foresaw is answered in the contract's form, and too many at once are turned away."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from serve_app.answering.in_flight import InFlight
from serve_app.api.edge import Edge, add_error_handlers
from serve_app.domain.errors import StoreFailed


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
