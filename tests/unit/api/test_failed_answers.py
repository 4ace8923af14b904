"""What a client gets of an answer that fails after it has begun."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from serve_app import tracing
from serve_app.adapters.memory_sessions import MemorySessions
from serve_app.adapters.memory_transcripts import MemoryTranscripts
from serve_app.adapters.system import SystemClock
from serve_app.adapters.tokenizer import ByteTokenizer
from serve_app.adapters.visitor_tokens import VisitorTokens
from serve_app.answering.course import Course
from serve_app.answering.in_flight import InFlight
from serve_app.answering.reply import Reply
from serve_app.answering.work import Draft, Work
from serve_app.api.app import create_app
from serve_app.api.readiness import Readiness
from serve_app.api.services import Completions, Services
from serve_app.config import LimitSettings, ModelSettings
from serve_app.domain.errors import DeadlineExceeded, InternalError, ModelFailed, Overloaded, TooLong, ZeroWaitError
from serve_app.domain.generation import Sampling
from serve_app.domain.messages import Ask, Caller, Delta, Kind, Meta, Middle
from serve_app.domain.model_card import card_of

CLOCK = SystemClock()


class Anybody:
    async def caller(self, api_key: str | None, customer_token: str | None, scope: str) -> Caller:
        del api_key, customer_token, scope
        return Caller("demo")


class BreaksOff:
    """A course whose answers fail after their first words."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.recorded: list[str] = []

    async def open(self, ask: Ask, *, new_session: bool) -> Reply:
        del new_session
        meta = Meta("a", ask.session_id, Kind.PERSONAL, "model", "en")
        work = Work(ask, "a", CLOCK, CLOCK.monotonic() + 30, tracing.current())
        return Reply(meta, Draft("model", self._body()), work, self._record)

    async def _body(self) -> AsyncGenerator[Middle, None]:
        yield Delta("Once upon")
        raise self._error

    async def _record(self, reason: str, said: tuple[Middle, ...]) -> None:
        del said
        self.recorded.append(reason)


async def asked(course: BreaksOff, **fields: Any) -> httpx.Response:
    services = Services(
        course=cast(Course, course),
        sessions=MemorySessions(),
        authenticator=Anybody(),
        visitor_tokens=VisitorTokens({}, Path(), CLOCK),
        tenants={},
        card=card_of(ModelSettings()),
        completions=Completions(MemoryTranscripts(), 60, Sampling(), ByteTokenizer(), lambda tenant: f"fp_{tenant}"),
        handover=cast(Any, None),
        desk_work=cast(Any, None),
        live=cast(Any, None),
        facts_ahead=cast(Any, None),
        in_flight=InFlight(4),
        knowledge=cast(Any, None),
        editor=cast(Any, None),
        proposals=cast(Any, None),
        ratings=cast(Any, None),
        set_asides=cast(Any, None),
        complaints=cast(Any, None),
        pregeneration=cast(Any, SimpleNamespace(reviewing=None)),
        readiness=Readiness({}, CLOCK.monotonic),
        limits=LimitSettings(),
        clock=CLOCK,
        new_id=lambda prefix: f"{prefix}_1",
    )
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        return await client.post("/v1/ask", json={"question": "A story, please", **fields})


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (DeadlineExceeded("Too late."), 504, None),
        (Overloaded("Too many.", retry_after_s=2), 503, "2"),
        (TooLong("Too long."), 413, None),
        (ZeroWaitError("A bug."), 500, None),
        (ModelFailed("the engine has died"), 503, "5"),
    ],
)
async def test_a_whole_answer_has_the_status_of_its_error(
    error: ZeroWaitError | InternalError, status: int, retry_after: str | None
) -> None:
    course = BreaksOff(error)
    response = await asked(course)
    assert (response.status_code, response.headers.get("retry-after")) == (status, retry_after)
    assert set(response.json()) == {"error"}
    assert set(response.json()["error"]) == {"message", "type", "code", "param"}
    assert course.recorded == ["error"]


async def test_a_streamed_one_ends_with_the_error_alone() -> None:
    response = await asked(BreaksOff(DeadlineExceeded("Too late.")), stream=True)
    assert response.status_code == 200
    assert response.text.endswith(
        'event: error\ndata: {"error":{"message":"Too late.",'
        '"type":"server_error","code":"deadline_exceeded","param":null}}\n\n'
    )
