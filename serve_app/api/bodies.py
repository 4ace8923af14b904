"""Request bodies: read within a limit, decoded, and checked field by field, each failure with its own status."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar, cast

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.requests import ClientDisconnect, Request

from serve_app.domain.errors import InvalidField, MalformedRequest, TooLong, UnsupportedMediaType

Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:-]+$")]

Locale = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")]


class AskBody(BaseModel):
    """`POST /v1/ask`. Exactly one of `question` and `choice`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    question: str | None = Field(default=None, description="The customer's words, in Chinese or English.")
    choice: Id | None = Field(default=None, description="The id of an offered choice or suggestion that was tapped.")
    session_id: Id | None = Field(default=None, description="Continues a conversation; without it a new one begins.")
    message_id: Id | None = Field(default=None, description="Repeating it adds no turn and gives the same answer.")
    order_id: Id | None = Field(default=None, description="The order that the question was asked from.")
    sku_id: Id | None = Field(default=None, description="The product that the question was asked from.")
    locale: Locale | None = Field(default=None, description="zh-CN, en-GB, …")
    stream: bool = Field(default=False, description="Answer as server-sent events.")

    @model_validator(mode="after")
    def _one_question(self) -> AskBody:
        if (self.question is None) == (self.choice is None):
            raise ValueError("give exactly one of `question` and `choice`")
        return self


Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, form: type[Body], limit_bytes: int) -> Body:
    """Raises UnsupportedMediaType, TooLong, MalformedRequest, InvalidField."""
    return checked(form, await read_object(request, limit_bytes))


def checked(form: type[Body], tree: dict[str, Any]) -> Body:
    """Raises InvalidField, naming the first field that breaks the schema."""
    try:
        return form.model_validate(tree)
    except ValidationError as error:
        raise _invalid(error.errors(include_url=False, include_input=False)[0]) from None


async def read_object(request: Request, limit_bytes: int) -> dict[str, Any]:
    """The body's JSON object. Raises UnsupportedMediaType, TooLong, MalformedRequest."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType("Send the body as `Content-Type: application/json`.")
    raw = await _read(request, limit_bytes)
    try:
        tree = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"The body is not valid JSON: {error.msg} at character {error.pos}.") from None
    if not isinstance(tree, dict):
        raise MalformedRequest("The body must be a JSON object.")
    return cast("dict[str, Any]", tree)


async def _read(request: Request, limit_bytes: int) -> bytes:
    """Stops reading at the limit: a body that is too long is not taken into memory."""
    too_long = TooLong(f"The body is longer than {limit_bytes} bytes.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise too_long
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit_bytes:
                raise too_long
            chunks.append(chunk)
    except ClientDisconnect:
        raise MalformedRequest("The body ended early.") from None
    return b"".join(chunks)


def _invalid(error: Any) -> InvalidField:
    path = ".".join(str(step) for step in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "there is no such field"
    return InvalidField(f"{path}: {message}." if path else f"{message[:1].upper()}{message[1:]}.", param=path or None)
