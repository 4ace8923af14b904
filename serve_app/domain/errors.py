"""The one tree of errors. Every one can be pickled, so it crosses process borders whole.

A `ZeroWaitError` is what a caller may see: its `message` names no path, query, stack or other customer. An `InternalError`
never reaches a caller; whoever catches it turns it into a degraded answer or into a `ZeroWaitError`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal


class ZeroWaitError(Exception):
    """An error with an HTTP status and the fields of OpenAI's error form."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, param: str | None = None, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.param, self.retry_after_s)

    def body(self) -> dict[str, dict[str, str | None]]:
        """The error as clients receive it: `{"error": {"message", "type", "code", "param"}}`."""
        return {"error": {"message": self.message, "type": self.type, "code": self.code, "param": self.param}}


def _rebuild(kind: type[ZeroWaitError], message: str, param: str | None, retry_after_s: int | None) -> ZeroWaitError:
    return kind(message, param=param, retry_after_s=retry_after_s)


class MalformedRequest(ZeroWaitError):
    status, type, code = 400, "invalid_request_error", "malformed_request"


class Unauthenticated(ZeroWaitError):
    status, type, code = 401, "authentication_error", "invalid_credentials"


class Forbidden(ZeroWaitError):
    status, type, code = 403, "permission_error", "forbidden"


class NotFound(ZeroWaitError):
    status, type, code = 404, "not_found_error", "not_found"


class Conflict(ZeroWaitError):
    status, type, code = 409, "invalid_request_error", "conflict"


class TooLong(ZeroWaitError):
    status, type, code = 413, "invalid_request_error", "too_long"


class UnsupportedMediaType(ZeroWaitError):
    status, type, code = 415, "invalid_request_error", "unsupported_media_type"


class InvalidField(ZeroWaitError):
    """A field breaks its schema; `param` is its path."""

    status, type, code = 422, "invalid_request_error", "invalid_field"


class InvalidValue(ZeroWaitError):
    """As `InvalidField`, with the status that OpenAI's clients expect."""

    status, type, code = 400, "invalid_request_error", "invalid_value"


class UnsupportedValue(ZeroWaitError):
    """Part of OpenAI's schema that ZeroWait does not have."""

    status, type, code = 400, "invalid_request_error", "unsupported_value"


class ContextTooLong(ZeroWaitError):
    """As `TooLong`, with the status that OpenAI's clients expect."""

    status, type, code = 400, "invalid_request_error", "context_length_exceeded"


class UnknownModel(ZeroWaitError):
    status, type, code = 404, "invalid_request_error", "model_not_found"


class RateLimited(ZeroWaitError):
    status, type, code = 429, "rate_limit_error", "rate_limited"


class Overloaded(ZeroWaitError):
    status, type, code = 503, "server_error", "overloaded"


class NotReady(ZeroWaitError):
    status, type, code = 503, "server_error", "not_ready"


class DeadlineExceeded(ZeroWaitError):
    status, type, code = 504, "server_error", "deadline_exceeded"


class InternalError(Exception):
    """Something inside failed. `str()` is for the log."""


class SourceFailed(InternalError):
    """A source of facts was late, down, or sent what its mapping cannot read. `reason` holds no customer's data."""

    def __init__(self, source: str, reason: str, state: Literal["late", "down", "malformed"] = "down") -> None:
        super().__init__(source, reason, state)
        self.source = source
        self.reason = reason
        self.state: Literal["late", "down", "malformed"] = state

    def __str__(self) -> str:
        return f"source {self.source} is {self.state}: {self.reason}"


class StoreFailed(InternalError):
    """A store (Redis, the record) did not answer."""


class RoomFailed(InternalError):
    """Another room did not answer: its replicas are down, full, or too slow."""


class ModelFailed(InternalError):
    """The model's engine failed, refused, or went away. `replica_id`: whose, if that is known and was not told before."""

    replica_id: str | None = None


class CallCancelled(ModelFailed):
    """A call was cancelled, and not by its caller: Serve cancels what a client had asked for when it goes away."""


class ConfigError(InternalError):
    """The configuration cannot be used. The message names the field and what to write there."""
