"""The frames that a socket's client sends."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, cast

import orjson
from pydantic import BaseModel, ConfigDict, Field

from serve_app.api.bodies import Id, Locale
from serve_app.domain.errors import MalformedRequest


class HelloFrame(BaseModel):
    """The first frame; again, to renew a token."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    token: str = Field(min_length=1, max_length=8192, description="An API key or a visitor's token.")
    customer_token: str | None = Field(default=None, max_length=8192)
    session_id: Id | None = None
    locale: Locale | None = None


class ResumeFrame(BaseModel):
    """Asks for an answer's events after one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    answer_id: Id
    after_seq: int = Field(ge=0)


class CancelFrame(BaseModel):
    """The customer does not want the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    answer_id: Id


class FrameTooLarge(Exception):
    """The socket is to be closed for it."""


def parsed(message: MutableMapping[str, Any], bytes_max: int) -> tuple[str, dict[str, Any]]:
    """A frame's type and its other fields. Raises MalformedRequest; and FrameTooLarge."""
    text: str | None = message.get("text")
    if text is None:
        raise MalformedRequest("Send text frames.")
    if len(text) > bytes_max or len(text.encode()) > bytes_max:
        raise FrameTooLarge
    try:
        tree = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"The frame is not valid JSON: {error.msg} at character {error.pos}.") from None
    if not isinstance(tree, dict):
        raise MalformedRequest("A frame must be a JSON object.")
    fields = cast("dict[str, Any]", tree)
    kind = fields.pop("type", None)
    if kind is None and fields.keys() == {"answer_id", "after_seq"}:
        kind = "resume"
    return str(kind), fields
