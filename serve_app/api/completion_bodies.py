"""The body of `POST /v1/chat/completions`: OpenAI's schema, read field by field, and refused as OpenAI's API refuses.

A field that would change what the answer is, and that ZeroWait does not have, is refused (several choices, log probabilities,
penalties, forms other than text). One that is a hint may stand there and changes nothing (`metadata`, `store`, `service_tier`,
`prediction`, `reasoning_effort`, …). Tools may be offered; none is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from serve_app.domain.errors import ContextTooLong, InvalidValue, UnsupportedValue
from serve_app.domain.generation import Sampling
from serve_app.domain.messages import Asides
from serve_app.domain.normalise import clean
from serve_app.domain.transcripts import Message, Role

MESSAGES_MAX = 2000
STOPS_MAX = 4
STOP_CHARS_MAX = 100
# Of all system texts together. They are encoded for every question.
INSTRUCTIONS_CHARS_MAX = 20_000

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_TEXT_PARTS = {"text": "text", "refusal": "refusal"}
# The values with which these change nothing, besides null.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "audio": (),
    "tool_choice": ("none", "auto"),
    "function_call": ("none", "auto"),
    "web_search_options": (),
    "moderation": (),
}


class _StreamOptions(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    include_usage: bool | None = None


class CompletionBody(BaseModel):
    """OpenAI's `POST /v1/chat/completions`. `model` is one of `/v1/models`; the last of `messages` is the customer's."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: str
    messages: list[Any] = Field(min_length=1, max_length=MESSAGES_MAX)
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = Field(default=None, ge=-(2**63), le=2**63 - 1)
    stop: Any = None
    user: str | None = None
    prompt_cache_key: str | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    # Refused unless neutral.
    n: Any = None
    logprobs: Any = None
    top_logprobs: Any = None
    logit_bias: Any = None
    frequency_penalty: Any = None
    presence_penalty: Any = None
    response_format: Any = None
    modalities: Any = None
    audio: Any = None
    tool_choice: Any = None
    function_call: Any = None
    web_search_options: Any = None
    moderation: Any = None
    # Hints.
    metadata: Any = None
    store: Any = None
    service_tier: Any = None
    parallel_tool_calls: Any = None
    prediction: Any = None
    prompt_cache_retention: Any = None
    prompt_cache_options: Any = None
    reasoning_effort: Any = None
    safety_identifier: Any = None
    verbosity: Any = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A completion as it was asked for. `asides` lack the client's system text, which is among the messages."""

    model: str
    messages: tuple[Message, ...]
    stream: bool
    include_usage: bool
    routing_key: str | None
    asides: Asides


def wanted(tree: dict[str, Any], ours: Sampling, question_chars: int) -> Wanted:
    """Reads a body. `ours`: the sampling without any wish; `question_chars`: the length of a question at most.

    Raises InvalidValue, UnsupportedValue, ContextTooLong.
    """
    try:
        body = CompletionBody.model_validate(tree)
    except ValidationError as error:
        raise _invalid(error.errors(include_url=False, include_input=False)[0]) from None
    for name, neutral in _NEUTRAL.items():
        value = getattr(body, name)
        if value is not None and value not in neutral:
            allowed = "; ".join(repr(one) for one in neutral)
            hint = f"it can only be {allowed}" if neutral else "leave it out"
            raise UnsupportedValue(f"Unsupported value for '{name}': {hint}.", param=name)
    if body.stream_options is not None and not body.stream:
        raise InvalidValue("'stream_options' is only allowed when 'stream' is true.", param="stream_options")
    messages = tuple(_message(raw, f"messages[{index}]") for index, raw in enumerate(body.messages))
    _check_question(messages, question_chars)
    if sum(len(message.text) for message in messages if message.role == "system") > INSTRUCTIONS_CHARS_MAX:
        raise ContextTooLong(f"The system text is longer than {INSTRUCTIONS_CHARS_MAX} characters.", param="messages")
    return Wanted(
        model=body.model,
        messages=messages,
        stream=bool(body.stream),
        include_usage=bool(body.stream_options and body.stream_options.include_usage),
        routing_key=body.prompt_cache_key or body.user,
        asides=Asides(tools=bool(body.tools or body.functions), sampling=_sampling(body, ours)),
    )


