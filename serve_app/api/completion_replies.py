"""Answers in the form of OpenAI's chat completions: whole, or as chunks.

What may be chosen from (orders, suggested questions) follows the answer's text as a numbered list, so that a customer can say
第二个 or "2". Cards and citations have no place in the schema, and are left out. `model` is the one that answered, `zerowait`
where the shop's own words did. `id` holds the answer's id. `usage` is the engine's for a model's answers; for others it is
counted with the model's tokenizer: the client's messages, and the text. `finish_reason` is `content_filter` where the guard
stopped the model, and `length` also where its time was over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson

from serve_app.answering.reply import Reply
from serve_app.api.stream import EventStream
from serve_app.domain.messages import Choices, Delta, Done, Event, Failed, Meta, Middle, Suggestions, Usage
from serve_app.domain.transcripts import Message, shown_text

# The name under which every client may ask.
OWN_MODEL = "zerowait"

_FINISH_REASONS = {"length": "length", "abort": "length", "guard": "content_filter"}


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer's form needs to know besides its events. `created`: seconds since 1970. `count`: tokens of a text."""

    created: int
    fingerprint: str
    messages: Sequence[Message]
    count: Callable[[str], int]

    def head(self, kind: str, meta: Meta) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{meta.answer_id}",
            "object": kind,
            "created": self.created,
            "model": meta.model or OWN_MODEL,
            "system_fingerprint": self.fingerprint,
        }

    async def usage(self, known: Usage, text: str) -> dict[str, Any]:
        if not known.prompt_tokens:
            # A long transcript takes a while.
            known = await asyncio.to_thread(self._counted, text)
        return {
            "prompt_tokens": known.prompt_tokens,
            "completion_tokens": known.completion_tokens,
            "total_tokens": known.prompt_tokens + known.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": known.cached_tokens},
        }

    def _counted(self, text: str) -> Usage:
        return Usage(sum(self.count(message.text) for message in self.messages), self.count(text))


def finish_reason(reason: str) -> str:
    return _FINISH_REASONS.get(reason, "stop")


async def whole_completion(reply: Reply, form: Form) -> tuple[dict[str, Any], Failed | None]:
    """The answer as one object, and the error that ended it, if one did."""
    said: list[str] = []
    lists: list[Middle] = []
    done, failed = Done("stop"), None
    async with aclosing(reply.events()) as events:
        async for event in events:
            match event:
                case Delta():
                    said.append(event.text)
                case Choices() | Suggestions():
                    lists.append(event)
                case Done():
                    done = event
                case Failed():
                    failed = event
                case _:
                    pass
    text = shown_text("".join(said), lists)
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    choice: dict[str, Any] = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": finish_reason(done.finish_reason),
    }
    usage = await form.usage(done.usage, text)
    return {**form.head("chat.completion", reply.meta), "choices": [choice], "usage": usage}, failed


class CompletionStream(EventStream):
    """An answer as OpenAI's chunks. An error in its middle is the last thing sent, as OpenAI's clients expect it."""

    def __init__(
        self, reply: Reply, headers: Mapping[str, str], at_the_end: Callable[[], None], form: Form, *, include_usage: bool
    ) -> None:
        super().__init__(reply, headers, at_the_end)
        self._form = form
        self._head = form.head("chat.completion.chunk", reply.meta)
        # OpenAI's null, where usage will follow.
        self._usage_to_come: dict[str, Any] = {"usage": None} if include_usage else {}

    async def encoded(self, events: AsyncGenerator[Event]) -> AsyncGenerator[bytes]:
        said: list[str] = []
        lists: list[Middle] = []
        yield self._chunk({"role": "assistant", "content": "", "refusal": None})
        async for event in events:
            match event:
                case Delta():
                    said.append(event.text)
                    yield self._chunk({"content": event.text})
                case Choices() | Suggestions():
                    lists.append(event)
                case Done():
                    if listed := shown_text("", lists):
                        said.append(listed)
                        yield self._chunk({"content": listed})
                    yield self._chunk({}, finish_reason(event.finish_reason))
                    if self._usage_to_come:
                        usage = await self._form.usage(event.usage, "".join(said))
                        yield _data({**self._head, "choices": [], "usage": usage})
                    yield b"data: [DONE]\n\n"
                case Failed():
                    yield _data({"error": event.error})
                case _:
                    pass

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _data({**self._head, "choices": [choice], **self._usage_to_come})


def _data(value: Any) -> bytes:
    return b"data: %s\n\n" % orjson.dumps(value)
