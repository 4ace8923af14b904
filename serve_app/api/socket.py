"""`WS /v1/ws`: one socket, many questions. Text frames, one JSON object each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TypeGuard

from fastapi import FastAPI
from starlette.websockets import WebSocket, WebSocketDisconnect

from serve_app import tracing
from serve_app.answering.chat import Chat
from serve_app.answering.frames import error_frame, frame
from serve_app.answering.in_flight import InFlight
from serve_app.api.asking import question_of
from serve_app.api.bodies import AskBody, checked
from serve_app.api.edge import as_json
from serve_app.api.origins import require_origin
from serve_app.api.outbox import Outbox
from serve_app.api.services import Services
from serve_app.api.socket_frames import CancelFrame, FrameTooLarge, HelloFrame, ResumeFrame, parsed
from serve_app.domain.errors import (
    Forbidden,
    InvalidField,
    MalformedRequest,
    NotFound,
    NotReady,
    Overloaded,
    StoreFailed,
    Unauthenticated,
    ZeroWaitError,
)
from serve_app.domain.live import Talk
from serve_app.domain.messages import Caller, Handoff

logger = logging.getLogger(__name__)

# Why a socket was closed. Those below 4000 are the protocol's own; after 1012 (service restart) a client connects anew at once.
GOING_AWAY, TOO_LARGE, RESTART, UNAUTHENTICATED, FORBIDDEN, TOO_LATE, OVERLOADED = 1001, 1009, 1012, 4401, 4403, 4408, 4503
# For the last frames to a client that may not read.
CLOSING_S = 5.0
# What a refusal names of the frame that it refuses.
ID_CHARS_MAX = 128
# For a conversation's state at the desk.
DESK_S = 2.0
# How often a socket that is to go looks whether its answer has ended.
LOOK_S = 0.2


def add_socket(app: FastAPI, services: Services) -> None:
    sockets = InFlight(services.limits.sockets)
    origins = {origin for tenant in services.tenants.values() for origin in tenant.web.origins}

    @app.websocket("/v1/ws")
    async def ws(websocket: WebSocket) -> None:  # pyright: ignore[reportUnusedFunction]
        try:
            if websocket.url.query:
                raise MalformedRequest("Send nothing in the address: the key goes into the first message.")
            require_origin(websocket.headers, origins)
        except ZeroWaitError as error:
            await _deny(websocket, error)
            return
        await websocket.accept()
        try:
            with sockets.one():
                await Socket(websocket, services).run()
        except Overloaded as error:
            with suppress(WebSocketDisconnect, RuntimeError, OSError):
                await websocket.send_text(error_frame(error))
                await websocket.close(OVERLOADED)


async def _deny(websocket: WebSocket, error: ZeroWaitError) -> None:
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(as_json(error.body(), error.status))
    else:
        await websocket.close()


class _Closed(Exception):
    """The socket is to be closed with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Socket:
    """One socket, from its first frame to its end."""

    def __init__(self, websocket: WebSocket, services: Services) -> None:
        self._websocket = websocket
        self._services = services
        self._limits = services.limits
        self._outbox = Outbox(self._limits.socket_backlog_chars)
        self._hello: HelloFrame | None = None
        self._chat: Chat | None = None

    async def run(self) -> None:
        """Returns when the socket is closed, by whomever."""
        sending = asyncio.ensure_future(self._outbox.send(self._websocket))
        cut = asyncio.ensure_future(self._outbox.cut.wait())
        reading = asyncio.ensure_future(self._read())
        leaving = asyncio.ensure_future(self._free_to_go())
        code: int | None = None
        try:
            await asyncio.wait({sending, cut, reading, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if cut.done():
                code = OVERLOADED
            elif reading.done() and reading.exception() is None:
                code = reading.result()
            elif leaving.done() and not sending.done():
                code = RESTART
            if code is not None and not cut.done():
                self._outbox.end()
                await asyncio.wait({sending}, timeout=CLOSING_S)
        finally:
            self._leave()
            await _ended(sending, cut, reading, leaving)
        if code is not None:
            await self._close(code)

    async def _close(self, code: int) -> None:
        try:
            async with asyncio.timeout(CLOSING_S):
                await self._websocket.close(code)
        except (WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
            logger.debug("a client went away, or does not read")

    async def _free_to_go(self) -> None:
        """Returns when another process may have this socket's client: nothing of the conversation is being answered."""
        await self._services.draining.turn()
        while (chat := self._chat) is not None:
            if not chat.busy and not self._services.live.is_answered(chat.talk):
                return
            await asyncio.sleep(LOOK_S)

    async def _read(self) -> int | None:
        """Does what the client's frames say; returns the code with which to close, None when the client has gone."""
        loop = asyncio.get_running_loop()
        greet_until = loop.time() + self._limits.hello_s
        while True:
            idle_until = greet_until if self._hello is None else loop.time() + self._limits.socket_idle_s
            try:
                async with asyncio.timeout_at(idle_until):
                    message = await self._websocket.receive()
            except TimeoutError:
                if self._chat is not None and self._chat.busy:
                    continue
                return self._too_late()
            if message["type"] == "websocket.disconnect":
                return None
            try:
                await self._take(message)
            except FrameTooLarge:
                return TOO_LARGE
            except _Closed as closed:
                return closed.code

    def _too_late(self) -> int:
        if self._hello is not None:
            return GOING_AWAY
        self._outbox.release(error_frame(Unauthenticated(f"No hello came within {self._limits.hello_s:g} s.")))
        return TOO_LATE

    async def _take(self, message: MutableMapping[str, Any]) -> None:
        """One frame of the client's. What is wrong with it is told; the socket goes on."""
        about: dict[str, str] = {}
        try:
            kind, fields = parsed(message, self._limits.body_bytes)
            about = {name: value for name in ("message_id", "answer_id") if _is_id(value := fields.get(name))}
            if kind == "ping":
                self._show(frame("pong"))
            elif kind == "hello":
                await self._greet(checked(HelloFrame, fields))
            elif kind == "ask":
                await self._ask(fields)
            elif kind == "resume":
                resume = checked(ResumeFrame, fields)
                await self._services.live.resume(self._talk, self._outbox, resume.answer_id, resume.after_seq)
            elif kind == "cancel":
                self._services.live.cancel(self._talk, self._outbox, checked(CancelFrame, fields).answer_id)
            else:
                raise MalformedRequest("type: send hello, ask, resume, cancel or ping.", param="type")
        except ZeroWaitError as error:
            self._show(error_frame(error, **about))
        except (_Closed, FrameTooLarge, asyncio.CancelledError):
            raise
        except Exception:
            logger.exception("a frame was not understood")
            self._show(error_frame(ZeroWaitError("Something went wrong on our side."), **about))

    @property
    def _talk(self) -> Talk:
        """Raises Unauthenticated before the first hello."""
        if self._chat is None:
            raise Unauthenticated('Say hello first: {"type": "hello", "token": "<API key or visitor token>"}.')
        return self._chat.talk

    def _show(self, text: str) -> None:
        """An answer to a frame, also before the first hello."""
        if self._chat is None:
            self._outbox.release(text)
        else:
            self._outbox.show([text])

    # Hello

    async def _greet(self, hello: HelloFrame) -> None:
        """Raises NotFound (no such session) and InvalidField; what is worse closes the socket."""
        try:
            caller = await self._caller(hello)
            require_origin(self._websocket.headers, self._services.tenants[caller.tenant].web.origins)
            talk = await self._entered(hello, caller)
        except (Unauthenticated, Forbidden, NotReady, Overloaded) as error:
            self._show(error_frame(error))
            raise _Closed(_CODES.get(error.status, OVERLOADED)) from error
        if self._chat is None and hello.session_id is None:
            # A conversation that goes on is no opening: after a restart all of them say hello at once.
            self._services.facts_ahead.opened(caller.tenant, caller.customer_id)
        self._hello = hello
        self._outbox.customer_id = caller.customer_id
        self._outbox.hold()
        if self._chat is None or self._chat.talk != talk:
            self._leave()
            self._chat = self._new_chat(talk)
        first: list[str] = []
        try:
            active = await self._services.live.join(talk, self._outbox)
            ready = frame(
                "ready",
                session_id=talk.session_id,
                customer_id=caller.customer_id,
                handoff=await self._handoff(talk),
                active=[{"answer_id": answer_id, "seq": seq} for answer_id, seq in active.items()],
            )
            first.append(ready)
        finally:
            self._outbox.release(*first)

    async def _caller(self, hello: HelloFrame) -> Caller:
        return await self._services.authenticator.caller(hello.token, hello.customer_token, "ask")

    async def _entered(self, hello: HelloFrame, caller: Caller) -> Talk:
        """The session that was named; else the one that the socket has, while it is still the caller's; else a new one."""
        sessions = self._services.sessions
        try:
            if hello.session_id is not None:
                await sessions.enter(caller.tenant, hello.session_id, caller.customer_id)
                return Talk(caller.tenant, hello.session_id)
            if self._chat is not None and self._chat.talk.tenant == caller.tenant:
                try:
                    await sessions.enter(*self._chat.talk, caller.customer_id)
                    return self._chat.talk
                except (NotFound, Forbidden):
                    pass
            talk = Talk(caller.tenant, self._services.new_id("ses"))
            await sessions.enter(*talk, caller.customer_id, new=True)
            return talk
        except StoreFailed as error:
            logger.warning("the sessions do not answer: %s", error)
            raise NotReady("Conversations cannot be kept right now.", retry_after_s=5) from error

    async def _handoff(self, talk: Talk) -> Handoff | None:
        try:
            async with asyncio.timeout(DESK_S):
                state, _ = await self._services.handover.of(*talk)
                return state
        except (StoreFailed, TimeoutError) as error:
            logger.warning("who has a conversation is not known: %r", error)
            return None

    def _new_chat(self, talk: Talk) -> Chat:
        return Chat(
            talk,
            self._outbox,
            opener=self._services.course.open,
            live=self._services.live,
            in_flight=self._services.in_flight,
            clock=self._services.clock,
            chars_max=self._limits.question_chars,
            waiting_max=self._limits.messages_waiting,
            parent=tracing.incoming(self._websocket.headers),
        )

    def _leave(self) -> None:
        if self._chat is not None:
            self._services.live.leave(self._chat.talk, self._outbox)
            self._chat.leave()
            self._chat = None

    # A question

    async def _ask(self, fields: dict[str, Any]) -> None:
        """Raises Unauthenticated, Forbidden, InvalidField, TooLong, Overloaded."""
        talk = self._talk
        assert self._hello is not None
        assert self._chat is not None
        started = self._services.clock.monotonic()
        caller = await self._caller(self._hello)
        auth_ms = round((self._services.clock.monotonic() - started) * 1000, 2)
        body = checked(AskBody, {"session_id": talk.session_id, "locale": self._hello.locale} | fields)
        if body.session_id != talk.session_id:
            raise InvalidField("session_id: say hello with it to change the conversation.", param="session_id")
        self._chat.ask(question_of(self._services, caller, body), auth_ms)


_CODES = {401: UNAUTHENTICATED, 403: FORBIDDEN}


def _is_id(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= ID_CHARS_MAX


async def _ended(*tasks: asyncio.Task[Any]) -> None:
    """Ends them. That a client went away in the middle of a frame is no failure of ours; anything else is logged."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, WebSocketDisconnect | RuntimeError | OSError):
            logger.error("a socket failed", exc_info=error)
