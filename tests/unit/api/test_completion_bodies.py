"""What a body of OpenAI's schema may hold, and how the rest is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.api.completion_bodies import INSTRUCTIONS_CHARS_MAX, MESSAGES_MAX, Wanted, wanted
from serve_app.domain.errors import ContextTooLong, InvalidValue, UnsupportedValue, ZeroWaitError
from serve_app.domain.generation import Sampling
from serve_app.domain.messages import NO_ASIDES
from serve_app.domain.transcripts import Message

OURS = Sampling(max_tokens=256)
QUESTION = {"role": "user", "content": "Hi"}


def read(messages: Any = (QUESTION,), **fields: Any) -> Wanted:
    return wanted({"model": "zerowait", "messages": list(messages), **fields}, OURS, question_chars=100)


def test_the_least_that_is_needed() -> None:
    asked = read()
    assert asked == Wanted("zerowait", (Message("user", "Hi"),), False, False, None, NO_ASIDES)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Hi", "Hi"),
        ([{"type": "text", "text": "Hi"}], "Hi"),
        ([{"type": "text", "text": "Hi"}, {"type": "text", "text": "you"}], "Hi\nyou"),
    ],
)
def test_content_is_a_string_or_parts(content: Any, text: str) -> None:
    assert read([{"role": "user", "content": content}]).messages == (Message("user", text),)


def test_what_a_client_sends_back_of_an_answer_is_taken() -> None:
    answer = {
        "role": "assistant",
        "content": "Hello",
        "refusal": None,
        "annotations": [],
        "audio": None,
        "function_call": None,
        "tool_calls": None,
    }
    refused = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]}
    silent = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    tool = {"role": "tool", "tool_call_id": "1", "content": "42"}
    system = {"role": "developer", "content": "Be nice", "name": "x"}
    assert read([system, QUESTION, answer, refused, silent, tool, QUESTION]).messages == (
        Message("system", "Be nice"),
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("assistant", "No"),
        Message("assistant", ""),
        Message("tool", "42"),
        Message("user", "Hi"),
    )


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        (["Hi"], "messages[0]"),
        ([{"content": "Hi"}], "messages[0].role"),
        ([{"role": "robot", "content": "Hi"}], "messages[0].role"),
        ([QUESTION, {"role": "user", "content": 3}], "messages[1].content"),
        ([{"role": "user", "content": ["Hi"]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text"),
        ([{"role": "user", "content": " \u200b\n"}], "messages[0].content"),
        ([{"role": "user", "content": None}], "messages[0].content"),
        ([QUESTION, {"role": "assistant", "content": "And?"}], "messages[1].role"),
        ([{"role": "system", "content": "Hi"}], "messages[0].role"),
        ([QUESTION] * (MESSAGES_MAX + 1), "messages"),
    ],
)
def test_messages_that_cannot_be_read(messages: list[Any], param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(messages)
    assert (caught.value.status, caught.value.param) == (400, param)


def test_parts_that_are_no_text_are_not_supported() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://shop.example/a.png"}}
    with pytest.raises(UnsupportedValue) as caught:
        read([{"role": "user", "content": [{"type": "text", "text": "Hi"}, image]}])
    assert caught.value.param == "messages[0].content[1].type"


def test_a_question_has_a_bound() -> None:
    with pytest.raises(ContextTooLong):
        read([{"role": "user", "content": "x" * 101}])
    assert read([{"role": "system", "content": "x" * 1000}, QUESTION])


def test_the_system_texts_have_one_bound_together() -> None:
    half = {"role": "system", "content": "x" * (INSTRUCTIONS_CHARS_MAX // 2)}
    assert read([half, {**half, "role": "developer"}, QUESTION])
    with pytest.raises(ContextTooLong):
        read([half, {**half, "role": "developer"}, {"role": "system", "content": "x"}, QUESTION])


@pytest.mark.parametrize(
    ("field", "refused", "neutral"),
    [
        ("n", 2, 1),
        ("logprobs", True, False),
        ("top_logprobs", 3, 0),
        ("logit_bias", {"1": 2}, {}),
        ("frequency_penalty", 0.5, 0),
        ("presence_penalty", -1, 0.0),
        ("response_format", {"type": "json_object"}, {"type": "text"}),
        ("modalities", ["text", "audio"], ["text"]),
        ("audio", {"voice": "alloy", "format": "mp3"}, None),
        ("tool_choice", "required", "auto"),
        ("function_call", {"name": "f"}, "none"),
        ("web_search_options", {}, None),
    ],
)
def test_what_would_change_the_answers_form_is_refused_unless_neutral(field: str, refused: Any, neutral: Any) -> None:
    with pytest.raises(UnsupportedValue) as caught:
        read(**{field: refused})
    assert (caught.value.status, caught.value.param) == (400, field)
    assert read(**{field: neutral}) == read(**{field: None}) == read()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"seed": 2**63}, "seed"),
        ({"stop": 3}, "stop"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"stop": ["a", 1]}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
        ({"model": None}, "model"),
        ({"user": 3}, "user"),
        ({"question": "Hi"}, "question"),
    ],
)
def test_fields_that_break_the_schema(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(**fields)
    assert (caught.value.type, caught.value.param) == ("invalid_request_error", param)


@pytest.mark.parametrize("field", ["model", "messages"])
def test_a_missing_field_is_named(field: str) -> None:
    body = {"model": "zerowait", "messages": [QUESTION]}
    del body[field]
    with pytest.raises(InvalidValue, match=f"Missing required parameter: '{field}'"):
        wanted(body, OURS, 100)


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0},
        {"temperature": 0.0, "top_p": 0.4, "seed": 3},
        {"max_tokens": 256},
        {"max_tokens": 10_000},
        {"max_completion_tokens": 256, "max_tokens": 1},
        {"stop": []},
        {"top_p": 1},
        {"tools": []},
        {"metadata": {"a": "b"}, "store": True, "service_tier": "auto", "reasoning_effort": "low", "verbosity": "low"},
    ],
)
def test_what_changes_nothing_leaves_no_trace(fields: dict[str, Any]) -> None:
    assert read(**fields).asides == NO_ASIDES


@pytest.mark.parametrize(
    ("fields", "sampling"),
    [
        ({"temperature": 1}, Sampling(temperature=1.0, max_tokens=256)),
        ({"temperature": 1, "top_p": 0}, None),
        ({"temperature": 0.5, "seed": 3}, Sampling(temperature=0.5, seed=3, max_tokens=256)),
        ({"max_tokens": 5}, Sampling(max_tokens=5)),
        ({"stop": "END"}, Sampling(max_tokens=256, stop=("END",))),
        ({"stop": ["a", "b"]}, Sampling(max_tokens=256, stop=("a", "b"))),
    ],
)
def test_wishes_within_our_limits(fields: dict[str, Any], sampling: Sampling | None) -> None:
    assert read(**fields).asides.sampling == sampling


def test_tools_are_noticed() -> None:
    assert read(tools=[{"type": "function", "function": {"name": "f"}}]).asides.tools
    assert read(functions=[{"name": "f"}], function_call="auto").asides.tools


def test_the_name_of_a_conversation() -> None:
    assert read(user="u").routing_key == "u"
    assert read(user="u", prompt_cache_key="k").routing_key == "k"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["model", "messages", "n", "stop", "stream", "stream_options", "tools", "temperature", "logit_bias", "x"]
)
ODD_MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "tool"]) | ANYTHING, "content": ANYTHING}), max_size=3
)


@given(
    body=st.dictionaries(FIELDS, ANYTHING, max_size=4),
    messages=st.none() | ODD_MESSAGES,
)
def test_any_body_is_read_or_refused_clearly(body: dict[str, Any], messages: list[Any] | None) -> None:
    if messages is not None:
        body |= {"model": "zerowait", "messages": messages}
    refused: ZeroWaitError | None = None
    try:
        asked = wanted(body, OURS, 100)
    except ZeroWaitError as error:
        refused = error
    else:
        assert asked.messages[-1].role == "user"
    assert refused is None or (refused.status == 400 and refused.param)