def _message(raw: Any, path: str) -> Message:
    if not isinstance(raw, dict):
        raise InvalidValue(f"Invalid type for '{path}': expected an object.", param=path)
    fields = cast("dict[str, Any]", raw)
    role = fields.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        names = ", ".join(f"'{name}'" for name in _ROLES)
        raise InvalidValue(f"Invalid value for '{path}.role': it must be one of {names}.", param=f"{path}.role")
    return Message(_ROLES[role], _text(fields.get("content"), f"{path}.content"))


def _text(content: Any, path: str) -> str:
    """An assistant's message that only called tools has none."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise InvalidValue(f"Invalid type for '{path}': expected a string or an array of parts.", param=path)
    return "\n".join(_part(part, f"{path}[{index}]") for index, part in enumerate(cast("list[Any]", content)))


def _part(raw: Any, path: str) -> str:
    fields = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise InvalidValue(f"Invalid type for '{path}': expected an object with a 'type'.", param=path)
    if kind not in _TEXT_PARTS:
        raise UnsupportedValue(f"Unsupported part '{path}.type': only text is understood.", param=f"{path}.type")
    text = fields.get(_TEXT_PARTS[kind])
    if not isinstance(text, str):
        raise InvalidValue(f"Invalid type for '{path}.{kind}': expected a string.", param=f"{path}.{kind}")
    return text


def _check_question(messages: tuple[Message, ...], question_chars: int) -> None:
    last, path = messages[-1], f"messages[{len(messages) - 1}]"
    if last.role != "user":
        raise InvalidValue("The last message must be the customer's: its role must be 'user'.", param=f"{path}.role")
    if not clean(last.text):
        raise InvalidValue("There is no text in the last message.", param=f"{path}.content")
    if len(last.text) > question_chars:
        raise ContextTooLong(f"The question is longer than {question_chars} characters.", param=f"{path}.content")


def _sampling(body: CompletionBody, ours: Sampling) -> Sampling | None:
    """None when an answer comes out as ours would."""
    tokens = body.max_completion_tokens or body.max_tokens or ours.max_tokens
    temperature = ours.temperature if body.temperature is None else body.temperature
    top_p, seed = 1.0 if body.top_p is None else body.top_p, body.seed
    if temperature == 0 or top_p == 0:
        # The likeliest token each time: nothing is left to choose.
        temperature, top_p, seed = 0.0, 1.0, None
    wished = Sampling(
        temperature=temperature, top_p=top_p, max_tokens=min(tokens, ours.max_tokens), seed=seed, stop=_stops(body.stop)
    )
    return None if wished == ours else wished


def _stops(stop: Any) -> tuple[str, ...]:
    if stop is None:
        return ()
    given: Any = [stop] if isinstance(stop, str) else stop
    if not isinstance(given, list) or len(stops := cast("list[Any]", given)) > STOPS_MAX:
        raise InvalidValue(f"'stop' must be a string or an array of at most {STOPS_MAX} strings.", param="stop")
    if not all(isinstance(one, str) and 0 < len(one) <= STOP_CHARS_MAX for one in stops):
        raise InvalidValue(f"Each of 'stop' must be a string of 1 to {STOP_CHARS_MAX} characters.", param="stop")
    return tuple(cast("list[str]", stops))


def _invalid(error: Any) -> InvalidValue:
    param = ".".join(str(step) for step in error["loc"])
    if error["type"] == "missing":
        return InvalidValue(f"Missing required parameter: '{param}'.", param=param)
    if error["type"] == "extra_forbidden":
        return InvalidValue(f"Unknown parameter: '{param}'.", param=param)
    return InvalidValue(f"Invalid value for '{param}': {error['msg']}.", param=param)
