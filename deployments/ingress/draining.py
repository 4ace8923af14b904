"""How an ingress process learns that Serve replaces it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from contextvars import Context

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from serve_app.api.draining import Draining

POLL_S = 1.0


class DrainWatch:
    """An ASGI middleware. Serve tells a replica nothing when it begins to stop it, but its health route, which HAProxy asks,
    says so at once: it is asked here too, on the port that a socket came in by. Without sockets there is nothing to watch for.

    `stack` ends it. Where Serve closes the port before it was asked, it closes the sockets itself, with the same code.
    """

    def __init__(self, app: ASGIApp, draining: Draining, stack: AsyncExitStack) -> None:
        self._app = app
        self._draining = draining
        self._watching: asyncio.Task[None] | None = None
        stack.push_async_callback(self._end)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and self._watching is None and scope.get("server"):
            # In a context of its own: it outlives the request that it is started in.
            self._watching = asyncio.get_running_loop().create_task(self._watch(*scope["server"]), context=Context())
        await self._app(scope, receive, send)

    async def _watch(self, host: str, port: int) -> None:
        address = f"[{host}]" if ":" in host else host
        async with httpx.AsyncClient(base_url=f"http://{address}:{port}", timeout=POLL_S, trust_env=False) as client:
            while True:
                if await _is_draining(client):
                    self._draining.begin()
                    return
                await asyncio.sleep(POLL_S)

    async def _end(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])


async def _is_draining(client: httpx.AsyncClient) -> bool:
    try:
        reply = await client.get("/-/healthz")
    except httpx.HTTPError:
        return False
    return reply.status_code == httpx.codes.SERVICE_UNAVAILABLE and reply.text == "DRAINING"
