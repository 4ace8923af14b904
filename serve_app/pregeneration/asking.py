"""Puts a question to the model as a customer's is put: the same passages, the same prompt, the same guard of figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from serve_app import tracing
from serve_app.answering.library import Library
from serve_app.answering.speaker import Speaker
from serve_app.answering.work import Draft, Work
from serve_app.domain.errors import NotReady
from serve_app.domain.expiry import Lasts, lasts
from serve_app.domain.knowledge import Found, Passage
from serve_app.domain.messages import Ask, Caller, Delta, Kind, Language
from serve_app.domain.pregeneration import CannotMake
from serve_app.domain.question import Understanding
from serve_app.ports import Clock

# Nobody waits for it, so it may stand in the model's queue for longer than a customer's question.
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Answered:
    text: str
    passages: tuple[Passage, ...]
    lasts: Lasts  # at most until its day ends


class Asking:
    """`understand` reads a text of a tenant's without any turns before it."""

    def __init__(
        self,
        speaker: Speaker,
        library: Library,
        understand: Callable[[str, str], Understanding],
        clock: Clock,
        new_id: Callable[[str], str],
    ) -> None:
        self._speaker = speaker
        self._library = library
        self._understand = understand
        self._clock = clock
        self._new_id = new_id

    def work(self, tenant: str, text: str, language: Language) -> Work:
        """The question as one that nobody asks: no conversation, no ticket."""
        ask = Ask(Caller(tenant), session_id="", message_id=self._new_id("pre"), question=text, channel="completions")
        deadline_at = self._clock.monotonic() + PATIENCE_S
        work = Work(ask, self._new_id("ans"), self._clock, deadline_at, tracing.current())
        work.text, work.asked_at = text, self._clock.now()
        work.understood = replace(self._understand(tenant, text), language=language)
        return work

    async def look_up(self, work: Work) -> Found:
        """Raises NotReady when the knowledge cannot be read now."""
        found = await self._library.look_up(work)
        if work.degraded:
            raise NotReady("The knowledge cannot be read right now.", retry_after_s=5)
        return found

    async def answer(self, work: Work, passages: Sequence[Passage]) -> Answered:
        """Raises CannotMake; and NotReady, Overloaded, DeadlineExceeded, ModelFailed."""
        # A question whose intent is unknown is personal when a customer asks it: here nobody does.
        work.understood = replace(work.understood, kind=Kind.PUBLIC)
        if not self._speaker.may_answer(work):
            raise CannotMake(f"the model may not answer public questions in {work.understood.language}")
        if not passages:
            raise CannotMake("nothing that is published is near enough to answer it")
        draft = await self._speaker.public(work, passages)
        text = await _text_of(draft)
        reason = draft.outcome.finish_reason
        if reason == "guard":
            raise CannotMake("the model's answer held a figure that stands in no published source")
        if reason == "length":
            raise CannotMake("the model's answer was longer than model.max_tokens")
        if reason != "stop" or not text.strip():
            raise NotReady("The model's answer broke off.", retry_after_s=5)
        lasting = lasts(work.text, (text, *(passage.text for passage in passages)))
        if lasting is Lasts.NOW:
            raise CannotMake("its answer is another one within the hour")
        # A passage that found no room in the prompt was not used.
        return Answered(text.strip(), tuple(one for one in passages if one.source in draft.sources), lasting)


async def _text_of(draft: Draft) -> str:
    async with aclosing(draft.body) as body:
        return "".join([event.text async for event in body if isinstance(event, Delta)])
