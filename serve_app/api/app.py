"""The FastAPI application: its routes and its edge. It knows nothing of how it is served."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import Response

from serve_app.api.admin import add_admin
from serve_app.api.aside import add_aside
from serve_app.api.asking import add_asking
from serve_app.api.completions import add_completions
from serve_app.api.desk import add_desk
from serve_app.api.edge import Edge, add_error_handlers, as_json
from serve_app.api.feedback import add_feedback
from serve_app.api.pages import add_pages
from serve_app.api.pregenerated import add_pregenerated
from serve_app.api.services import Services
from serve_app.api.socket import add_socket
from serve_app.api.transcripts import add_transcripts
from serve_app.api.visitors import add_visitors


def create_app(services: Services, *, name_requests: bool = True) -> FastAPI:
    """`name_requests`: answer with `X-Request-ID`; off where the server around it does so."""
    app = FastAPI(title="ZeroWait", version="0.1.0", docs_url="/docs", redoc_url=None)
    add_error_handlers(app)
    _add_health(app, services)
    ask = add_asking(app, services)
    for add in (
        add_transcripts,
        add_desk,
        add_visitors,
        add_pages,
        add_completions,
        add_socket,
        add_admin,
        add_feedback,
        add_aside,
        add_pregenerated,
    ):
        add(app, services)
    app.add_middleware(
        Edge,
        in_flight=services.in_flight,
        new_id=services.new_id,
        name_requests=name_requests,
        # Most questions are answered from memory: the router and FastAPI's own layers would take longer than that.
        direct={"/v1/ask": ask},
    )
    return app


def _add_health(app: FastAPI, services: Services) -> None:
    @app.get("/healthz", summary="The process lives")
    async def healthz() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        return {"status": "ok"}

    @app.get("/readyz", summary="It can answer: each part with its state; 503 while it cannot")
    async def readyz() -> Response:  # pyright: ignore[reportUnusedFunction]
        parts = await services.readiness.parts()
        ready = all(state in ("ok", "degraded") for state in parts.values())
        body = {"status": "ready" if ready else "not_ready", "parts": parts}
        return as_json(body, 200 if ready else 503, {} if ready else {"retry-after": "5"})
