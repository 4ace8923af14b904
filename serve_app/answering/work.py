"""One question on its way, and the draft of its answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from opentelemetry.context import Context

from serve_app import tracing
from serve_app.answering.regeneration import Place
from serve_app.domain.expiry import Lasts
from serve_app.domain.knowledge import SourceVersion
from serve_app.domain.messages import AnswerSource, Ask, Middle, Option, Suggestion, Tier, Usage
from serve_app.domain.question import Understanding
from serve_app.domain.session import Session
from serve_app.ports import Clock


@dataclass(slots=True)
class Work:
    """What is known of a question so far. `timings_ms` holds a figure per finished step."""

    ask: Ask
    answer_id: str
    clock: Clock
    deadline_at: float  # monotonic
    span: Context  # of the question: the parent of every step's, also of those that follow while the answer is streamed
    timings_ms: dict[str, float] = field(default_factory=dict[str, float])
    degraded: list[str] = field(default_factory=list[str])
    session: Session = field(init=False)
    number: int = field(init=False)
    text: str = field(init=False)  # what was asked, with all the messages that are one question
    asked_at: datetime = field(init=False)
    understood: Understanding = field(init=False)
    question_id: str | None = None  # of a question that stands on its own
    set_aside: bool = False  # what it was answered with was found wrong, and nobody has looked yet
    place: Place | None = None  # among the questions that are generated anew
    share_key: str | None = None  # under which a shared answer to it stands
    gates: tuple[str, ...] = ()  # that refused near entries as its answer

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        """Times a step and gives it a span."""
        started = self.clock.monotonic()
        with tracing.step(name, self.span):
            try:
                yield
            finally:
                self.timings_ms[name] = round((self.clock.monotonic() - started) * 1000, 2)

    def leave_out(self, *parts: str) -> None:
        """The answer is degraded by these. Each is named once."""
        self.degraded += [part for part in parts if part not in self.degraded]

    @property
    def left_s(self) -> float:
        return max(0.0, self.deadline_at - self.clock.monotonic())


@dataclass(slots=True)
class Outcome:
    """How the saying of an answer ended. A body fills it in; it is whole when the body is exhausted."""

    finish_reason: str = "stop"
    usage: Usage = field(default_factory=Usage)
    rendered: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    facts_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    replica: str
    decision: str  # home, spilled, least-loaded or joined


@dataclass(slots=True)
class Draft:
    """What will be said, decided up to its first visible piece. The rest comes from `body`."""

    source: AnswerSource
    body: AsyncGenerator[Middle, None]
    tier: Tier = "none"
    outcome: Outcome = field(default_factory=Outcome)
    model: str | None = None
    demo: bool = False
    route: Route | None = None
    # What the conversation is about afterwards.
    offered: tuple[Option, ...] = ()
    suggested: tuple[Suggestion, ...] = ()
    missed: bool = False
    order_id: str | None = None
    # Under which key it may be shared, if it turns out that it may, and what it was built from.
    share_key: str | None = None
    has_customer_facts: bool = False
    sources: tuple[SourceVersion, ...] = ()
    expires_at: datetime | None = None
    # Where a machine decided it: the question's id, under which a thumb down sets it aside.
    question_id: str | None = None
    # How long the question and what it was built from last by the calendar; what lasts a day ends with it.
    lasts: Lasts = Lasts.FOR_GOOD
    day_ends_at: datetime | None = None
    made_at: datetime | None = None  # of a shared answer
    is_worded: bool = False  # of an entry that has the question among its wordings
    # All that `body` says, where that is known.
    events: tuple[Middle, ...] | None = None


async def _each(events: tuple[Middle, ...]) -> AsyncGenerator[Middle, None]:
    for event in events:
        yield event


def at_once(source: AnswerSource, *events: Middle, tier: Tier = "none", finish_reason: str = "stop") -> Draft:
    """A draft that is known whole."""
    return Draft(source, _each(events), tier, Outcome(finish_reason=finish_reason), events=events)
