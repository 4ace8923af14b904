"""Conversations that their clients hold: what a client sends of one, and how our own record of it is found again.

After each answer our record of the turn is kept under a digest of all that the client will then send back. The digests are
a chain, each message on top of those before it. So one transcript names all of its earlier turns at once; a branch (an answer
asked for again, an earlier message edited) shares the turns before it; and nothing that is kept ever changes. What is found was
said like that, to this customer; what is not found is told by the client alone, and nothing proves it.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from serve_app.domain.messages import Choices, Middle, Suggestions, middle_of
from serve_app.domain.question import Focus
from serve_app.domain.session import Turn

# system: also a developer's. tool: what a client's tool replied.
Role = Literal["system", "user", "assistant", "tool"]

_FORMAT = b"1"
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer as the client tells them. `digest`: under which its record is found; None: not answered."""

    question: str
    answer: str = ""
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class KnownTurn:
    """Our record of an exchange. `from_client`: it was built on turns that only the client told."""

    turn: Turn
    focus: Focus
    from_client: bool


@dataclass(frozen=True, slots=True)
class Transcript:
    """A client's messages, read. `question` is the last one, `opening` a digest that stays the same from turn to turn."""

    exchanges: tuple[Exchange, ...]
    instructions: str
    question: str
    opening: str
    has_tools: bool
    digest: bytes

    def answered(self, text: str) -> str:
        """The digest under which the client will send the conversation back when it was answered with `text`."""
        return _linked(self.digest, "assistant", text).hex()


def read_transcript(tenant: str, customer_id: str | None, messages: Sequence[Message]) -> Transcript:
    """`messages` end with the customer's question.

    An assistant's words before the first question (a greeting) and what tools replied are not read; they count in the digests.
    """
    digest = hashlib.blake2b(_FORMAT + orjson.dumps([tenant, customer_id]), digest_size=_DIGEST_BYTES).digest()
    exchanges: list[Exchange] = []
    opening = b""
    *earlier, last = messages
    for message in earlier:
        digest = _linked(digest, message.role, message.text)
        if message.role == "user" and message.text.strip():
            exchanges.append(Exchange(message.text))
            opening = opening or digest
        elif message.role == "assistant" and exchanges:
            asked = exchanges.pop()
            answer = f"{asked.answer}\n{message.text}" if asked.answer else message.text
            exchanges.append(Exchange(asked.question, answer, digest.hex()))
    digest = _linked(digest, last.role, last.text)
    return Transcript(
        exchanges=tuple(exchanges),
        instructions="\n".join(message.text for message in earlier if message.role == "system" and message.text.strip()),
        question=last.text,
        opening=(opening or digest).hex(),
        has_tools=any(message.role == "tool" for message in earlier),
        digest=digest,
    )


def _linked(digest: bytes, role: Role, text: str) -> bytes:
    """BLAKE2b (RFC 7693). Clients change white space and compose characters anew, so neither counts."""
    form = "".join(unicodedata.normalize("NFC", text).split())
    return hashlib.blake2b(digest + f"{role}\0{form}".encode(), digest_size=_DIGEST_BYTES).digest()


def shown_text(text: str, events: Iterable[Middle]) -> str:
    """An answer as text alone: what was said, and behind it whatever may be chosen from, as a numbered list."""
    return text + "".join(_list(event) for event in events)


def recorded_text(text: str, events: Iterable[dict[str, Any]]) -> str:
    """The same of an answer as it was recorded."""
    return shown_text(text, (middle_of(event["event"], event["data"]) for event in events))


def _list(event: Middle) -> str:
    if isinstance(event, Choices):
        items = [option.label for option in event.options]
    elif isinstance(event, Suggestions):
        items = [suggestion.question for suggestion in event.items]
    else:
        return ""
    return "".join(f"\n{number}. {item}" for number, item in enumerate(items, 1))
