"""Events as server-sent events or as one JSON object, and what happens when the client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serve_app.answering.frames import payload
from serve_app.answering.reply import Reply
from serve_app.domain.messages import (
    EVENT_NAMES,
    Card,
    Choices,
    Citation,
    Delta,
    Done,
    Event,
    Failed,
    Handoff,
    Meta,
    Suggestions,
)

# A client's going is noticed from then on.
WATCHED_AFTER_S = 0.02

T = TypeVar("T")


def encode(event: Event) -> bytes:
    """One server-sent event."""
    return b"event: %s\ndata: %s\n\n" % (EVENT_NAMES[type(event)].encode(), orjson.dumps(payload(event)))


def headers_of(reply: Reply) -> dict[str, str]:
    """What an answer's response headers tell of it."""
    timings = ", ".join(f"{name};dur={value}" for name, value in reply.timings_ms.items())
    headers = {"x-zerowait-source": reply.meta.source, "x-zerowait-tier": reply.meta.tier, "server-timing": timings}
    if reply.route is not None:
        # Clients know three words; one who shares another's generation is where that has its home.
        decision = "home" if reply.route.decision == "joined" else reply.route.decision
        headers |= {"x-zerowait-route": decision, "x-zerowait-replica": reply.route.replica}
    return headers


class EventStream(Response):
    """Server-sent events from a reply. The client's going ends the reply at once, also between two events."""

    media_type = "text/event-stream"

    def __init__(self, reply: Reply, headers: Mapping[str, str], at_the_end: Callable[[], None]) -> None:
        # The base class would add a length; these are the only headers there are.
        self.reply = reply
        self.at_the_end = at_the_end
        self.status_code = 200
        self.background = None
        self.init_headers({**headers, "cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        try:
            await while_connected(receive, self._send(send))
        except ClientDisconnect:
            pass
        finally:
            self.at_the_end()
            await self.reply.aclose()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self.reply.events()) as events, aclosing(self.encoded(events)) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def encoded(self, events: AsyncGenerator[Event]) -> AsyncGenerator[bytes]:
        """The events as they are sent."""
        async for event in events:
            yield encode(event)


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """The work's result; it is cancelled, with ClientDisconnect, when the client goes away first.

    Nobody looks for the client in the first moments: most work ends within them, and looking takes longer.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    before = task.cancelling()
    watcher: asyncio.Task[None] | None = None
    over = gone = False

    def leave(_: asyncio.Task[None]) -> None:
        nonlocal gone
        if not over:
            gone = True
            task.cancel()

    def watch() -> None:
        nonlocal watcher
        watcher = asyncio.ensure_future(_gone(receive))
        watcher.add_done_callback(leave)

    timer = loop.call_later(WATCHED_AFTER_S, watch)
    try:
        return await work
    except asyncio.CancelledError:
        if gone and task.cancelling() == before + 1:
            raise ClientDisconnect from None
        raise
    finally:
        over = True
        timer.cancel()
        if gone:
            task.uncancel()
        if watcher is not None and not watcher.done():
            watcher.cancel()
            await asyncio.wait({watcher})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def whole(reply: Reply) -> tuple[dict[str, Any], Failed | None]:
    """The answer as one object, and the error that ended it, if one did."""
    try:
        async with aclosing(reply.events()) as events:
            return object_of([event async for event in events])
    finally:
        await reply.aclose()


def object_of(events: Iterable[Event]) -> tuple[dict[str, Any], Failed | None]:
    """An answer's events as one object, and the error that ended it, if one did."""
    text: list[str] = []
    answer: dict[str, Any] = {"cards": [], "citations": [], "choices": None, "suggestions": [], "handoff": None}
    failed: Failed | None = None
    for event in events:
        match event:
            case Meta():
                answer |= {
                    "answer_id": event.answer_id,
                    "session_id": event.session_id,
                    "kind": event.kind,
                    "source": event.source,
                    "tier": event.tier,
                    "language": event.language,
                    "model": event.model,
                    "variant": event.variant,
                    "demo": event.demo,
                }
            case Delta():
                text.append(event.text)
            case Card():
                answer["cards"].append(event)
            case Citation():
                answer["citations"].append(event)
            case Choices():
                answer["choices"] = event
            case Handoff():
                answer["handoff"] = event
            case Suggestions():
                answer["suggestions"] = event.items
            case Done():
                answer |= {
                    "finish_reason": event.finish_reason,
                    "usage": event.usage,
                    "timings_ms": event.timings_ms,
                    "degraded": event.degraded,
                }
            case Failed():
                failed = event
    return {"text": "".join(text)} | answer, failed
